"""One live websocket to the platform: requests, answers, pushes.

Two traps of trio-websocket 0.12 shape this file: its own connect timeout does not bound
a stalled handshake, so the dial stands under a deadline of ours that is lifted once the
line is open; and a consumer that waits stops its PONGs, so the reader here never waits
for business: it hands pushes over through a buffer and wakes requests by their `mid`.
"""

from __future__ import annotations

import math
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

import attrs
import h11
import trio
import wsproto.utilities
from trio_websocket import (
    ConnectionClosed,
    HandshakeError,
    WebSocketConnection,
    wrap_client_stream,
)

from xybot.errors import ConnectionLost, KickedOut, SessionTaken, TokenExpired, WireError
from xybot.wire import frames
from xybot.wire.fields import text_at
from xybot.wire.frames import Frame
from xybot.wire.ids import Ids
from xybot.wire.requests import BROWSER, Request

Dial: TypeAlias = Callable[[], AbstractAsyncContextManager[WebSocketConnection]]
"""Opens a websocket; tests dial the simulator in memory."""
_Stream: TypeAlias = trio.SocketStream | trio.SSLStream[trio.SocketStream]

_READY_AFTER: Final = 3.0
"""Seconds after `/reg` at which requests may be sent even without `/s/vulcan` (§1.3)."""
_PUSHES_WAITING: Final = 256
"""Frames that may wait for the store; beyond that the reader waits, and so the platform."""
_LARGEST: Final = 64 * 1024 * 1024
_GOODBYE_WITHIN: Final = 1.0
"""Seconds that a peer has to close its side when we are done."""
_NO_PROTOCOL: Final = (h11.ProtocolError, wsproto.utilities.ProtocolError)
"""What trio-websocket lets through when the peer speaks no HTTP, or breaks off mid-frame."""
_NO_HANDSHAKE: Final = (HandshakeError, *_NO_PROTOCOL)
_NO_TOKEN: Final = "token is not found"  # noqa: S105  # the platform's words (§1.6)


def dialler(url: str, tls: ssl.SSLContext, *, within: float = 10) -> Dial:
    """Return a dial for a real websocket; `within` seconds it is open or has failed."""
    address = urlsplit(url)

    @asynccontextmanager
    async def dial() -> AsyncIterator[WebSocketConnection]:
        with trio.CancelScope(deadline=trio.current_time() + within) as opening:
            try:
                stream = await _stream(address, tls)
            except OSError as exc:
                raise HandshakeError from exc
            async with _websocket(stream, address) as ws:
                opening.deadline = math.inf
                yield ws
        if opening.cancelled_caught:
            raise ConnectionLost(f"no websocket within {within:g} s")

    return dial


async def _stream(address: SplitResult, tls: ssl.SSLContext) -> _Stream:
    host = address.hostname or ""
    if address.scheme == "wss":
        return await trio.open_ssl_over_tcp_stream(
            host, address.port or 443, ssl_context=tls, https_compatible=True
        )
    return await trio.open_tcp_stream(host, address.port or 80)


@asynccontextmanager
async def _websocket(stream: _Stream, address: SplitResult) -> AsyncIterator[WebSocketConnection]:
    # Not open_websocket_url: it leaves the socket open when the handshake does not end well.
    resource = (address.path or "/") + (f"?{address.query}" if address.query else "")
    # No cookie: the token of /reg authenticates, and the page sends none either (§1).
    headers = [(b"Origin", b"https://www.goofish.com"), (b"User-Agent", BROWSER.encode())]
    try:
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
            try:
                yield ws
            finally:
                with trio.move_on_after(_GOODBYE_WITHIN):
                    await ws.aclose()
            nursery.cancel_scope.cancel()
    except* _NO_HANDSHAKE as group:
        raise ConnectionLost(_cannot_connect(group.exceptions[0])) from group
    finally:
        await trio.aclose_forcefully(stream)


@attrs.frozen
class Garbage:
    """A websocket message that is no frame; kept, so that somebody can look at it."""

    text: str


Push: TypeAlias = Frame | Garbage


@attrs.define(eq=False)
class _Waiting:
    """A request that has not been answered yet."""

    answered: trio.Event = attrs.Factory(trio.Event)
    answer: Frame | None = None


