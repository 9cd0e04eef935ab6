"""What a chat does with a turn: decide, then store the outcome, then ring the sender."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import attrs

from xybot.accounts.doorbell import Doorbell
from xybot.accounts.telling import handed_over, kept
from xybot.events import ChatLimited, EventFeed, ReplySkipped
from xybot.model import ChatId, Decision, Turn
from xybot.store import turns
from xybot.store.chats import FOREVER
from xybot.store.database import Store
from xybot.wire.ids import Ids

Decide: TypeAlias = Callable[[Turn, int], Awaitable[Decision]]
"""Decides what to say to a turn; the number is the platform's clock (ms)."""

_BY_HAND: Final = "卖家正在亲自回复 (the seller answers by hand)"
_THE_SELLERS: Final = "会话已交给卖家，直到交还 (the seller's, until given back)"


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
    paused: dict[ChatId, int] = attrs.Factory(dict)
    """Chats that are the seller's, and until when (ms); `Chats` has the same."""

    async def answer(self, turn: Turn) -> None:
        """Decide what to say to a turn, and store that with the reasons."""
        until = self.paused.get(turn.chat, 0)
        if until > self.now_ms():
            why = _THE_SELLERS if until == FOREVER else _BY_HAND
            decision = Decision(reply=None, passed=(("manual_pause", why),))
        else:
            decision = await self.decide(turn, self.now_ms())
        reply = decision.reply
        uuids = tuple(self.ids.uuid() for _ in reply.contents) if reply else ()
        if await self.store.insist(turns.answer, turn, decision, uuids, now=self.now_ms()):
            self._follow_up(turn, decision)

    async def give_up(self, turn: Turn, reason: str) -> None:
        """Close a turn whose answer broke; its seller can read why."""
        if await self.store.insist(turns.fail, turn, reason, now=self.now_ms()):
            self._tell_skipped(turn, reason)

    def _follow_up(self, turn: Turn, decision: Decision) -> None:
        """Say, or tell, what was stored."""
        if decision.stale:
            old = tuple(each for each in turn.messages if each.id in decision.stale)
            self._tell_skipped(attrs.evolve(turn, messages=old), turns.LATE)
        if decision.reply is None or not decision.reply.contents:
            self._tell_skipped(turn, decision.why)
        elif decision.mode == "send":
            self.bell.ring()
        else:
            self.feed.publish(kept(turn, decision.reply, decision))
        if decision.alarm:
            limited = ChatLimited(account=turn.account, chat=turn.chat, why=decision.why)
            self.feed.publish(limited)
        if decision.hands_over:
            self.paused[turn.chat] = FOREVER
            self.feed.publish(handed_over(turn, decision.why))

    def _tell_skipped(self, turn: Turn, why: str) -> None:
        self.feed.publish(
            ReplySkipped(account=turn.account, chat=turn.chat, text=turn.text, why=why)
        )
