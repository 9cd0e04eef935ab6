"""What a seller wishes for an order is done or refused in words, and tells where that took it."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import get_args

import pytest
import sqlalchemy as sa

from tests.store import selling
from tests.store.samples import NOW, OTHER, SHOP
from tests.store.selling import CODE, ORDER
from xybot.model import OrderId
from xybot.store import by_hand, due, sales, schema
from xybot.store.by_hand import Granted, Wish
from xybot.store.database import Database, Store
from xybot.trade import OrderState

WISHES = get_args(Wish)


async def grant(store: Store, wish: Wish, order: str = ORDER) -> Granted:
    names = (f"-{n}" for n in count())
    return await store.transact(
        by_hand.grant, SHOP, OrderId(order), wish, partial(next, names), now=NOW + 9
    )


def said(db: Database) -> list[tuple[str, str]]:
    """The messages of the order, with their state."""
    table = schema.outbox.c
    rows = db.execute(sa.select(table.content_json, table.state).order_by(table.seq))
    return [(content, state) for content, state in rows]


@pytest.mark.parametrize(
    ("wish", "new"), [("deliver", OrderState.PAID), ("confirm", OrderState.DELIVERED)]
)
async def test_a_held_order_goes_on_and_the_seller_is_named_as_the_source(
    store: Store, wish: Wish, new: OrderState
) -> None:
    await store.transact(selling.put, state=OrderState.HELD)
    granted = await grant(store, wish)
    assert granted.refused is None
    (step,) = granted.steps
    assert (step.old, step.new, step.source) == (OrderState.HELD, new, "seller")
    assert await store.transact(due.overdue, now=NOW + 9) == (SHOP,)


async def test_a_paid_order_is_looked_at_at_once_which_is_no_step(store: Store) -> None:
    await store.transact(selling.put, state=OrderState.PAID)
    assert await grant(store, "deliver") == Granted(None)
    assert await store.transact(due.overdue, now=NOW + 9) == (SHOP,)


async def test_the_same_is_queued_word_for_word_and_seen_by_whoever_looks_for_work(
    store: Store,
) -> None:
    await store.transact(selling.put, state=OrderState.CONFIRMED)
    await store.transact(selling.deliver)
    await store.transact(selling.give)
    assert await store.transact(due.overdue, now=NOW + 9) == ()
    assert await grant(store, "again") == Granted(None)
    (old, _), (new, state) = await store.transact(said)
    assert (new, state) == (old, "queued")
    assert CODE in new
    assert await store.transact(due.overdue, now=NOW + 9) == (SHOP,)


@pytest.mark.parametrize("wish", WISHES)
async def test_an_order_nobody_knows_is_refused(store: Store, wish: Wish) -> None:
    await store.transact(selling.put, account=OTHER)
    granted = await grant(store, wish)
    assert granted.refused
    assert granted.steps == ()


@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("state", [OrderState.CLOSED, OrderState.REFUNDED])
async def test_what_is_over_is_left_alone(store: Store, wish: Wish, state: OrderState) -> None:
    await store.transact(selling.put, state=state)
    await store.transact(selling.deliver)
    before = await store.transact(sales.story, SHOP, OrderId(ORDER))
    assert (await grant(store, wish)).refused
    assert await store.transact(sales.story, SHOP, OrderId(ORDER)) == before


async def test_what_was_given_is_never_given_anew(store: Store) -> None:
    await store.transact(selling.put, state=OrderState.HELD)
    await store.transact(selling.deliver, state="held")
    assert (await grant(store, "deliver")).refused
    assert len(await store.transact(said)) == 1
