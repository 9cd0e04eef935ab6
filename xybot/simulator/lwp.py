"""The websocket side: lets accounts in, answers their requests, pushes what waits for them.

Assumptions about the platform (those about keeping pushes are in `desk.py`, those about
single requests in `answers.py`):

* `/reg` is answered as in capture 01; a token that is unknown, expired or of another device
  gets 401 (protocol.md §1.2, capture 71), and the connection stays open (unknown);
* `/s/vulcan` comes a moment after `/reg`; until then `/r/...` is answered 400 without a body
  (§1.3, capture 72); that readiness comes at the same moment: disputed there;
* `/!` is answered 200 without a body, also before `/reg` (§1.4; before `/reg`: unknown);
* a token that dies on a living connection: every request is answered 401, nothing is pushed,
  the connection stays (§1.6, capture 71); acknowledgements still count (unknown);
* a newer `/reg` of an account makes the older connection get `/push/kickout` and a close
  (§1.6; the body of the push, and the close: unknown); the token stays good (unknown);
* another session that holds the account makes `/reg` refused with "connect limit" (§1.2; the
  code around it, 403 here: unknown), and a token may be refused there for once although it is
  good (§1.2 "invalid token"; that it happens: unknown); the connection stays open (unknown);
* a frame that cannot be read is passed over (unknown).
"""

from __future__ import annotations

import contextlib
import math
from typing import Any, Final

import attrs
import msgspec
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection

from xybot.simulator import payloads
from xybot.simulator.answers import BAD, SEND, Answer, Answers
from xybot.simulator.desk import Desk
from xybot.simulator.payloads import PARA, VULCAN
from xybot.simulator.world import Grant, Json

_GOODBYE_WITHIN: Final = 2
_AROUSED: Final = 32
"""The most quick phrases pushed after `/reg`."""
NOT_FOUND: Final = {"reason": "token is not found", "code": "4000001", "scope": "reg"}
NOT_EQUAL: Final = {**NOT_FOUND, "reason": "device id or appkey is not equal"}
_INVALID: Final = Answer(401, {**NOT_FOUND, "reason": "invalid token"})
_TAKEN: Final = Answer(403, {"reason": "connect limit", "scope": "reg"})


class Request(msgspec.Struct):
    """A frame of a client: a request (`lwp`), or an acknowledgement (`code`)."""

    lwp: str | None = None
    code: int | None = None
    headers: dict[str, Any] = {}
    body: Json = None

    @property
    def mid(self) -> str:
        """What ties it to its answer, as it was sent."""
        return str(self.headers.get("mid", ""))


_DECODER: Final = msgspec.json.Decoder(Request)


