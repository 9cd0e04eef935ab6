"""The platform's list against our books: what follows is done, the rest has one thing to do."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.counter import ORDER, Counter, facts, gift, trade
from tests.store.samples import CHAT, NOW, OTHER, SHOP
from tests.store.test_orders import at_the_counter
from xybot.model import ChatId, MessageId, OrderId
from xybot.store import deliveries, differences, due, giving, orders, outbox, schema, todo
from xybot.store.database import Database, Store
from xybot.store.differences import Waiting
from xybot.store.outbox import Held, Refused, Sent
from xybot.store.todo import Action
from xybot.trade import OrderState, Step, Trade

PLACED, PAID, DELIVERING = OrderState.PLACED, OrderState.PAID, OrderState.DELIVERING
DELIVERED, CONFIRMED, HELD = OrderState.DELIVERED, OrderState.CONFIRMED, OrderState.HELD
REFUNDING, REFUNDED, COMPLETED = OrderState.REFUNDING, OrderState.REFUNDED, OrderState.COMPLETED
SECOND = OrderId("2503688126356636371")
HOUR = 3_600_000


def listed(state: OrderState | None = PAID, order: OrderId = ORDER, **more: object) -> Trade:
    told = trade(state, order, **({"source": "api", "at": NOW} | more))
    return attrs.evolve(told, chat=ChatId(""))


def compare(at: Counter, *waiting: Trade, complete: bool = True) -> tuple[Step, ...]:
    found = {each.order: each for each in waiting if each.order is not None}
    asked = Waiting(orders=found, complete=complete, began=at.now)
    return differences.compare(at.db, SHOP, asked, now=at.now)


def list_of(at: Counter) -> list[tuple[str, Action]]:
    return [(each.order, each.action) for each in todo.todo(at.db, SHOP)]


def does(at: Counter, action: Action) -> str | None:
    """Do what the list says; None: it is done."""
    match action:
        case "deliver":
            return giving.release(at.db, SHOP, ORDER, now=at.now)
        case "confirm":
            return giving.confirm_only(at.db, SHOP, ORDER, now=at.now)
        case "again":
            return giving.again(at.db, SHOP, ORDER, at.uuid, now=at.now)
        case "look":
            return "nothing that a command could do"


def sold_before(at: Counter) -> None:
    """An earlier order, so that it is known since when we are told of them."""
    at.told(PAID, SECOND)
    due.take(at.db, SHOP, most=9, now=at.now)
    at.stock("Z")
    at.give(order=SECOND)
    at.sends()
    orders.shipped(at.db, at.order(SECOND), now=at.now)
    at.now += 4 * HOUR


async def test_an_unknown_order_is_taken_in_once_and_due(store: Store) -> None:
    def tale(at: Counter) -> None:
        sold_before(at)
        (step,) = compare(at, listed(at=at.now))
        assert (step.old, step.new, step.source) == (None, PAID, "api")
        assert compare(at, listed(at=at.now)) == ()
        assert at.due() == [ORDER]
        assert (at.order().role, at.order().chat) == ("seller", CHAT), "of its buyer's other order"

    await at_the_counter(store, tale)


@pytest.mark.parametrize("paid_at", [NOW - HOUR, None])
async def test_an_order_that_may_be_older_than_our_books_is_held(
    store: Store, paid_at: int | None
) -> None:
    def tale(at: Counter) -> None:
        sold_before(at)
        assert [each.new for each in compare(at, listed(at=paid_at))] == [PAID, HELD]
        assert at.due() == []
        assert list_of(at) == [(ORDER, "deliver")]

    await at_the_counter(store, tale)


async def test_on_the_first_day_without_any_order_nothing_is_given_by_the_list(
    store: Store,
) -> None:
    def tale(at: Counter) -> None:
        compare(at, listed())
        assert (at.state, at.due()) == (HELD, [])

    await at_the_counter(store, tale)


async def test_an_order_in_a_state_with_unknown_words_is_asked_about(store: Store) -> None:
    def tale(at: Counter) -> None:
        sold_before(at)
        compare(at, listed(None, at=at.now))
        assert (at.state, at.due()) == (PLACED, [ORDER])

    await at_the_counter(store, tale)


async def test_a_purchase_that_is_listed_as_sold_is_held_once(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.told(PAID, role="buyer")
        at.now += HOUR
        (step,) = compare(at, listed())
        assert step.new is HELD
        at.now += HOUR
        assert compare(at, listed()) == ()
        assert at.due() == []

    await at_the_counter(store, tale)


# Orders that we deliver, and the platform does not list.


@pytest.mark.parametrize("state", [PAID, DELIVERING])
async def test_what_should_wait_and_does_not_is_looked_at_again_after_an_hour(
    store: Store, state: OrderState
) -> None:
    def tale(at: Counter) -> None:
        at.stock("A")
        at.told(PAID)
        if state is DELIVERING:
            at.give()
        orders.change(at.db, at.order(), due_at=None)
        at.now += HOUR - 1
        compare(at)
        assert at.due() == []
        at.now += 2
        compare(at, complete=False)
        assert at.due() == [], "a part of the list tells nothing of the others"
        compare(at, listed())
        assert at.due() == []
        compare(at)
        assert at.due() == [ORDER]
        lease = at.order().due_at
        compare(at)
        assert at.order().due_at == lease, "somebody is at it"

    await at_the_counter(store, tale)


async def test_looking_at_an_order_on_its_way_leaves_it_on_its_way(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.stock("A")
        at.told(PAID)
        at.give()
        due.wait(at.db, at.order(), at=at.now)
        assert at.due() == [ORDER]
        assert orders.looked_at(at.db, at.order(), facts(PAID), now=at.now) == ()
        assert (at.state, at.order().due_at) == (DELIVERING, None)
        stale = at.order()
        at.sends()
        assert orders.looked_at(at.db, stale, facts(PAID), now=at.now) == ()
        assert (at.state, at.due()) == (DELIVERED, [ORDER]), "it is still to be confirmed"

    await at_the_counter(store, tale)


async def test_looking_at_an_order_whose_money_went_back_stops_it(store: Store) -> None:
    def tale(at: Counter) -> None:
        at.stock("A")
        at.told(PAID)
        at.give()
        orders.looked_at(at.db, at.order(), facts(REFUNDED), now=at.now)
        assert (at.state, at.counts(), at.sends()) == (REFUNDED, {"unused": 1}, [])

    await at_the_counter(store, tale)


# One thing to do.


def held(at: Counter) -> None:
    at.told(PAID)
    orders.hold(at.db, at.order(), "why", now=at.now)


def given_then(*settlements: Sent | Refused | Held) -> Callable[[Counter], None]:
    def begin(at: Counter) -> None:
        at.stock("A", "B")
        at.told(PAID)
        at.give(gift(len(settlements)))
        for settlement in settlements:
            (message,) = outbox.take_due(at.db, SHOP, frozenset(), most=1, now=at.now)
            giving.settle(at.db, SHOP, message, settlement, now=at.now)

    return begin


def not_to_be_confirmed(at: Counter) -> None:
    at.stock("A")
    at.told(PAID)
    at.give(gift(ship=False))
    at.sends()


def shipped_by_hand(at: Counter) -> None:
    at.told(PAID)
    at.told(CONFIRMED)


def resting(at: Counter) -> None:
    at.told(PAID)
    due.rest(at.db, at.order(), "a dry run", now=at.now)


def taken_back(at: Counter) -> None:
    at.stock("A")
    at.told(PAID)
    at.give()
    at.told(REFUNDING)


def failed_to_confirm(at: Counter) -> None:
    given_then(Sent(MessageId("1.PNM")))(at)
    orders.hold(at.db, at.order(), "the gateway failed", now=at.now)


@pytest.mark.parametrize(
    ("begin", "action"),
    [
        (held, "deliver"),
        (resting, "deliver"),
        (lambda at: (at.told(PAID), at.told(REFUNDING)), "deliver"),
        (given_then(Refused("no")), "again"),
        (given_then(Sent(MessageId("1.PNM")), Refused("no")), "again"),
        (given_then(Held("perhaps")), "look"),
        (given_then(Refused("no"), Held("perhaps")), "look"),
        (not_to_be_confirmed, "confirm"),
        (shipped_by_hand, "confirm"),
        (taken_back, "look"),
        (lambda at: at.told(REFUNDED), "look"),
        (lambda at: at.told(COMPLETED), "look"),
    ],
)
async def test_what_still_waits_has_one_thing_to_do_and_it_can_be_done(
    store: Store, begin: Callable[[Counter], object], action: Action
) -> None:
    def tale(at: Counter) -> None:
        begin(at)
        at.now += HOUR
        compare(at, listed())
        first, story = todo.todo(at.db), at.story()
        assert [(each.order, each.action) for each in first] == [(ORDER, action)]
        assert first[0].why
        compare(at, listed())
        assert (todo.todo(at.db), at.story()) == (first, story), "twice is once"
        assert todo.todo(at.db, OTHER) == ()
        if action != "look":
            assert does(at, action) is None
            assert list_of(at) == []

    await at_the_counter(store, tale)


async def test_what_is_with_its_buyer_is_confirmed_by_itself(store: Store) -> None:
    def tale(at: Counter) -> None:
        failed_to_confirm(at)
        at.now += HOUR
        (step,) = compare(at, listed())
        assert (step.old, step.new) == (HELD, DELIVERED)
        assert at.due() == [ORDER]
        orders.shipped(at.db, at.order(), now=at.now)
        assert at.state is CONFIRMED

    await at_the_counter(store, tale)


async def test_a_list_that_is_older_than_what_we_know_changes_nothing(store: Store) -> None:
    def tale(at: Counter) -> None:
        not_to_be_confirmed(at)
        at.now += 60_000
        compare(at, listed())
        assert list_of(at) == []

    await at_the_counter(store, tale)


async def test_what_the_platform_lists_no_more_is_no_difference(store: Store) -> None:
    def tale(at: Counter) -> None:
        not_to_be_confirmed(at)
        at.now += HOUR
        compare(at, listed())
        compare(at, complete=False)
        assert list_of(at) == [(ORDER, "confirm")]
        compare(at)
        assert list_of(at) == []

    await at_the_counter(store, tale)


# Whatever happens, in whatever order.

_EVENTS: dict[str, Callable[[Counter], object]] = {
    "told paid": lambda at: at.told(PAID),
    "told placed": lambda at: at.told(PLACED),
    "told shipped": lambda at: at.told(CONFIRMED),
    "told refunding": lambda at: at.told(REFUNDING),
    "told as bought": lambda at: at.told(PAID, role="buyer"),
    "listed": lambda at: compare(at, listed()),
    "listed as placed": lambda at: compare(at, listed(None)),
    "listed as knife": lambda at: compare(at, listed(None, knife=True)),
    "not listed": lambda at: compare(at),
    "given": lambda at: _has(at) and at.give(),
    "sent": lambda at: at.sends(),
    "refused": lambda at: at.sends(Refused("no")),
    "in doubt": lambda at: at.sends(Held("perhaps")),
    "shipped": lambda at: _has(at) and orders.shipped(at.db, at.order(), now=at.now),
    "looked at": lambda at: _has(at) and orders.looked_at(
        at.db, at.order(), facts(PAID), now=at.now
    ),
    "released": lambda at: does(at, "deliver"),
    "confirmed": lambda at: does(at, "confirm"),
    "again": lambda at: does(at, "again"),
    "later": lambda at: setattr(at, "now", at.now + HOUR),
}  # fmt: skip


def _has(at: Counter) -> bool:
    return orders.find(at.db, SHOP, ORDER) is not None


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(st.sampled_from(sorted(_EVENTS)), max_size=14))
def test_whatever_is_told_and_listed_an_order_never_has_two_codes(
    db: Database, events: list[str]
) -> None:
    for table in reversed(schema.metadata.sorted_tables):
        db.execute(sa.delete(table))
    at = Counter(db)
    at.stock("A", "B", "C")
    for event in events:
        _EVENTS[event](at)
        owned = db.scalar(
            sa.select(sa.func.count())
            .where(schema.codes.c.order == ORDER)
            .select_from(schema.codes)
        )
        assert owned in (0, 1)
        assert len(deliveries.lines(db, SHOP, ORDER)) <= 1
        assert len(list_of(at)) <= 1
