"""One live websocket to the platform: requests, answers, pushes.

A trap of trio-websocket 0.12 shapes this file: a consumer that waits stops its PONGs, so
the reader here never waits for business: it hands pushes over through a buffer and wakes
requests by their `mid`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, TypeAlias

import attrs
import h11
import trio
import wsproto.utilities
from trio_websocket import (
    ConnectionClosed,
    ConnectionRejected,
    HandshakeError,
    WebSocketConnection,
)

from xybot.egress import UNREACHABLE, why_unreachable
from xybot.errors import (
    Cause,
    ConnectionLost,
    KickedOut,
    SessionTaken,
    TokenExpired,
    WireError,
    first_error,
)
from xybot.wire import frames
from xybot.wire.fields import text_at
from xybot.wire.frames import Frame
from xybot.wire.ids import Ids
from xybot.wire.requests import REGISTER, Request

Dial: TypeAlias = Callable[[], AbstractAsyncContextManager[WebSocketConnection]]
"""Opens a websocket, or raises a HandshakeError or a ConnectionLost; tests dial the simulator."""

_READY_AFTER: Final = 3.0
"""Seconds after `/reg` at which requests may be sent even without `/s/vulcan` (§1.3)."""
_PUSHES_WAITING: Final = 256
"""Frames that may wait for the store; beyond that the reader waits, and so the platform."""
NO_PROTOCOL: Final = (h11.ProtocolError, wsproto.utilities.ProtocolError)
"""What trio-websocket lets through when the peer speaks no HTTP, or breaks off mid-frame."""
_WITHOUT_A_WORD: Final = 1006
"""The code that stands for a line without a farewell (RFC 6455 §7.1.5); never on the wire."""
_NO_TOKEN: Final = "token is not found"  # noqa: S105  # the platform's words (§1.6)


@attrs.frozen
class Garbage:
    """A websocket message that is no frame; kept, so that somebody can look at it."""

    text: str


Push: TypeAlias = Frame | Garbage


@attrs.define(eq=False)
class _Waiting:
    """A request that has not been answered yet."""

    lwp: str
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
          TokenExpired: it answered 401; to `/reg`, which is the first to hear of it, that is
            an answer.
        """
        mid = self._ids.mid()
        frame = Frame(lwp=request.lwp, headers=request.headers | {"mid": mid}, body=request.body)
        key = mid.partition(" ")[0]
        waiting = self._waiting[key] = _Waiting(request.lwp)
        try:
            with trio.move_on_after(within):
                await self.send(frame)
                await waiting.answered.wait()
        finally:
            del self._waiting[key]
        if waiting.answer is None:
            said = f"no answer to {request.lwp} within {within:g} s"
            raise ConnectionLost(f"平台没有回应 (silent: {said})", cause=Cause.SILENT)
        return waiting.answer

    async def send(self, frame: Frame) -> None:
        """Send a frame that needs no answer.

        Raises:
          ConnectionLost: the line is closed.
        """
        try:
            await self._ws.send_message(frames.encode(frame))
        except ConnectionClosed as exc:
            raise _ended(exc) from exc
        except NO_PROTOCOL as exc:
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
                    raise _ended(exc) from exc
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
        waiting = self._waiting.get(frame.mid or "")
        reason = text_at(frame.body, "reason")
        dead = frame.code == 401 or reason == _NO_TOKEN
        dead = dead or text_at(frame.body, "code") == "4000001"
        if dead and not (waiting and waiting.lwp == REGISTER):
            said = reason or frame.code
            raise TokenExpired(f"令牌失效，将换新令牌 (the token is no longer good): {said}")
        if waiting is not None and waiting.answer is None:
            waiting.answer = frame
            waiting.answered.set()

    def _heed(self, lwp: str) -> None:
        match lwp:
            case "/push/kickout":
                raise KickedOut("被踢下线，将换新令牌 (kicked out: another session took over)")
            case "/s/session/remove":
                raise SessionTaken("别处登录了本账号 (the platform removed this session)")
            case "/s/vulcan":
                self._opened_up.set()


def _ended(closed: ConnectionClosed) -> ConnectionLost:
    """Tell a farewell from a line that broke without one."""
    reason = closed.reason
    if reason is None:
        return ConnectionLost("连接断开 (connection lost)")
    said = f"{reason.code} {reason.name}" + (f": {reason.reason}" if reason.reason else "")
    if reason.code == _WITHOUT_A_WORD:
        return ConnectionLost(f"连接断开 (connection lost: {said})")
    return ConnectionLost(f"连接被关闭 (connection closed: {said})", cause=Cause.CLOSED)


def _not_connected(exc: BaseException) -> ConnectionLost:
    """Tell, in words and cause, how far a dial came."""
    if isinstance(exc, ConnectionRejected):
        return refused(f"HTTP {exc.status_code}")
    said, cause = exc.__cause__ or repr(exc), why_unreachable(exc)
    if cause is None:
        return refused(str(said))
    return ConnectionLost(f"{UNREACHABLE[cause]}: {said}", cause=cause)


def refused(said: str) -> ConnectionLost:
    """Return the error of a server that is there and opens no websocket."""
    words = f"平台拒绝了连接 (cannot connect, handshake refused): {said}"
    return ConnectionLost(words, cause=Cause.HANDSHAKE)


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
    except* HandshakeError as group:
        raise _not_connected(first_error(group)) from group
