"""Chats that the seller has taken over, and until when; and how a message does that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from xybot.model import AccountId, ChatId, MessageId
from xybot.store import inbox, outbox
from xybot.store.database import Database
from xybot.store.inbox import Arrival
from xybot.store.schema import pauses


@attrs.frozen(kw_only=True)
class Intake:
    """What became of arrivals."""

    fresh: frozenset[MessageId]
    """The keys of those not seen before."""
    taken_over: Mapping[ChatId, int]
    """Chats in which the seller wrote by hand, and until when they are paused (ms)."""


def take_in(
    db: Database, account: AccountId, arrivals: Sequence[Arrival], *, pause: int, now: int
) -> Intake:
    """Store arrivals; a line that the seller wrote by hand pauses its chat.

    Args:
      db: the database.
      account: whose they are.
      arrivals: what came, in its order.
      pause: milliseconds from such a line on; 0 pauses nothing.
      now: milliseconds.
    """
    fresh = inbox.insert_new(db, account, arrivals, now=now)
    taken_over: dict[ChatId, int] = {}
    for arrival in arrivals:
        if pause and arrival.kind == "own" and arrival.key in fresh:
            until = (arrival.sent_at or now) + pause
            if until > now and arrival.chat and _by_hand(db, account, arrival.chat, arrival):
                taken_over[arrival.chat] = until
    for chat, until in taken_over.items():
        _pause(db, account, chat, until)
        inbox.close_chat(db, account, chat, "skipped: 卖家已亲自回复 (the seller answered by hand)")
    return Intake(fresh=fresh, taken_over=taken_over)


def _by_hand(db: Database, account: AccountId, chat: ChatId, own: Arrival) -> bool:
    content = own.content
    return content is None or not outbox.is_ours(db, account, chat, own.key, content)


def _pause(db: Database, account: AccountId, chat: ChatId, until: int) -> None:
    values = {"reason": "by hand", "until": until}
    statement = insert(pauses).values(account=account, chat=chat, **values)
    db.execute(statement.on_conflict_do_update(index_elements=["account", "chat"], set_=values))


def paused(db: Database, account: AccountId, *, now: int) -> dict[ChatId, int]:
    """Return the chats that are paused, and until when (ms); past pauses are forgotten."""
    db.execute(sa.delete(pauses).where(pauses.c.account == account, pauses.c.until <= now))
    rows = db.execute(sa.select(pauses).where(pauses.c.account == account))
    return {row.chat: row.until for row in rows}
