"""What is to be done about orders, and when: taken on a lease, put off, or given up.

Whoever takes an order has a lease: if the process dies over it, it is due again, and after
`MOST_TRIES` its seller has to look.
"""

from __future__ import annotations

from typing import Final

import attrs
import sqlalchemy as sa

from xybot.model import AccountId
from xybot.store.database import Database
from xybot.store.orders import NAMED, By, Order, change, hold, now_of, order_of, write
from xybot.store.prepared import Prepared
from xybot.store.schema import DUE, UNSETTLED, orders, outbox
from xybot.trade import OrderState, Step

MOST_TRIES: Final = 12
"""How often something is tried until the seller has to look: about an hour."""
_LEASE: Final = 120_000
"""Milliseconds after which what was begun, and not ended, is begun anew."""
_GAVE_UP: Final = "试了多次都没成 (tried too often)"
_DUE: Final = Prepared(
    NAMED.where(orders.c.account == sa.bindparam("of"), DUE, sa.text("due_at <= :now"))
    .order_by(orders.c.due_at)
    .limit(sa.bindparam("most"))
)
_NEXT_DUE: Final = Prepared(
    sa.select(sa.func.min(orders.c.due_at).label("at")).where(
        orders.c.account == sa.bindparam("of"), DUE
    )
)
_LEASED: Final = Prepared(
    sa.update(orders)
    .where(orders.c.account == sa.bindparam("of"), orders.c.order == sa.bindparam("id"))
    .values(due_at=sa.bindparam("until"), tries=sa.bindparam("tried"))
)


@attrs.frozen
class Taken:
    """What is to be done now, and when to look again."""

    orders: tuple[Order, ...]
    given_up: tuple[Step, ...]
    next_due: int | None


def take(db: Database, account: AccountId, *, most: int, now: int) -> Taken:
    """Take what is due, on a lease; what was tried too often is held instead."""
    taken: list[Order] = []
    given_up: list[Step] = []
    for row in _DUE.rows(db, {"of": account, "now": now, "most": most}):
        order = order_of(row)
        if order.tries >= MOST_TRIES and order.state is not OrderState.HELD:
            given_up += hold(db, order, order.why or _GAVE_UP, now=now)
            continue
        tried = order.tries + 1
        _LEASED.run(db, {"of": account, "id": order.id, "until": now + _LEASE, "tried": tried})
        taken.append(attrs.evolve(order, tries=tried))
    (found,) = _NEXT_DUE.rows(db, {"of": account})
    return Taken(tuple(taken), tuple(given_up), found.at)


def overdue(db: Database, *, now: int) -> tuple[AccountId, ...]:
    """Return the accounts with something to do, or goods to send, that nobody has begun."""
    late = sa.select(orders.c.account).where(DUE, orders.c.due_at <= now)
    unsent = sa.select(outbox.c.account).where(
        UNSETTLED, outbox.c.state == "queued", outbox.c.urgent.is_(True)
    )
    return tuple(db.scalars(late.union(unsent)))


def postpone(db: Database, order: Order, why: str, *, at: int) -> None:
    """Try again at a later time (ms) what did not work, if it is still to be done."""
    if now_of(db, order).state is order.state:
        change(db, order, why=why, due_at=at)


def wait(db: Database, order: Order, *, at: int) -> None:
    """Do nothing before a time (ms); it is no failure."""
    if now_of(db, order).state is order.state:
        change(db, order, due_at=at, tries=0)


def done(db: Database, order: Order) -> None:
    """Do nothing more about an order before something is told of it."""
    if now_of(db, order).state is order.state:
        change(db, order, due_at=None, tries=0, why=None)


def rest(db: Database, order: Order, why: str, *, now: int) -> None:
    """Do nothing about an order, and write down why."""
    order = now_of(db, order)
    if order.why != why:
        write(db, (order.account, order.id), None, order.state, By("bot", why, now))
    change(db, order, due_at=None, why=why, tries=0)
