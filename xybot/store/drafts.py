"""Replies that wait for their seller's approval: draft → queued | dropped."""

from __future__ import annotations

from typing import Final

import attrs
import sqlalchemy as sa

from xybot.model import AccountId, Outgoing, Text
from xybot.store.codec import content_json
from xybot.store.database import Database
from xybot.store.outbox import outgoing_of
from xybot.store.schema import DRAFTS, outbox

REJECTED: Final = "卖家没有批准 (the seller did not approve)"

_ONE: Final = (
    outbox.c.account == sa.bindparam("of"),
    outbox.c.uuid == sa.bindparam("id"),
    outbox.c.state == "draft",
)
#: Its age begins anew: it waited for its seller, not because it could not be said.
_APPROVE: Final = (
    sa.update(outbox)
    .where(*_ONE)
    .values(state="queued", reason=None, queued_at=sa.bindparam("now"), due_at=None)
)
_REJECT: Final = (
    sa.update(outbox)
    .where(*_ONE)
    .values(state="dropped", reason=REJECTED, settled_at=sa.bindparam("now"))
)


@attrs.frozen(kw_only=True)
class Draft:
    """A message that waits for its seller."""

    seq: int
    """Its place among all: older ones come first."""
    account: AccountId
    outgoing: Outgoing
    held: str
    """Why it was not sent at once."""
    since: int
    """When it was decided on (ms)."""
    turn: int | None
    """Messages of one turn are one reply."""


def waiting(
    db: Database, account: AccountId | None = None, *, after: int = 0, most: int | None = None
) -> tuple[Draft, ...]:
    """Return the drafts of an account, or of all, the oldest first; those after one of them."""
    query = sa.select(outbox).where(DRAFTS, outbox.c.seq > after)
    if account is not None:
        query = query.where(outbox.c.account == account)
    query = query.order_by(outbox.c.seq).limit(most)
    return tuple(_draft(row) for row in db.execute(query))


def one(db: Database, account: AccountId, uuid: str) -> Draft | None:
    """Return a draft; None when it is none any more."""
    row = db.execute(sa.select(outbox).where(*_ONE), {"of": account, "id": uuid}).one_or_none()
    return None if row is None else _draft(row)


def approve(db: Database, account: AccountId, uuid: str, *, now: int) -> Draft | None:
    """Let a draft be said; None when it is none any more."""
    return _settled(db, _APPROVE, account, uuid, now)


def reject(db: Database, account: AccountId, uuid: str, *, now: int) -> Draft | None:
    """Have a draft never said; None when it is none any more."""
    return _settled(db, _REJECT, account, uuid, now)


def edit(db: Database, account: AccountId, uuid: str, words: str) -> Draft | None:
    """Change the words of a draft, which goes on waiting; None when it is none any more.

    Raises:
      TypeError: it is a picture.
    """
    draft = one(db, account, uuid)
    if draft is not None and not isinstance(draft.outgoing.content, Text):
        raise TypeError(uuid)
    values = {"content_json": content_json(Text(words))}
    row = db.execute(
        sa.update(outbox).where(*_ONE).values(values).returning(*outbox.c),
        {"of": account, "id": uuid},
    ).one_or_none()
    return None if row is None else _draft(row)


def _settled(
    db: Database, change: sa.Update, account: AccountId, uuid: str, now: int
) -> Draft | None:
    draft = one(db, account, uuid)
    if draft is not None:
        db.execute(change, {"of": account, "id": uuid, "now": now})
    return draft


def _draft(row: sa.Row[tuple[object, ...]]) -> Draft:
    return Draft(
        seq=row.seq,
        account=row.account,
        outgoing=outgoing_of(row),
        held=row.reason or "",
        since=row.queued_at,
        turn=row.turn,
    )
