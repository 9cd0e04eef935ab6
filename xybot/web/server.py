"""Serving HTTP on the address of `[web]`: Starlette on Hypercorn, on our own Trio loop."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, cast

import attrs
import trio
from hypercorn.config import Config
from hypercorn.trio import serve

from xybot.config import Web
from xybot.errors import ConfigError
from xybot.web.app import application
from xybot.web.door import Door
from xybot.web.house import House
from xybot.web.metrics import Metrics
from xybot.web.visitors import given_keys, keys

_GRACE: Final = 0.5
"""Seconds that answers may take to end when the program does."""


@attrs.frozen(kw_only=True)
class Opened:
    """Where the door is, and how to come in for the first time."""

    url: str
    token: str | None
    """A token that was made just now; it is not kept, so it has to be shown."""


@asynccontextmanager
async def open_web(settings: Web, house: House) -> AsyncIterator[Opened]:
    """Serve the console and the API for as long as the block runs.

    Raises:
      ConfigError: nobody can listen there, or a token or a certificate is of no use.
    """
    others = given_keys(settings)
    if settings.certificate:
        _check(settings.certificate, settings.key)
    listeners = await _listeners(settings.listen)
    known, made = keys(others, house.data)  # Made only now: it is shown once, and never again.
    address = listeners[0].socket.getsockname()
    door = Door(keys=known, house=house, secure=bool(settings.certificate))
    metrics = Metrics()
    app = cast("Any", application(door, metrics))  # Hypercorn has types of its own.
    with house.chronicle.feed.heard_by(metrics.hear):
        async with trio.open_nursery() as nursery:
            await nursery.start(house.stream.serve, name="event stream")
            await nursery.start(serve, app, _config(settings, listeners))
            scheme = "https" if settings.certificate else "http"
            host = settings.listen.rpartition(":")[0]
            yield Opened(url=f"{scheme}://{host}:{address[1]}", token=made)
            nursery.cancel_scope.cancel()


async def _listeners(listen: str) -> list[trio.SocketListener]:
    host, _, port = listen.rpartition(":")
    try:
        # Not left to Hypercorn, which leaves a socket open when the port is taken.
        return await trio.open_tcp_listeners(int(port), host=host.strip("[]"))
    except OSError as exc:
        raise ConfigError(
            f"web.listen: {listen} 无法监听，端口可能被占用 (cannot listen, is the port in use?): "
            f"{exc}"
        ) from exc


def _check(certificate: str, key: str) -> None:
    """Look at what Hypercorn is going to use; it would tell only a traceback."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # No password: or OpenSSL would ask for one at the terminal.
        context.load_cert_chain(certificate, key, password="")
    except FileNotFoundError as exc:
        gone = " / ".join(file for file in (certificate, key) if not Path(file).exists())
        raise ConfigError(f"web.certificate, web.key: 找不到文件 (no such file): {gone}") from exc
    except OSError as exc:
        raise ConfigError(
            "web.certificate, web.key: 证书和私钥要是 PEM 格式，互相匹配，私钥不带密码 (want PEM "
            f"files that belong together, the key without a password): {exc}"
        ) from exc


def _config(settings: Web, listeners: list[trio.SocketListener]) -> Config:
    config = Config()
    config.bind = [f"fd://{listener.socket.detach()}" for listener in listeners]
    config.graceful_timeout = _GRACE
    config.errorlog = config.accesslog = None
    config.include_server_header = False
    if settings.certificate:
        config.certfile, config.keyfile = settings.certificate, settings.key
    return config
