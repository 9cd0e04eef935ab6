"""Store, then acknowledge, then dispatch: the way in.

Frames that have already arrived are stored in one transaction, and each is acknowledged
only after its commit; so what the platform was told we have, we have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs
import trio

from xybot.accounts import arrivals
from xybot.accounts.chat import Chats, Patience
from xybot.accounts.echoes import Echoes
from xybot.events import ChatPaused, EventFeed, MessageReceived, Quarantined
from xybot.model import AccountId, ChatId, Message, UserId
from xybot.store import chats as taken
from xybot.store import inbox
from xybot.store.database import Store
from xybot.store.inbox import Arrival
from xybot.wire import frames
from xybot.wire.frames import Frame
from xybot.xianyu.connection import Connection, Push

_MOST_AT_ONCE: Final = 256


@attrs.frozen(kw_only=True)
class News:
    """What a push means to the chats."""

    messages: tuple[Message, ...] = ()
    """People's lines, new and open, in their order."""
    taken_over: Mapping[ChatId, int] = attrs.Factory(dict)
    """Chats that the seller answers by hand, until when (ms)."""

    def hand_to(self, chats: Chats) -> None:
        """Hand everything to the chats it concerns."""
        for chat, until in self.taken_over.items():
            chats.stand_down(chat, until)
        for message in self.messages:
            chats.put(message)


@attrs.frozen(kw_only=True)
class Receiver:
    """The way in of one account; outlives its connections."""

    account: AccountId
    user: UserId
    store: Store
    feed: EventFeed
    patience: Callable[[], Patience]
    echoes: Echoes
    now_ms: Callable[[], int]

    async def serve(self, line: Connection, chats: Chats, proven: Callable[[], None]) -> None:
        """Take in whatever a connection brings, until it ends.

        Args:
          line: the connection.
          chats: get what is new, once it is stored and acknowledged.
          proven: called when something new came: this line works.
        """
        async for first in line.pushes:
            pushes = [first, *_arrived(line.pushes)]
            news = await self.take_in(pushes)
            try:
                for push in pushes:
                    if isinstance(push, Frame):
                        await line.send(frames.acknowledgement(push))
            finally:
                # Also when the line is gone: what is stored comes again, but not as news.
                news.hand_to(chats)
            if news.messages:
                proven()

    async def take_in(self, pushes: Sequence[Push]) -> News:
        """Store pushes, and return what of them is news to the chats."""
        found = [
            arrival for push in pushes for arrival in arrivals.of_push(push, self.user, self.echoes)
        ]
        if not found:
            return News()
        now, pause = self.now_ms(), round(1000 * self.patience().manual_pause)
        intake = await self.store.transact(taken.take_in, self.account, found, pause=pause, now=now)
        for chat, until in intake.taken_over.items():
            self.feed.publish(ChatPaused(account=self.account, chat=chat, until=until))
        keys, messages = set(intake.fresh), []
        for arrival in found:
            if arrival.key in keys:
                keys.remove(arrival.key)  # A frame may carry an entry twice.
                self._tell(arrival)
                if arrival.outcome is None and arrival.chat not in intake.taken_over:
                    messages.append(inbox.message(arrival, now))
        return News(messages=tuple(messages), taken_over=intake.taken_over)

    def _tell(self, arrival: Arrival) -> None:
        if arrival.outcome is None and arrival.chat is not None:
            self.feed.publish(
                MessageReceived(
                    account=self.account,
                    chat=arrival.chat,
                    message=arrival.key,
                    sender_name=arrival.sender_name or "",
                    text=arrival.text or f"[{arrival.kind}]",
                )
            )
        elif arrival.outcome and arrival.outcome.startswith("undecodable"):
            self.feed.publish(Quarantined(account=self.account, reason=arrival.outcome))


def _arrived(pushes: trio.MemoryReceiveChannel[Push]) -> list[Push]:
    """Return what waits already, without waiting."""
    arrived: list[Push] = []
    while len(arrived) < _MOST_AT_ONCE:
        try:
            arrived.append(pushes.receive_nowait())
        except (trio.WouldBlock, trio.EndOfChannel):
            break
    return arrived
