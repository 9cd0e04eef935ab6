"""The way out: settle what is uncertain, then say what is due.

Several messages are under way at once, but never two of one chat: a buyer reads them in
the order in which they were stored.  A message whose answer is lost stays `sending`; it is
settled by its echo, or else on the next connection by what the conversation tells, and
held for its seller when that leaves a doubt.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Set
from typing import Final, assert_never

import attrs
import trio

from xybot.accounts.chats import Chats
from xybot.accounts.past import PAUSES, Past
from xybot.accounts.pictures import Pictures
from xybot.accounts.receive import Receiver
from xybot.accounts.shared import Shared
from xybot.doorbell import Doorbell
from xybot.errors import Busy
from xybot.events import Event
from xybot.model import ChatId, Deliverable, MessageId, Outgoing
from xybot.store import giving, outbox, writing
from xybot.store.giving import Settled
from xybot.store.outbox import Held, NotSent, Refused, Sent, Settlement, Which
from xybot.telling import dropped, said, stepped
from xybot.wire import answers, requests
from xybot.wire.answers import Accepted, Declined, Later
from xybot.wire.history import Line
from xybot.wire.pushes import Own
from xybot.xianyu.connection import Connection

_UNDER_WAY: Final = 32
"""Messages of one account whose answer is awaited at the same time."""
_AFTERWARDS: Final = 10_000
"""Milliseconds by which a line that was said after another may seem to be before it."""
_LATE: Final = "等得太久，留给您 (waited too long to be said, for you)"
_ASKED_AGAIN: Final = 3
"""How many of the pauses a chat that has to be opened is worth: 400 may also mean never."""
_NO_CHAT: Final = "会话建不起来，请核对买家和商品编号 (no chat with this buyer about this item)"
_UNREADABLE: Final = "聊天记录读不到，请看一眼会话 (its chat cannot be read, please look)"
_BETWEEN: Final = (
    "发送时断线，之后您的账号在会话里说过别的话，请看一眼 "
    "(the line broke, and your account said something else since: please look)"
)


@attrs.define(eq=False)
class Sender:
    """The way out of one account; outlives its connections."""

    shared: Shared
    receiver: Receiver
    bell: Doorbell
    pictures: Pictures
    _busy: set[ChatId] = attrs.field(factory=set, init=False)
    _say_again_at: float = attrs.field(default=0, init=False)
    _next_due: int | None = attrs.field(default=None, init=False)
    """When the next of the messages that wait for their time may be said (ms)."""

    async def serve(
        self, line: Connection, past: Past, chats: Chats, proven: Callable[[], None]
    ) -> None:
        """Say whatever is due, for as long as the connection lasts."""
        self._busy.clear()
        await self._settle_uncertain(past, chats)
        await self._drop_late()
        async with trio.open_nursery() as nursery:
            while True:
                taken = await self._take()
                for outgoing in taken:
                    self._busy.add(outgoing.chat)
                    nursery.start_soon(self._say, line, outgoing, proven)
                if not (taken and self.shared.patience().send_pace):
                    await self._wait()

    async def _wait(self) -> None:
        """Wait until somebody rings, or the next message is due."""
        due, now = self._next_due, self.shared.now_ms()
        with trio.move_on_after(math.inf if due is None else max(due - now, 0) / 1000):
            await self.bell.wait()

    async def _take(self) -> tuple[Outgoing, ...]:
        """Return what may be said now; at a pace one by one, so that what is urgent overtakes."""
        self._next_due = None
        room = _UNDER_WAY - len(self._busy)
        if room <= 0:
            return ()
        pace = self.shared.patience().send_pace
        await trio.sleep_until(self._say_again_at)
        taken = await self.shared.store.transact(
            outbox.take,
            self.shared.account,
            frozenset(self._busy),
            most=1 if pace else room,
            now=self.shared.now_ms(),
        )
        self._next_due = taken.next_due
        if taken.messages:
            self._say_again_at = trio.current_time() + pace
        return taken.messages

    async def _say(self, line: Connection, outgoing: Outgoing, proven: Callable[[], None]) -> None:
        more = True
        if not outgoing.chat:
            more = await self._open_chat(line, outgoing)
        elif isinstance(content := await self.pictures.ready(outgoing), Refused):
            more = await self._settle(outgoing, content)
        else:
            with self.shared.echoes.awaiting(outgoing.uuid) as awaited:
                settlement = await self._until_settled(line, outgoing, content)
            if not awaited.cancelled_caught:
                more = await self._settle(outgoing, settlement)
            proven()
        self._busy.discard(outgoing.chat)
        if more:
            self.bell.ring()

    async def _open_chat(self, line: Connection, outgoing: Outgoing) -> bool:
        """Find out which chat a message is for; it is due again then.  Others wait: True."""
        shared = self.shared
        assert outgoing.item is not None
        request = requests.open_chat(outgoing.to, shared.user, outgoing.item)
        why: str | None = None
        for pause in (0.0, *PAUSES[:_ASKED_AGAIN]):
            await trio.sleep(pause)
            answer = await line.request(request)
            chat = answers.opened_chat(answer)
            if chat is not None:
                now = shared.now_ms()
                await shared.store.transact(
                    writing.placed, shared.account, outgoing.uuid, chat, now=now
                )
                return True
            why = answers.put_off(answer) or answers.refusal(answer)
            if answers.put_off(answer) is None:
                break
        return await self._settle(outgoing, Refused(f"{_NO_CHAT}: {why or 'no chat named'}"))

    async def _until_settled(
        self, line: Connection, outgoing: Outgoing, content: Deliverable
    ) -> Settlement:
        request = requests.send(
            outgoing.uuid, outgoing.chat, outgoing.to, self.shared.user, content
        )
        put_off = ""
        for pause in (0.0, *PAUSES):
            if pause:
                await trio.sleep(pause)
            answer = answers.of_send(await line.request(request))
            match answer:
                case Accepted(message):
                    return Sent(message)
                case Declined(reason):
                    return Refused(reason)
                case Later(reason):
                    put_off = reason
                case _:
                    assert_never(answer)
        return Refused(f"tried {len(PAUSES) + 1} times: {put_off}")

    async def _settle(self, outgoing: Outgoing, settlement: Settlement) -> bool:
        """Store what became of a message and tell it; return whether others wait."""
        if isinstance(settlement, Sent) and settlement.message:
            self.shared.echoes.expect(settlement.message)
        account = self.shared.account

        def means(settled: Settled) -> Iterator[Event]:
            # What is due again will be told when it is said; what an echo settled was told by it.
            if settled.message.changed and not isinstance(settlement, NotSent):
                yield said(account, outgoing, settlement)
            yield from stepped(account, settled.steps)

        settled = await self.shared.chronicle.transact(
            means, giving.settle, account, outgoing, settlement, now=self.shared.now_ms()
        )
        if settled.steps:
            self.shared.trades.ring()
        return settled.message.more

    async def _settle_uncertain(self, past: Past, chats: Chats) -> None:
        """Read back the conversation of every message whose answer was lost."""
        for outgoing in await self.shared.store.transact(outbox.uncertain, self.shared.account):
            await self._settle(outgoing, await self._looked_up(past, chats, outgoing))

    async def _looked_up(self, past: Past, chats: Chats, outgoing: Outgoing) -> Settlement:
        """Return what a conversation tells of a message; taking it in settles one that is there."""
        if not outgoing.chat:
            return NotSent()  # It is not said before its chat is known, and that is stored.
        tried_at = outgoing.sending_since or 0
        try:
            lines = await past.said(outgoing.chat, tried_at - outbox.EARLIEST_BEFORE)
        except Busy as exc:
            return Held(f"{_UNREADABLE}: {exc}")
        # A buyer may have said something since we caught up: it is news here, and never again.
        (await self.receiver.take_lines(outgoing.chat, lines)).hand_to(chats)
        ours = await self.shared.store.transact(outbox.told, self.shared.account, outgoing.chat)
        since = tried_at - _AFTERWARDS
        return (
            Held(_BETWEEN) if any(_is_strange(line, since, ours) for line in lines) else NotSent()
        )

    async def _drop_late(self) -> None:
        """Take back what nobody expects any more; a turn that old is not answered either."""
        shared, now = self.shared, self.shared.now_ms()
        which = Which(until=now - round(1000 * shared.patience().message_expiry))
        await shared.chronicle.transact(
            lambda late: [dropped(shared.account, each, _LATE) for each in late],
            outbox.drop,
            shared.account,
            which,
            _LATE,
            now=now,
        )


def _is_strange(line: Line, since: int, ours: Set[MessageId]) -> bool:
    """Tell what our account said since then that we did not say in these words."""
    at = line.push.facts.sent_at
    return isinstance(line.push, Own) and line.key not in ours and (at is None or at >= since)