@attrs.define(eq=False, kw_only=True)
class Line:
    """One connection, from its opening to its end."""

    answers: Answers
    ws: WebSocketConnection
    sid: str
    grant: Grant | None = None
    """The token it registered with."""
    ready: bool = False
    _scope: trio.CancelScope = attrs.Factory(trio.CancelScope)
    _registered: trio.Event = attrs.Factory(trio.Event)
    _work: trio.Event = attrs.Factory(trio.Event)
    _leaving: trio.Event = attrs.Factory(trio.Event)
    _farewell: tuple[str | None, int] = (None, 1000)
    _welcomed: bool = False
    _mids: int = 0

    @property
    def desk(self) -> Desk | None:
        """The desk of the account that registered."""
        return None if self.grant is None else self.answers.desks.of(self.grant.account)

    def cut(self) -> None:
        """End at once, without a goodbye."""
        self._scope.cancel()

    def wake(self) -> None:
        """Look at the desk: something waits."""
        self._work.set()

    def leave(self, lwp: str | None, *, code: int = 1000) -> None:
        """Push a farewell, if any, and close."""
        self._farewell = (lwp, code)
        self._leaving.set()
        self._work.set()

    async def run(self) -> None:
        """Serve until either side ends it."""
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._push, name="simulator push")
                    await self._receive()
                    if not self._leaving.is_set():
                        nursery.cancel_scope.cancel()
        finally:
            if self.desk is not None:
                self.desk.hang_up(self)

    async def _receive(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                text = await self.ws.get_message()
                with contextlib.suppress(msgspec.DecodeError):
                    await self._heed(_DECODER.decode(text))

    async def _heed(self, request: Request) -> None:
        switches = None if self.desk is None else self.desk.switches
        if switches is not None and switches.muted:
            return
        if switches is not None and switches.slow:
            await trio.sleep(switches.slow)
        if request.lwp is None:
            if self.desk is not None and request.code == 200:
                self.desk.acknowledge(request.mid.partition(" ")[0])
            return
        answer = self._answer(request, request.lwp)
        if answer is None:
            return
        if request.lwp == SEND and self.answers.desks.settings.echo == "before":
            await self._flush()
        await self._reply(request, answer)

    async def _reply(self, request: Request, answer: Answer) -> None:
        headers = {"mid": request.mid, "dt": "j", "sid": self.sid}
        if request.lwp == "/reg" and answer.code == 200 and self.grant is not None:
            headers |= self._about_registration(self.grant)
        fields: dict[str, Any] = {"headers": headers, "code": answer.code}
        if answer.body is not None:
            fields["body"] = answer.body
        await self.ws.send_message(payloads.text_of(fields))

    def _about_registration(self, grant: Grant) -> dict[str, str]:
        return {
            "ip-digest": "0" * 32,
            "reg-sid": self.sid,
            "ip-region-digest": "0" * 32,
            "reg-uid": f"{grant.account.user_id}@goofish",
            "real-ip": "111.11.111.111",
        }

    def _answer(self, request: Request, lwp: str) -> Answer | None:
        """Return the answer, None when it is lost."""
        if lwp == "/reg":
            return self._register(request)
        if self.grant is not None and not self._in_force():
            return Answer(401, NOT_FOUND)
        if lwp == "/!":
            return Answer()
        if self.desk is None or not self.ready:
            return BAD
        answer = self.answers.to(self.desk.account, lwp, request.body)
        lost = lwp == SEND and self.desk.switches.happens("lose_answers")
        return None if lost else answer

    def _register(self, request: Request) -> Answer | None:
        headers = request.headers
        grant = self.answers.world.granted(str(headers.get("token")))
        if grant is None:
            return Answer(401, NOT_FOUND)
        if (headers.get("did"), headers.get("app-key")) != (grant.device, payloads.APP_KEY):
            return Answer(401, NOT_EQUAL)
        desk = self.answers.desks.of(grant.account)
        if desk.switches.muted:
            return None
        if desk.switches.happens("limit_connections"):
            return _TAKEN
        if desk.switches.happens("refuse_token"):
            return _INVALID
        return self._let_in(desk, grant)

    def _let_in(self, desk: Desk, grant: Grant) -> Answer:
        if desk.line is not None and desk.line is not self:
            desk.line.leave("/push/kickout")
        if self.desk is not None:
            self.desk.hang_up(self)
        self.grant = grant
        desk.take_over(self)
        desk.account.connects.append(trio.current_time())
        self._registered.set()
        now = self.answers.world.now_ms()
        return Answer(200, {"unitName": "PNM", "cookie": "", "timestamp": now, "isFromChina": True})

    def _in_force(self) -> bool:
        return self.grant is not None and (
            self.answers.world.granted(self.grant.token) is self.grant
        )

    async def _push(self) -> None:
        """Push what waits, from readiness on, until there is a reason to leave."""
        await self._registered.wait()
        with trio.move_on_after(self.answers.desks.settings.ready_after):
            await self._leaving.wait()
        self.ready = True
        with contextlib.suppress(ConnectionClosed):
            while not self._leaving.is_set():
                await self._flush()
                await self._wait_work()
            await self._part()

    async def _wait_work(self) -> None:
        due = math.inf if self.desk is None or not self._may_push() else self.desk.next_due()
        with trio.move_on_at(due):
            await self._work.wait()
        self._work = trio.Event()

    def _may_push(self) -> bool:
        desk = self.desk
        if desk is None or desk.line is not self or desk.switches.muted:
            return False
        return self._in_force()

    async def _flush(self) -> None:
        desk = self.desk
        if desk is None or not self._may_push():
            return
        if desk.switches.slow:
            await trio.sleep(desk.switches.slow)
        if not self._welcomed:
            await self._welcome(desk)
        now = self.answers.world.now_ms()
        if desk.owes_notice and self._may_push():
            await self._out(desk, desk.notice(self._mid(), self.sid, now))
        while self._may_push() and (again := desk.due_again()) is not None:
            await self._out(desk, again)
        while desk.scraps and self._may_push():
            await self.ws.send_message(desk.scraps.popleft())
        while desk.fleeting and self._may_push():
            await self._out(desk, self._frame(desk, PARA, [desk.fleeting.popleft()]))
        while desk.waiting and self._may_push() and not desk.holds_back():
            now = self.answers.world.now_ms()
            await self._out(desk, desk.bundled(self._mid(), self.sid, now))

    async def _welcome(self, desk: Desk) -> None:
        """Push the quick phrases of the account's chats: the sign that requests may come."""
        self._welcomed = True
        if desk.switches.no_vulcan:
            return
        world, user = self.answers.world, desk.account.user_id
        newest = sorted(world.chats_of.get(user, []), key=lambda chat: -chat.changed_at)
        now = world.now_ms()
        entries = [payloads.arouse(chat, user, now) for chat in newest[:_AROUSED]]
        await self.ws.send_message(self._frame(desk, VULCAN, entries))

    async def _out(self, desk: Desk, text: str) -> None:
        if desk.switches.happens("lose_pushes"):
            return
        await self.ws.send_message(text)
        if desk.switches.happens("duplicate"):
            await self.ws.send_message(text)

    def _frame(self, desk: Desk, lwp: str, entries: list[payloads.Entry]) -> str:
        headers = payloads.push_headers(self._mid(), self.sid)
        return payloads.frame(lwp, headers, entries, self.answers.world.now_ms(), desk.too_long)

    def _mid(self) -> str:
        self._mids += 1
        return f"{self.sid[:4]}{self._mids:04x} 0"

    async def _part(self) -> None:
        """Say goodbye; a muted line stays as it is, for nothing gets through."""
        if self.desk is not None and self.desk.switches.muted:
            return
        lwp, code = self._farewell
        with trio.move_on_after(_GOODBYE_WITHIN):
            if lwp is not None:
                headers = payloads.push_headers(self._mid(), self.sid)
                frame = {"headers": headers, "lwp": lwp, "body": {}}
                await self.ws.send_message(payloads.text_of(frame))
            await self.ws.aclose(code)
        self.cut()
