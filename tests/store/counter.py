"""An order in the store, and what is told of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import attrs
import sqlalchemy as sa

from tests.store.samples import BUYER, CHAT, NOW, SHOP
from xybot.model import ItemId, MessageId, OrderId, Text
from xybot.store import codes, due, giving, orders, outbox
from xybot.store.database import Database
from xybot.store.giving import Gift, Part
from xybot.store.orders import Order
from xybot.store.outbox import Sent, Settlement
from xybot.store.schema import deliveries, order_steps
from xybot.store.schema import outbox as messages
from xybot.trade import OrderFacts, OrderState, Step, Trade

ORDER = OrderId("2503688126356636370")
ITEM = ItemId("81")


def trade(state: OrderState | None, order: OrderId | None = ORDER, **more: object) -> Trade:
    given = {"role": "seller", "buyer": BUYER, "item": ITEM, "source": "card", "at": NOW} | more
    return Trade(order=order, chat=CHAT, state=state, **given)  # type: ignore[arg-type]


def facts(state: OrderState | None = OrderState.PAID, **more: object) -> OrderFacts:
    given = {"peer": BUYER, "item": ITEM, "quantity": 1, "spec": "", "amount": 990, "words": ""}
    return OrderFacts(state=state, **(given | more))  # type: ignore[arg-type]


def counted(prefix: str = "u") -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"{prefix}{next(numbers)}"


def one_each(texts: Sequence[str]) -> tuple[Part, ...]:
    """A message for each code."""
    return tuple(Part(content=Text(text), codes=(i,)) for i, text in enumerate(texts))


def gift(count: int = 1, **more: object) -> Gift:
    given = {"goods": "月卡", "batch": "month", "limit": 0, "ship": True, "parts": one_each}
    return Gift(count=count, **(given | more))  # type: ignore[arg-type]


@attrs.define
class Counter:
    """Sells at one counter: each call is what one transaction does."""

    db: Database
    now: int = NOW
    uuid: Callable[[], str] = attrs.Factory(counted)

    def told(self, state: OrderState | None, order: OrderId | None = ORDER, **more: object):
        return orders.told(self.db, SHOP, trade(state, order, **more), now=self.now)

    def order(self, id_: OrderId = ORDER) -> Order:
        found = orders.find(self.db, SHOP, id_)
        assert found is not None
        return found

    @property
    def state(self) -> OrderState:
        return self.order().state

    def due(self) -> list[OrderId]:
        taken = due.take(self.db, SHOP, most=10, now=self.now)
        return [each.id for each in taken.orders]

    def stock(self, *texts: str, batch: str = "month") -> None:
        codes.import_(self.db, batch, texts, now=self.now)

    def give(self, what: Gift | None = None, order: OrderId = ORDER) -> tuple[Step, ...]:
        what = what or gift()
        return giving.give(self.db, self.order(order), what, self.uuid, now=self.now)

    def sends(self, settlement: Settlement | None = None) -> list[str]:
        """Send whatever is due; returns the words."""
        said = []
        while taken := outbox.take_due(self.db, SHOP, frozenset(), most=9, now=self.now):
            for each in taken:
                assert isinstance(each.content, Text)
                said.append(each.content.text)
                done = settlement or Sent(MessageId(f"{each.uuid}.PNM"))
                giving.settle(self.db, SHOP, each, done, now=self.now)
        return said

    def queued(self) -> list[tuple[str, str]]:
        """Every message that delivers, with its state."""
        rows = self.db.execute(
            sa.select(deliveries.c.uuid, messages.c.state)
            .join(messages, messages.c.uuid == deliveries.c.uuid)
            .order_by(deliveries.c.line)
        )
        return [tuple(row) for row in rows]

    def counts(self) -> dict[str, int]:
        (of,) = codes.stock(self.db, now=self.now) or (None,)
        assert of is not None
        found = {"unused": of.unused, "reserved": of.reserved, "sent": of.sent}
        return {name: n for name, n in found.items() if n}

    def story(self) -> list[tuple[str | None, str, str]]:
        query = sa.select(order_steps.c.told, order_steps.c.state, order_steps.c.source)
        return [tuple(row) for row in self.db.execute(query.order_by(order_steps.c.id))]
