"""What a chat does with a turn: decide, then store the outcome, then ring the sender."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Set
from typing import Final, TypeAlias

import attrs

from xybot.chronicle import Chronicle
from xybot.doorbell import Doorbell
from xybot.model import ChatId, Decision, MessageId, Turn
from xybot.store import inbox, turns
from xybot.store.chats import FOREVER
from xybot.telling import decided, skipped
from xybot.wire.ids import Ids

Decide: TypeAlias = Callable[[Turn, int], Awaitable[Decision]]
"""Decides what to say to a turn; the number is the platform's clock (ms)."""

_BY_HAND: Final = "卖家正在亲自回复 (the seller answers by hand)"
_THE_SELLERS: Final = "会话已交给卖家，直到交还 (the seller's, until given back)"


@attrs.frozen(kw_only=True)
class Answerer:
    """Answers the turns of one account."""

    chronicle: Chronicle
    ids: Ids
    decide: Decide
    bell: Doorbell
    """Rung when there is something to say."""
    now_ms: Callable[[], int]
    """The platform's clock, by which lines grow old."""
    paused: dict[ChatId, int] = attrs.Factory(dict)
    """Chats that are the seller's, and until when (ms); `Chats` has the same."""

    async def answer(self, turn: Turn) -> Set[MessageId]:
        """Decide what to say to a turn, and store that with the reasons.

        Returns:
          The lines that need no answer any more: all, unless somebody else was quicker with some.
        """
        until = self.paused.get(turn.chat, 0)
        if until > self.now_ms():
            why = _THE_SELLERS if until == FOREVER else _BY_HAND
            decision = Decision(reply=None, passed=(("manual_pause", why),))
        else:
            decision = await self.decide(turn, self.now_ms())
        reply = decision.reply
        uuids = tuple(self.ids.uuid() for _ in reply.contents) if reply else ()
        stored = await self.chronicle.insist(
            lambda stored: decided(turn, decision) if stored else (),
            turns.answer,
            turn,
            decision,
            uuids,
            now=self.now_ms(),
        )
        lines = frozenset(message.id for message in turn.messages)
        if not stored:
            return await self.chronicle.store.insist(inbox.closed, turn.account, lines)
        if uuids and decision.mode == "send":
            self.bell.ring()
        if decision.hands_over:
            self.paused[turn.chat] = FOREVER
        return lines

    async def give_up(self, turn: Turn, reason: str) -> None:
        """Close a turn whose answer broke; its seller can read why."""
        await self.chronicle.insist(
            lambda stored: (skipped(turn, "failed", reason),) if stored else (),
            turns.fail,
            turn,
            reason,
            now=self.now_ms(),
        )
