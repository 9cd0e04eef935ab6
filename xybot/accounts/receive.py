"""Store, then acknowledge, then dispatch: the way in.

Frames that have already arrived are stored in one transaction, and each is acknowledged
only after its commit; so what the platform was told we have, we have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import attrs
import trio

from xybot.accounts import arrivals
from xybot.events import EventFeed, MessageReceived, Quarantined
from xybot.model import AccountId, Message, UserId
from xybot.store import inbox
from xybot.store.database import Store
from xybot.store.inbox import Arrival
from xybot.wire import frames
from xybot.wire.frames import Frame
from xybot.xianyu.connection import Connection, Push

_MOST_AT_ONCE: Final = 256


@attrs.frozen(kw_only=True)
class Receiver:
    """The way in of one account; outlives its connections."""

    account: AccountId
    user: UserId
    store: Store
    feed: EventFeed
    now_ms: Callable[[], int]

    async def serve(
        self, line: Connection, take: Callable[[Message], None], proven: Callable[[], None]
    ) -> None:
        """Take in whatever a connection brings, until it ends.

        Args:
          line: the connection.
          take: gets each person's line that is new, once it is stored and acknowledged.
          proven: called when something new came: this line works.
        """
        async for first in line.pushes:
            pushes = [first, *_arrived(line.pushes)]
            fresh = await self.take_in(pushes)
            for push in pushes:
                if isinstance(push, Frame):
                    await line.send(frames.acknowledgement(push))
            for message in fresh:
                take(message)
            if fresh:
                proven()

    async def take_in(self, pushes: Sequence[Push]) -> list[Message]:
        """Store pushes and return the people's lines among them that are new, in order."""
        found = [arrival for push in pushes for arrival in arrivals.of_push(push, self.user)]
        if not found:
            return []
        now = self.now_ms()
        keys = set(await self.store.transact(inbox.insert_new, self.account, found, now=now))
        fresh: list[Message] = []
        for arrival in found:
            if arrival.key in keys:
                keys.remove(arrival.key)  # A frame may carry an entry twice.
                self._tell(arrival)
                if arrival.outcome is None:
                    fresh.append(inbox.message(arrival, now))
        return fresh

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
