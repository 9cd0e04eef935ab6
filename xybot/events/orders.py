"""What happens to orders.  A code is worth money: none is ever in an event."""

from __future__ import annotations

from typing import ClassVar

import attrs

from xybot.model import AccountId, OrderId
from xybot.trade import OrderState, TradeSource


@attrs.frozen(kw_only=True)
class OrderUpdated:
    """An order of a buyer is new, or stands elsewhere."""

    name: ClassVar[str] = "order.update"
    account: AccountId
    order: OrderId
    old: OrderState | None
    """None: it is new."""
    new: OrderState
    source: TradeSource
    """Where that is known from; `bot` is this program, `seller` its seller."""
    why: str
    """In words for the seller; empty where the step says it all."""


@attrs.frozen(kw_only=True)
class DeliveryHeld:
    """An order is not delivered before its seller says so."""

    name: ClassVar[str] = "delivery.held"
    account: AccountId
    order: OrderId
    why: str


@attrs.frozen(kw_only=True)
class DeliverySent:
    """The platform has all messages with the goods of an order."""

    name: ClassVar[str] = "delivery.sent"
    account: AccountId
    order: OrderId
    goods: str
    """Their name in bot.toml."""
    messages: int


@attrs.frozen(kw_only=True)
class StockLow:
    """Few codes of a batch are left."""

    name: ClassVar[str] = "stock.low"
    account: AccountId
    """Whose order took the last of them."""
    batch: str
    left: int
