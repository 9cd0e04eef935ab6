"""Reasons not to answer, asked before any source."""

from __future__ import annotations

import attrs

from xybot.model import Pass, Turn


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
