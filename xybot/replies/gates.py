"""Reasons not to answer, asked before any source.

Whether a chat is its seller's is asked by `xybot.accounts.answer`, and lines of groups and of
the platform never become turns.  That the seller is writing at this moment cannot be asked:
the platform tells of the typing of buyers only (`xybot.wire.pushes.Typing`); what the seller
has sent takes the chat over, even from a reply that waits to be said.
"""

from __future__ import annotations

from typing import Final, Protocol

import attrs

from xybot.config import Replies
from xybot.model import Pass, Turn
from xybot.store import limits
from xybot.store.database import Store


@attrs.frozen
class Stop:
    """A turn is not answered, and why."""

    gate: str
    """The name of its setting."""
    reason: str
    alarm: bool = False
    """Whether the seller is to be told, beside the reason that is stored."""


class Gate(Protocol):
    """One reason not to answer."""

    async def check(self, turn: Turn, now: int) -> Stop | None:
        """Return why a turn is not answered; None lets it through.  `now` is in ms."""


def fresh(turn: Turn, now: int, expiry: float) -> Turn | Pass:
    """Return the part of a turn that is not too old to answer.

    Args:
      turn: what the buyer said.
      now: the platform's clock (ms).
      expiry: seconds after which a line is the seller's to answer, not ours.
    """
    oldest = now - expiry * 1000
    messages = tuple(message for message in turn.messages if message.sent_at >= oldest)
    if not messages:
        age = round((now - turn.last.sent_at) / 60_000)
        return Pass(f"消息已过期，{age} 分钟前发出，请您亲自回复 (too late, sent {age} min ago)")
    return attrs.evolve(turn, messages=messages)


@attrs.frozen
class Blacklist:
    """Buyers who are never answered, by their ids or their names."""

    who: frozenset[str]

    async def check(self, turn: Turn, _now: int) -> Stop | None:
        """Stop a turn with a line of somebody on the list."""
        for message in turn.messages:
            if not self.who.isdisjoint({message.sender, _folded(message.sender_name)}):
                reason = f"买家 {message.sender} 在黑名单里 (the buyer is on the blacklist)"
                return Stop("blacklist", reason)
        return None


@attrs.frozen(kw_only=True)
class Limits:
    """So many replies and no more: two bots that answer each other fall silent."""

    store: Store
    in_chat: int
    """Within an hour; 0 is no limit."""
    to_buyer: int
    """Within a day; 0 is no limit."""

    async def check(self, turn: Turn, now: int) -> Stop | None:
        """Stop a turn when enough was said; the seller is told at the first one of a time."""
        lately = await self.store.transact(limits.lately, turn, now=now)
        for gate, said, most, within in (
            ("chat_limit", lately.in_chat, self.in_chat, limits.HOUR),
            ("buyer_limit", lately.to_buyer, self.to_buyer, limits.DAY),
        ):
            if most and said >= most:
                told = await self.store.transact(
                    limits.was_stopped, turn.account, turn.chat, gate, since=now - within
                )
                return Stop(gate, _TOO_MANY[gate].format(said=said), alarm=not told)
        return None


_TOO_MANY: Final = {
    "chat_limit": "这个会话一小时内已回复 {said} 条，到了上限，像是两个机器人在对话 "
    "({said} replies in this chat within an hour are enough: two bots?)",
    "buyer_limit": "一天内已回复这位买家 {said} 条，到了上限 "
    "({said} replies to this buyer within a day are enough)",
}


def gates(settings: Replies, store: Store) -> tuple[Gate, ...]:
    """Build the gates that the settings ask for, the cheapest first."""
    built: list[Gate] = []
    if who := frozenset(_folded(each) for each in settings.blacklist):
        built.append(Blacklist(who))
    if settings.chat_limit or settings.buyer_limit:
        built.append(
            Limits(store=store, in_chat=settings.chat_limit, to_buyer=settings.buyer_limit)
        )
    return tuple(built)


def _folded(name: str) -> str:
    return name.strip().casefold()
