"""What a chat does with a turn: decide, then store the outcome, then ring the sender."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

import attrs

from xybot.accounts.doorbell import Doorbell
from xybot.events import EventFeed, ReplySkipped
from xybot.model import ChatId, Decision, Turn
from xybot.store import turns
from xybot.store.database import Store
from xybot.wire.ids import Ids

Decide: TypeAlias = Callable[[Turn, int], Awaitable[Decision]]
"""Decides what to say to a turn; the number is the platform's clock (ms)."""

_BY_HAND: Final = "卖家正在亲自回复 (the seller answers by hand)"


@attrs.frozen(kw_only=True)
class Answerer:
    """Answers the turns of one account."""

    store: Store
    feed: EventFeed
    ids: Ids
    decide: Decide
    bell: Doorbell
    """Rung when there is something to say."""
    now_ms: Callable[[], int]
    """The platform's clock, by which lines grow old."""
    paused: Mapping[ChatId, int] = attrs.Factory(dict)
    """Chats that the seller took over, and until when (ms); `Chats` keeps it up to date."""

    async def answer(self, turn: Turn) -> None:
        """Decide what to say to a turn, and store that with the reasons."""
        if self.paused.get(turn.chat, 0) > self.now_ms():
            decision = Decision(reply=None, passed=(("manual_pause", _BY_HAND),))
        else:
            decision = await self.decide(turn, self.now_ms())
        reply = decision.reply
        uuids = tuple(self.ids.uuid() for _ in reply.contents) if reply else ()
        stored = await self.store.insist(turns.answer, turn, decision, uuids, now=self.now_ms())
        if uuids and stored:
            self.bell.ring()
        elif stored:
            self._tell_skipped(turn, decision.why)

    async def give_up(self, turn: Turn, reason: str) -> None:
        """Close a turn whose answer broke; its seller can read why."""
        if await self.store.insist(turns.fail, turn, reason, now=self.now_ms()):
            self._tell_skipped(turn, reason)

    def _tell_skipped(self, turn: Turn, why: str) -> None:
        self.feed.publish(
            ReplySkipped(account=turn.account, chat=turn.chat, text=turn.text, why=why)
        )
