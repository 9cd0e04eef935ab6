"""What is told of orders, in whatever order, and what becomes due by it."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.counter import ORDER, Counter, facts, trade
from tests.store.samples import CHAT, NOW, SHOP
from xybot.model import ChatId, OrderId, UserId
from xybot.store import due, giving, orders, schema
from xybot.store.database import Database, Store
from xybot.trade import ENDS, TOLD, OrderState

PLACED, PAID, HELD = OrderState.PLACED, OrderState.PAID, OrderState.HELD
CONFIRMED, COMPLETED, CLOSED = OrderState.CONFIRMED, OrderState.COMPLETED, OrderState.CLOSED


async def at_the_counter(store: Store, tale: Callable[[Counter], None]) -> None:
    await store.transact(lambda db: tale(Counter(db)))


async def test_a_paid_order_is_due_at_once_and_a_placed_one_is_not(store: Store) -> None:
    def tale(at: Counter) -> None:
        (step,) = at.told(PLACED)
        assert (step.old, step.new, at.due()) == (None, PLACED, [])
        (step,) = at.told(PAID)
        assert (step.old, step.new, at.due()) == (PLACED, PAID, [ORDER])
        assert at.order().paid_at == NOW

    await at_the_counter(store, tale)


async def test_what_our_account_buys_is_written_down_and_never_due(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.told(PAID, role="buyer")
        at.told(COMPLETED, role="buyer")
        at.now += 10**9
        assert (at.state, at.due()) == (COMPLETED, [])

    await at_the_counter(store, tale)


async def test_an_order_of_which_only_its_number_is_told_is_asked_about(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.told(None)
        assert (at.state, at.due()) == (PLACED, [ORDER])

    await at_the_counter(store, tale)


async def test_a_red_reminder_has_the_chats_order_asked_about(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.told(PLACED)
        at.told(PAID, order=None, source="reminder", role=None)
        assert (at.state, at.due()) == (PLACED, [ORDER])

    await at_the_counter(store, tale)


async def test_a_platform_that_contradicts_itself_on_who_sells_is_not_believed(
    store: Store,
) -> None:
    def tale(at: Counter) -> None:
        at.told(PAID)
        (step,) = at.told(PAID, role="buyer")
        assert (step.new, at.due()) == (HELD, [])
        assert giving.release(at.db, SHOP, ORDER, now=NOW) is None, "its seller may look, and say"
        (step,) = at.told(CLOSED, role="buyer")
        assert step.new is CLOSED, "but an end gives nothing to anybody"

    await at_the_counter(store, tale)


async def test_a_step_that_is_told_too_late_changes_nothing_and_is_in_the_story(
    store: Store,
) -> None:
    def tale(at: Counter) -> None:
        at.told(PAID)
        at.told(CLOSED)
        assert at.told(PAID) == ()
        assert (at.state, at.due()) == (CLOSED, [])
        assert at.story() == [
            ("paid", "paid", "card"),
            ("closed", "closed", "card"),
            ("paid", "closed", "card"),
        ]

    await at_the_counter(store, tale)


async def test_a_repeated_card_does_not_let_a_held_order_go_on(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.told(PAID)
        orders.hold(at.db, at.order(), "x", now=NOW)
        assert at.told(PAID) == ()
        assert (at.state, at.due()) == (HELD, [])

    await at_the_counter(store, tale)


async def test_what_the_order_api_tells_is_kept_and_followed(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.told(PLACED)
        told = facts(PAID, quantity=3, spec="颜色:白", title="耳机")
        (step,) = orders.checked(at.db, at.order(), told, now=NOW)
        found = at.order()
        assert (step.new, step.source) == (PAID, "api")
        assert (found.quantity, found.spec, found.title, found.amount) == (
            3,
            "颜色:白",
            "耳机",
            990,
        )

    await at_the_counter(store, tale)


async def test_what_was_begun_and_not_ended_is_due_again_and_in_the_end_held(
    store: Store,
) -> None:
    def tale(at: Counter) -> None:
        at.told(PAID)
        for _ in range(due.MOST_TRIES):
            assert at.due() == [ORDER]
            assert at.due() == [], "somebody is at it"
            at.now += 10**6
        assert at.due() == []
        assert at.state is HELD

    await at_the_counter(store, tale)


async def test_the_next_time_at_which_something_is_due_is_known(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.told(PAID)
        due.wait(at.db, at.order(), at=NOW + 7)
        assert due.take(at.db, SHOP, most=9, now=NOW).next_due == NOW + 7

    await at_the_counter(store, tale)


TALES = st.lists(st.sampled_from(sorted(TOLD, key=lambda each: each.value)), max_size=8)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=TALES, order=st.randoms(use_true_random=False))
def test_cards_in_any_order_and_twice_end_in_the_same_state(db: Database, told, order) -> None:
    told = [each for each in told if each not in ENDS - {OrderState.REFUNDED}]
    ends = set()
    for tale in (told, sorted(told, key=lambda _: order.random()), [*told, *told]):
        for table in (schema.orders, schema.order_steps):
            db.execute(sa.delete(table))
        at = Counter(db)
        at.told(PLACED)
        for state in tale:
            at.told(state)
        ends.add(at.state)
        db.commit()
    assert len(ends) == 1


@pytest.mark.parametrize("state", list(OrderState))
def test_what_is_over_stays_over(state: OrderState) -> None:
    later = orders.FOLLOWS[state] | orders.TAKES[state]
    if state in (OrderState.REFUNDED, OrderState.CLOSED):
        assert later <= {OrderState.REFUNDED}
    else:
        assert ENDS - {state} & later or state is COMPLETED


async def test_an_order_of_another_account_is_another_order(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.told(PAID)
        assert orders.find(at.db, "shop-b", ORDER) is None  # type: ignore[arg-type]
        assert orders.find(at.db, SHOP, OrderId("1")) is None
        assert at.order().chat == CHAT

    await at_the_counter(store, tale)


@pytest.mark.parametrize("at", [10**20, -(10**20), NOW + 10**12, 0, None])
async def test_a_date_that_cannot_be_keeps_nobody_waiting(store: Store, at: int | None) -> None:
    def tale(counter: Counter) -> None:
        counter.told(PLACED, at=at)
        counter.told(PAID, at=at)
        counter.told(PAID, OrderId("2503688126356636371"), at=at)
        assert counter.order().paid_at == NOW
        assert counter.order(OrderId("2503688126356636371")).paid_at == NOW

    await at_the_counter(store, tale)


async def test_the_chat_of_somebody_else_is_not_taken_for_that_of_an_order(store: Store) -> None:
    def tale(at: Counter) -> None:
        orders.told(at.db, SHOP, attrs.evolve(trade(PAID), chat=ChatId("")), now=NOW)
        at.told(PAID, buyer=UserId("999"))
        assert at.order().chat == ""
        at.told(PAID)
        assert at.order().chat == CHAT

    await at_the_counter(store, tale)
