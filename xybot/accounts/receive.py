"""Store, then hand over, then acknowledge: the way in.

Frames that have already arrived are stored in one transaction, and each is acknowledged
only after its commit; so what the platform was told we have, we have.  While the store
cannot be written nothing is acknowledged, and nothing more is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import attrs
import trio

from xybot.accounts import arrivals
from xybot.accounts.arrivals import POINTER
from xybot.accounts.chats import Chats
from xybot.accounts.shared import Shared
from xybot.model import ChatId, Message, MessageId
from xybot.store import chats as taken
from xybot.store import inbox
from xybot.store.chats import ByHand, Intake, Moment
from xybot.store.gaps import Gap
from xybot.store.inbox import Arrival
from xybot.telling import taken_in
from xybot.wire import frames, history
from xybot.wire.frames import Frame
from xybot.wire.history import Line
from xybot.xianyu.connection import Connection, Push

_MOST_AT_ONCE: Final = 32


@attrs.frozen(kw_only=True)
class News:
    """What arrivals mean to the chats."""

    messages: tuple[Message, ...] = ()
    """People's lines, new and open, in their order."""
    paused: Mapping[ChatId, int] = attrs.Factory(dict)
    """Chats that the seller took over, and until when (ms); 0: given back."""
    closed: Mapping[ChatId, set[MessageId]] = attrs.Factory(dict)
    """Lines that need no answer any more."""

    def hand_to(self, chats: Chats) -> None:
        """Hand everything to the chats it concerns."""
        for chat, until in self.paused.items():
            chats.pause(chat, until)
        for chat, lines in self.closed.items():
            chats.drop(chat, lines)
        for message in self.messages:
            chats.put(message)


@attrs.define(eq=False)
class Receiver:
    """The way in of one account; outlives its connections."""

    shared: Shared
    gap: Gap | None = None
    """The time before the present connection, if there is to be a report on it."""

    async def serve(self, line: Connection, chats: Chats, proven: Callable[[], None]) -> None:
        """Take in whatever a connection brings, until it ends.

        Args:
          line: the connection.
          chats: get what is new, once it is stored.
          proven: called when something new came: this line works.
        """
        async for first in line.pushes:
            pushes = [first, *_arrived(line.pushes)]
            news = await self.take_in(pushes)
            # At once: it will never be news again, and whoever reads the inbox finds it there.
            news.hand_to(chats)
            for push in pushes:
                if isinstance(push, Frame):
                    await line.send(frames.acknowledgement(push))
            self._follow_up(pushes)
            if news.messages:
                proven()

    def _follow_up(self, pushes: Sequence[Push]) -> None:
        if any(isinstance(push, Frame) and history.too_long(push) for push in pushes):
            self.shared.hints.too_long()

    async def take_in(self, pushes: Sequence[Push]) -> News:
        """Store pushes, and return what of them is news to the chats."""
        user, echoes = self.shared.user, self.shared.echoes
        found = [each for push in pushes for each in arrivals.of_push(push, user, echoes)]
        news = await self._take(found)
        pointed = (each.chat for each in found if each.kind == POINTER)
        self.shared.hints.look_into(chat for chat in pointed if chat)
        return news

    async def take_lines(self, chat: ChatId, lines: Sequence[Line]) -> News:
        """Store what the history of a chat tells, the oldest first; return what of it is news."""
        shared, keys = self.shared, [line.key for line in lines]
        new = await shared.store.insist(taken.unknown, shared.account, chat, keys)
        return await self._take([arrivals.of_line(line) for line in lines if line.key in new])

    async def _take(self, found: Sequence[Arrival]) -> News:
        if not found:
            return News()
        # Until it is stored it is not acknowledged, and the platform keeps it.
        means = partial(taken_in, self.shared.account, found)
        intake = await self.shared.chronicle.insist(means, taken.take_in, self._moment(), found)
        for outgoing, _ in intake.sent:
            self.shared.echoes.settled(outgoing.uuid)
        if intake.trades or intake.steps:
            self.shared.trades.ring()
        return News(
            messages=tuple(self._new(found, intake)), paused=intake.paused, closed=intake.closed
        )

    def _moment(self) -> Moment:
        shared, patience = self.shared, self.shared.patience()
        return Moment(
            account=shared.account,
            by_hand=ByHand(pause=round(1000 * patience.manual_pause), toggle=patience.toggle_word),
            now=shared.now_ms(),
            gap=self.gap,
        )

    def _new(self, found: Sequence[Arrival], intake: Intake) -> list[Message]:
        keys, messages = set(intake.fresh), []
        closed = set().union(*intake.closed.values())
        for arrival in found:
            if arrival.key not in keys:
                continue
            keys.remove(arrival.key)  # A frame may carry an entry twice.
            if arrival.outcome is None and arrival.key not in closed:
                messages.append(inbox.message(arrival, self.shared.now_ms()))
        return messages


def _arrived(pushes: trio.MemoryReceiveChannel[Push]) -> list[Push]:
    """Return what waits already, without waiting."""
    arrived: list[Push] = []
    while len(arrived) < _MOST_AT_ONCE:
        try:
            arrived.append(pushes.receive_nowait())
        except (trio.WouldBlock, trio.EndOfChannel):
            break
    return arrived
