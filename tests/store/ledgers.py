"""Books of codes in which everything that can happen to one has happened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa

from tests.store.samples import NOW, SHOP
from xybot.model import AccountId, OrderId
from xybot.store import codes, opening
from xybot.store.database import Database
from xybot.store.schema import deliveries, orders

DONE, OPEN, ENDED = OrderId("1001"), OrderId("1002"), OrderId("1003")
TEXTS = ("AAAA-1111", "BBBB-2222", "CCCC-3333", "DDDD-4444", "EEEE-5555", "FFFF-6666")


@contextmanager
def opened(path: Path | None = None) -> Iterator[Database]:
    """Open a database as the bot does, without an event loop."""
    engine = opening.engine(path, read_only=False)
    with closing(opening.opened(engine, path, read_only=False)) as db:
        yield db
    engine.dispose()


def add_order(db: Database, order: OrderId, lines: int, *, account: AccountId = SHOP) -> None:
    """Store an order and that `lines` messages were queued for it."""
    when = {"created_at": NOW, "changed_at": NOW}
    row = {"account": account, "order": order, "chat": "c1", "state": "delivering", **when}
    db.execute(sa.insert(orders), row)
    for line in range(lines):
        uuid = {"uuid": f"{order}/{line}", "queued_at": NOW}
        db.execute(
            sa.insert(deliveries), {"account": account, "order": order, "line": line, **uuid}
        )


def sell(db: Database) -> None:
    """Two codes sent, seen, confirmed; one reserved; one returned; one quarantined; one idle."""
    codes.import_(db, "steam", TEXTS, now=NOW)
    for order, n in ((DONE, 2), (OPEN, 1), (ENDED, 1)):
        add_order(db, order, n)
        got = codes.reserve(db, "steam", n, account=SHOP, order=order, now=NOW + 1)
        assert got is not None
        codes.assign(db, {code.id: line for line, code in enumerate(got)})
    codes.sent(db, SHOP, DONE, now=NOW + 2)
    codes.seen(db, SHOP, DONE, 1, now=NOW + 3)
    codes.confirmed(db, SHOP, DONE, now=NOW + 4)
    codes.give_back(db, SHOP, ENDED, [0], now=NOW + 5)
    assert codes.quarantine(db, 5, "失效了", now=NOW + 6) is None
