"""Cards, duplicates, late updates and API answers in any order end in the same ledger."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.counter import ORDER, Counter, facts, gift
from xybot.store import ledger, orders, schema
from xybot.store.database import Database
from xybot.trade import OrderState

PLACED, PAID, CONFIRMED = OrderState.PLACED, OrderState.PAID, OrderState.CONFIRMED
COMPLETED, DELIVERED = OrderState.COMPLETED, OrderState.DELIVERED
TABLES: Final = (
    schema.receipts,
    schema.codes,
    schema.deliveries,
    schema.outbox,
    schema.order_steps,
    schema.orders,
    schema.chats,
)


def asks(at: Counter, state: OrderState) -> None:
    """Take over what the order API tells."""
    if orders.find(at.db, "shop-a", ORDER) is not None:  # type: ignore[arg-type]
        orders.checked(at.db, at.order(), facts(state), now=at.now)


def gives(at: Counter) -> None:
    """Give, as the task does with an order that it has checked, or had checked before."""
    if orders.find(at.db, "shop-a", ORDER) is not None:  # type: ignore[arg-type]
        at.give(gift(2))


def ships(at: Counter) -> None:
    if orders.find(at.db, "shop-a", ORDER) is not None and at.state is DELIVERED:  # type: ignore[arg-type]
        orders.shipped(at.db, at.order(), now=at.now)


#: What happens to an order in the end, in whatever order, and however often.
HAPPENINGS: Final[dict[str, Callable[[Counter], object]]] = {
    "placed": lambda at: at.told(PLACED),
    "paid": lambda at: at.told(PAID),
    "paid, an edit": lambda at: at.told(PAID, source="update"),
    "the API says placed": lambda at: asks(at, PLACED),
    "the API says paid": lambda at: asks(at, PAID),
    "goods": gives,
    "sending": lambda at: at.sends(),
    "shipping": ships,
}


@settings(
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(tale=st.lists(st.sampled_from(sorted(HAPPENINGS)), max_size=25))
def test_any_interleaving_ends_in_the_same_ledger(db: Database, tale: list[str]) -> None:
    for table in TABLES:
        db.execute(sa.delete(table))
    db.execute(sa.text("DELETE FROM sqlite_sequence"))  # Else the books miss those receipts.
    at = Counter(db)
    at.stock("A", "B", "C", "D")
    for each in [*tale, "placed", "paid", "the API says paid", "goods", "sending", "shipping"]:
        HAPPENINGS[each](at)
        wrong = ledger.audit(db).wrong
        assert wrong == ()
    at.told(COMPLETED)
    assert at.state is COMPLETED
    assert at.counts() == {"unused": 2, "sent": 2}
    assert [state for _, state in at.queued()] == ["sent", "sent"]
    assert at.due() == []
    db.commit()
