"""What the platform told of the items that buyers ask about, and when."""

from __future__ import annotations

from typing import Final

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from xybot.model import AccountId, Item, ItemId
from xybot.store.codec import converter
from xybot.store.database import Database
from xybot.store.schema import inbox, items


@attrs.frozen
class Known:
    """What was told of an item; `item` is None when the platform had none of this id."""

    item: Item | None
    fetched_at: int
    """When it was told (ms)."""


@attrs.frozen(kw_only=True)
class Listed:
    """An item that buyers asked about, or that was asked for; `known` None: it never was."""

    account: AccountId
    id: ItemId
    known: Known | None


_ASKED_ABOUT: Final = (
    sa.select(inbox.c.account, inbox.c.item).where(inbox.c.item.is_not(None)).distinct()
)


def known(db: Database, account: AccountId, item: ItemId) -> Known | None:
    """Return what is known of an item; None when it was never fetched."""
    query = sa.select(items).where(items.c.account == account, items.c.item == item)
    row = db.execute(query).one_or_none()
    return None if row is None else _known(row)


def keep(db: Database, account: AccountId, id_: ItemId, item: Item | None, *, now: int) -> None:
    """Keep what was told of an item in the place of what was known; None: there is no such."""
    told = None if item is None else converter.dumps(item).decode()
    values = {"facts_json": told, "fetched_at": now}
    statement = insert(items).values(account=account, item=id_, **values)
    db.execute(statement.on_conflict_do_update(index_elements=["account", "item"], set_=values))


def listed(db: Database, account: AccountId | None = None) -> tuple[Listed, ...]:
    """Return every item that there is a trace of, by account and id; of one account, or all."""
    found: dict[tuple[AccountId, ItemId], Known | None] = {
        (row.account, row.item): None for row in db.execute(_ASKED_ABOUT)
    }
    found |= {(row.account, row.item): _known(row) for row in db.execute(sa.select(items))}
    return tuple(
        Listed(account=of, id=id_, known=known)
        for (of, id_), known in sorted(found.items(), key=lambda each: each[0])
        if account in (None, of)
    )


def _known(row: sa.Row[tuple[object, ...]]) -> Known:
    told: str | None = row.facts_json
    item = None if told is None else converter.loads(told.encode(), Item)
    return Known(item, row.fetched_at)
