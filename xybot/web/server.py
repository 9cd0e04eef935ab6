"""Serving HTTP on the address of `[web]`: Starlette on Hypercorn, on our own Trio loop.

So far it answers one question, without a token: is the program alive (`GET /health`)?
It tells nothing about accounts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from hypercorn.config import Config
from hypercorn.trio import serve
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from xybot import __version__
from xybot.errors import ConfigError


async def health(_: Request) -> JSONResponse:
    """Answer that we live: the loop that runs the accounts is the one that answers."""
    return JSONResponse({"status": "ok", "version": __version__})


def application() -> Starlette:
    """Return all routes."""
    return Starlette(routes=[Route("/health", health)])


@asynccontextmanager
async def open_web(listen: str) -> AsyncIterator[str]:
    """Listen on `host:port` for as long as the block runs; gives the url that was bound.

    Raises:
      ConfigError: nobody can listen there.
    """
    host, _, port = listen.rpartition(":")
    try:
        # Not left to Hypercorn, which leaves a socket open when the port is taken.
        listeners = await trio.open_tcp_listeners(int(port), host=host.strip("[]"))
    except OSError as exc:
        raise ConfigError(
            f"web.listen: {listen} 无法监听，端口可能被占用 (cannot listen, is the port in use?): "
            f"{exc}"
        ) from exc
    address = listeners[0].socket.getsockname()
    config = Config()
    config.bind = [f"fd://{listener.socket.detach()}" for listener in listeners]
    config.graceful_timeout = 0.5
    config.errorlog = config.accesslog = None
    async with trio.open_nursery() as nursery:
        await nursery.start(serve, application(), config)
        yield f"http://{host}:{address[1]}"
        nursery.cancel_scope.cancel()
