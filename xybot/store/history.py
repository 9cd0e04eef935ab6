"""What came in and what became of it, for people to read."""

from __future__ import annotations

from typing import Final

import attrs
import sqlalchemy as sa

from xybot.model import AccountId, ChatId, MessageId
from xybot.store.codec import Kept, content_of, converter
from xybot.store.database import Database
from xybot.store.schema import inbox, outbox, turns


@attrs.frozen(kw_only=True)
class Explained:
    """One entry of the inbox, with its decision."""

    message: MessageId
    kind: str
    chat: ChatId | None
    sender_name: str | None
    content: Kept | None
    sent_at: int | None
    outcome: str | None
    """None: still open."""
    replies: tuple[Kept, ...]
    why: str
    """The source and what made it answer, or the reason of each that passed."""


_ENTRIES: Final = (
    sa.select(inbox, turns.c.source, turns.c.because, turns.c.passed_json)
    .outerjoin(turns, inbox.c.turn == turns.c.id)
    .where(inbox.c.account == sa.bindparam("of"))
    .order_by(inbox.c.seq)
)
_REPLIES: Final = (
    sa.select(outbox.c.turn, outbox.c.content_json)
    .where(outbox.c.account == sa.bindparam("of"))
    .order_by(outbox.c.seq)
)


def explained(db: Database, account: AccountId) -> tuple[Explained, ...]:
    """Return all entries of an account, the oldest first."""
    replies: dict[int, tuple[Kept, ...]] = {}
    for turn, content in db.execute(_REPLIES, {"of": account}):
        replies[turn] = (*replies.get(turn, ()), content_of(content))
    return tuple(_explained(row, replies) for row in db.execute(_ENTRIES, {"of": account}))


def _explained(row: sa.Row[tuple[object, ...]], replies: dict[int, tuple[Kept, ...]]) -> Explained:
    return Explained(
        message=row.message,
        kind=row.kind,
        chat=row.chat,
        sender_name=row.sender_name,
        content=content_of(row.content_json) if row.content_json else None,
        sent_at=row.sent_at,
        outcome=row.outcome,
        replies=replies.get(row.turn, ()),
        why=_why(row),
    )


def _why(row: sa.Row[tuple[object, ...]]) -> str:
    if row.source:
        return f"{row.source}: {row.because}"
    if row.passed_json:
        passed = converter.loads(row.passed_json.encode(), tuple[tuple[str, str], ...])
        return "; ".join(f"{source}: {reason}" for source, reason in passed)
    return row.outcome or ""
