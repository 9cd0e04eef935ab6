"""What happened, in the order in which it was stored; for whoever was not there to hear it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs
import msgspec
import sqlalchemy as sa

from xybot.model import AccountId
from xybot.store.database import Database
from xybot.store.prepared import Prepared, parameters
from xybot.store.schema import events

_PRUNED_AT_ONCE: Final = 5000


@attrs.frozen(kw_only=True)
class Happening:
    """An event on its way into the store."""

    account: AccountId
    name: str
    body: str
    """Its fields as a JSON object."""
    at: int
    """Milliseconds, by our own clock."""


@attrs.frozen(kw_only=True)
class Recorded:
    """An event of the store; later ones have higher ids."""

    id: int
    account: AccountId
    name: str
    body: str
    at: int

    @property
    def envelope(self) -> str:
        """The whole event as a JSON object, on one line."""
        account = msgspec.json.encode(self.account).decode()
        return (
            f'{{"id":{self.id},"type":"{self.name}","account":{account},'
            f'"at":{self.at},"data":{self.body}}}'
        )


_INSERT: Final = Prepared(sa.insert(events).values(parameters(events, "id")))
_AFTER: Final = Prepared(
    sa.select(events)
    .where(events.c.id > sa.bindparam("after"))
    .order_by(events.c.id)
    .limit(sa.bindparam("most"))
)
_OLD: Final = (
    sa.select(events.c.id)
    .where(events.c.at < sa.bindparam("until"))
    .order_by(events.c.id)
    .limit(_PRUNED_AT_ONCE)
)


def record(db: Database, happenings: Iterable[Happening]) -> int | None:
    """Store events; return the id of the last one, None when there was none."""
    last = None
    for each in happenings:
        row = {"account": each.account, "name": each.name, "body_json": each.body, "at": each.at}
        last = _INSERT.run(db, row)
    return last


def after(db: Database, id_: int, *, most: int) -> tuple[Recorded, ...]:
    """Return the events that were stored after one, the oldest first, at most so many."""
    return tuple(
        Recorded(id=row.id, account=row.account, name=row.name, body=row.body_json, at=row.at)
        for row in _AFTER.rows(db, {"after": id_, "most": most})
    )


def ends(db: Database) -> tuple[int, int]:
    """Return the id of the oldest event that is kept, and of the newest that ever was.

    The first is one more than the second when none is kept.
    """
    last = db.scalar(sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'events'")) or 0
    first = db.scalar(sa.select(sa.func.min(events.c.id)))
    return (last + 1 if first is None else first), last


def prune(db: Database, *, until: int) -> bool:
    """Forget some of the events from before then (ms); tell whether there may be more."""
    old = db.execute(_OLD, {"until": until}).scalars().all()
    if old:
        db.execute(sa.delete(events).where(events.c.id <= old[-1]))
    return len(old) == _PRUNED_AT_ONCE
