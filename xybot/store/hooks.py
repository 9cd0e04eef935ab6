"""How far each hook has been told of events."""

from __future__ import annotations

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from xybot.store.database import Database
from xybot.store.schema import hooks


@attrs.frozen(kw_only=True)
class Progress:
    """Where a hook stands."""

    cursor: int
    """The id of the last event that is done with."""
    tries: int = 0
    """How often the next one was tried in vain."""
    next_at: int = 0
    """When it is tried again (ms)."""
    trouble: str | None = None
    """What the last try ended with."""


def progress(db: Database, name: str, *, newest: int) -> Progress:
    """Return where a hook stands; a new one begins with what happens after `newest`."""
    row = db.execute(sa.select(hooks).where(hooks.c.name == name)).one_or_none()
    if row is None:
        begun = Progress(cursor=newest)
        keep(db, name, begun)
        return begun
    return _progress(row)


def keep(db: Database, name: str, at: Progress) -> None:
    """Note where a hook stands."""
    values = attrs.asdict(at)
    statement = insert(hooks).values(name=name, **values)
    db.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


def all_of(db: Database) -> dict[str, Progress]:
    """Return where every hook stands, by name."""
    return {row.name: _progress(row) for row in db.execute(sa.select(hooks))}


def _progress(row: sa.Row[tuple[object, ...]]) -> Progress:
    return Progress(cursor=row.cursor, tries=row.tries, next_at=row.next_at, trouble=row.trouble)