@attrs.define(eq=False)
class Connection:
    """Made by `open_connection`."""

    _ws: WebSocketConnection
    _ids: Ids
    pushes: trio.MemoryReceiveChannel[Push]
    """What to store, and to acknowledge, in the order of its arrival."""
    _waiting: dict[str, _Waiting] = attrs.field(factory=dict, init=False)
    _opened_up: trio.Event = attrs.field(factory=trio.Event, init=False)

    async def request(self, request: Request, *, within: float = 10) -> Frame:
        """Send a request and return its answer, whatever its `code`.

        Raises:
          ConnectionLost: the peer closed, or did not answer within so many seconds.
          TokenExpired: it answered 401.
        """
        mid = self._ids.mid()
        frame = Frame(lwp=request.lwp, headers=request.headers | {"mid": mid}, body=request.body)
        key = mid.partition(" ")[0]
        waiting = self._waiting[key] = _Waiting()
        try:
            with trio.move_on_after(within):
                await self.send(frame)
                await waiting.answered.wait()
        finally:
            del self._waiting[key]
        if waiting.answer is None:
            raise ConnectionLost(f"no answer to {request.lwp} within {within:g} s")
        return waiting.answer

    async def send(self, frame: Frame) -> None:
        """Send a frame that needs no answer.

        Raises:
          ConnectionLost: the line is closed.
        """
        try:
            await self._ws.send_message(frames.encode(frame))
        except ConnectionClosed as exc:
            raise ConnectionLost(_farewell(exc)) from exc
        except _NO_PROTOCOL as exc:
            raise ConnectionLost(f"连接断开 (connection lost): {exc}") from exc

    async def wait_ready(self) -> None:
        """Wait, after `/reg` was answered, until requests may be sent (protocol.md §1.3)."""
        with trio.move_on_after(_READY_AFTER):
            await self._opened_up.wait()

    async def _read(self, pushes: trio.MemorySendChannel[Push]) -> None:
        async with pushes:
            while True:
                try:
                    text = await self._ws.get_message()
                except ConnectionClosed as exc:
                    raise ConnectionLost(_farewell(exc)) from exc
                await self._sort(text, pushes)

    async def _sort(self, text: str | bytes, pushes: trio.MemorySendChannel[Push]) -> None:
        push: Push
        try:
            push = frame = frames.decode(text)
        except WireError:
            push = Garbage(text if isinstance(text, str) else text.decode("utf-8", "replace"))
        else:
            if frame.lwp is None:
                self._answered(frame)
                return
            self._heed(frame.lwp)
        try:
            pushes.send_nowait(push)
        except trio.WouldBlock:
            await pushes.send(push)

    def _answered(self, frame: Frame) -> None:
        reason = text_at(frame.body, "reason")
        if frame.code == 401 or reason == _NO_TOKEN or text_at(frame.body, "code") == "4000001":
            raise TokenExpired(f"令牌失效 (the token is no longer good): {reason or frame.code}")
        waiting = self._waiting.get(frame.mid or "")
        if waiting is not None and waiting.answer is None:
            waiting.answer = frame
            waiting.answered.set()

    def _heed(self, lwp: str) -> None:
        match lwp:
            case "/push/kickout":
                raise KickedOut("被踢下线 (kicked out: another session took over)")
            case "/s/session/remove":
                raise SessionTaken("别处登录了本账号 (the platform removed this session)")
            case "/s/vulcan":
                self._opened_up.set()


def _farewell(closed: ConnectionClosed) -> str:
    reason = closed.reason
    if reason is None:
        return "连接断开 (connection lost)"
    words = f"{reason.code} {reason.name}" + (f": {reason.reason}" if reason.reason else "")
    return f"对方关闭连接 (closed by the platform: {words})"


def _cannot_connect(exc: BaseException) -> str:
    return f"连不上平台 (cannot connect): {exc.__cause__ or exc!r}"


@asynccontextmanager
async def open_connection(dial: Dial, ids: Ids) -> AsyncIterator[Connection]:
    """Dial the platform and keep reading until the block exits.

    Raises:
      ConnectionLost: nobody answered the dial, or the line went down.
      TokenExpired, SessionTaken: the platform said so; perhaps within an exception group.
    """
    send_pushes, receive_pushes = trio.open_memory_channel[Push](_PUSHES_WAITING)
    try:
        async with dial() as ws, trio.open_nursery() as nursery:
            connection = Connection(ws, ids, receive_pushes)
            nursery.start_soon(connection._read, send_pushes, name="read")
            yield connection
            nursery.cancel_scope.cancel()
    except HandshakeError as exc:
        raise ConnectionLost(_cannot_connect(exc)) from exc
