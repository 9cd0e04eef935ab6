"""Replies that wait for their seller's approval: draft → queued | dropped."""

from __future__ import annotations

from typing import Final

import attrs
import sqlalchemy as sa

from xybot.model import AccountId, Outgoing
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

    account: AccountId
    outgoing: Outgoing
    held: str
    """Why it was not sent at once."""
    since: int
    """When it was decided on (ms)."""


def waiting(db: Database, account: AccountId | None = None) -> tuple[Draft, ...]:
    """Return the drafts of an account, or of all, the oldest first."""
    query = sa.select(outbox).where(DRAFTS).order_by(outbox.c.account, outbox.c.seq)
    if account is not None:
        query = query.where(outbox.c.account == account)
    return tuple(_draft(row) for row in db.execute(query))


def approve(db: Database, account: AccountId, uuid: str, *, now: int) -> bool:
    """Let a draft be said; False when it is none any more."""
    return db.execute(_APPROVE, {"of": account, "id": uuid, "now": now}).rowcount > 0


def reject(db: Database, account: AccountId, uuid: str, *, now: int) -> bool:
    """Have a draft never said; False when it is none any more."""
    return db.execute(_REJECT, {"of": account, "id": uuid, "now": now}).rowcount > 0


def _draft(row: sa.Row[tuple[object, ...]]) -> Draft:
    return Draft(
        account=row.account,
        outgoing=outgoing_of(row),
        held=row.reason or "",
        since=row.queued_at,
    )
