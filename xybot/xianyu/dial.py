"""Dialling the platform: name, TCP, TLS, websocket, each of which fails in its own way.

trio-websocket's own connect timeout does not bound a stalled handshake (0.12; it does not
even notice that the peer hung up), so the dial stands under a deadline of ours that is
lifted once the line is open.
"""

from __future__ import annotations

import math
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

import trio
from trio_websocket import HandshakeError, WebSocketConnection, wrap_client_stream

from xybot.errors import Cause, ConnectionLost, first_error
from xybot.wire.requests import BROWSER
from xybot.xianyu.connection import NO_PROTOCOL, Dial, refused

_Stream: TypeAlias = trio.SocketStream | trio.SSLStream[trio.SocketStream]

_LARGEST: Final = 64 * 1024 * 1024
_GOODBYE_WITHIN: Final = 1.0
"""Seconds that a peer has to close its side when we are done."""


def dialler(url: str, tls: ssl.SSLContext, *, within: float = 10) -> Dial:
    """Return a dial for a real websocket; `within` seconds it is open or has failed.

    The dial raises:
      HandshakeError: `__cause__` is what the network said, if it was the network.
      ConnectionLost: late, or the peer speaks something else; perhaps in an exception group.
    """
    address = urlsplit(url)

    @asynccontextmanager
    async def dial() -> AsyncIterator[WebSocketConnection]:
        late = Cause.UNREACHABLE
        with trio.CancelScope(deadline=trio.current_time() + within) as opening:
            stream = await _stream(address, tls)
            late = Cause.HANDSHAKE
            async with _websocket(stream, address) as ws:
                opening.deadline = math.inf
                yield ws
        if opening.cancelled_caught:
            said = f"no websocket within {within:g} s"
            raise ConnectionLost(f"连不上平台，请检查网络 (cannot connect: {said})", cause=late)

    return dial


async def _stream(address: SplitResult, tls: ssl.SSLContext) -> _Stream:
    host = address.hostname or ""
    try:
        if address.scheme == "wss":
            return await trio.open_ssl_over_tcp_stream(
                host, address.port or 443, ssl_context=tls, https_compatible=True
            )
        return await trio.open_tcp_stream(host, address.port or 80)
    except OSError as exc:
        raise HandshakeError(host) from exc


@asynccontextmanager
async def _websocket(stream: _Stream, address: SplitResult) -> AsyncIterator[WebSocketConnection]:
    # Not open_websocket_url: it leaves the socket open when the handshake does not end well.
    resource = (address.path or "/") + (f"?{address.query}" if address.query else "")
    # No cookie: the token of /reg authenticates, and the page sends none either (§1).
    headers = [(b"Origin", b"https://www.goofish.com"), (b"User-Agent", BROWSER.encode())]
    is_open = False
    try:
        await _encrypt(stream)
        async with trio.open_nursery() as nursery:
            ws = await wrap_client_stream(
                nursery,
                stream,
                address.netloc.rpartition("@")[2],
                resource,
                extra_headers=headers,
                message_queue_size=64,
                max_message_size=_LARGEST,
                receive_buffer_size=65536,
            )
            is_open = True
            try:
                yield ws
            finally:
                with trio.move_on_after(_GOODBYE_WITHIN):
                    await ws.aclose()
            nursery.cancel_scope.cancel()
    except* NO_PROTOCOL as group:
        said = first_error(group)
        broken = ConnectionLost(f"连接断开 (connection lost): {said!r}")
        raise (broken if is_open else refused(repr(said))) from group
    finally:
        await trio.aclose_forcefully(stream)


async def _encrypt(stream: _Stream) -> None:
    # Else TLS would be made with the first byte that is sent, and fail as a websocket.
    if isinstance(stream, trio.SSLStream):
        try:
            await stream.do_handshake()
        except trio.BrokenResourceError as exc:
            raise HandshakeError from exc
