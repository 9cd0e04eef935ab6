"""The nouns of a sale: what is told of an order, and which step may follow which.

What the platform tells comes in any order, twice, late, and from several places; so a step
that does not follow is written into the story of the order, and changes nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import attrs

from xybot.model import ChatId, ItemId, OrderId, Role, UserId


class OrderState(enum.Enum):
    """Where an order stands; stored by its value."""

    PLACED = "placed"
    """Ordered, and not paid."""
    PAID = "paid"
    """The platform says so; nothing is given before its order API has confirmed it."""
    DELIVERING = "delivering"
    """Its goods are reserved, and their messages are queued."""
    DELIVERED = "delivered"
    """The platform has all of its messages."""
    CONFIRMED = "confirmed"
    """The platform knows it as shipped, by us or by the seller's hand."""
    COMPLETED = "completed"
    REFUNDING = "refunding"
    REFUNDED = "refunded"
    CLOSED = "closed"
    HELD = "held"
    """Its seller has to look; nothing happens until they say what."""


_S = OrderState
ENDS: Final = frozenset({_S.REFUNDING, _S.REFUNDED, _S.CLOSED})
"""Nothing more is given: the buyer has, wants, or gets the money."""

FOLLOWS: Final[Mapping[OrderState, frozenset[OrderState]]] = {
    _S.PLACED: ENDS | {_S.PAID, _S.CONFIRMED, _S.COMPLETED},
    _S.PAID: ENDS | {_S.CONFIRMED, _S.COMPLETED},
    _S.DELIVERING: ENDS,
    _S.DELIVERED: ENDS | {_S.CONFIRMED, _S.COMPLETED},
    _S.CONFIRMED: ENDS | {_S.COMPLETED},
    _S.COMPLETED: frozenset({_S.REFUNDING, _S.REFUNDED}),
    _S.REFUNDING: frozenset({_S.REFUNDED, _S.CLOSED}),
    _S.REFUNDED: frozenset(),
    _S.CLOSED: frozenset({_S.REFUNDED}),
    _S.HELD: ENDS | {_S.CONFIRMED, _S.COMPLETED},
}
"""Which step the platform may tell of where: the later one wins, however they arrive."""

TAKES: Final[Mapping[OrderState, frozenset[OrderState]]] = {
    _S.PLACED: frozenset({_S.HELD}),
    _S.PAID: frozenset({_S.DELIVERING, _S.DELIVERED, _S.HELD}),
    _S.DELIVERING: frozenset({_S.DELIVERED, _S.HELD}),
    _S.DELIVERED: frozenset({_S.CONFIRMED, _S.HELD}),
    _S.CONFIRMED: frozenset({_S.DELIVERED}),  # The platform does not know it as shipped after all.
    _S.COMPLETED: frozenset(),
    _S.REFUNDING: frozenset({_S.PAID}),
    _S.REFUNDED: frozenset(),
    _S.CLOSED: frozenset(),
    _S.HELD: frozenset({_S.PAID, _S.DELIVERING, _S.DELIVERED}),
}
"""Which step this program, or its seller, may take where."""

TOLD: Final = ENDS | {_S.PLACED, _S.PAID, _S.CONFIRMED, _S.COMPLETED}
"""The steps that the platform tells of; the others are ours."""

TradeSource: TypeAlias = Literal["card", "update", "tip", "reminder", "api", "bot", "seller"]
"""Where a step is known from: pushes, the order API, this program, its seller."""


@attrs.frozen(kw_only=True)
class Trade:
    """What a push tells of an order, from the platform's own fields (protocol.md §2.6)."""

    order: OrderId | None
    """None: the orders of the chat have to be looked at (a red reminder names none)."""
    chat: ChatId
    state: OrderState | None
    """A step of `TOLD`; None: only that there is such an order."""
    role: Role | None
    """What our account is in it; for a buyer's order nothing is ever done."""
    buyer: UserId | None = None
    """The other side, where our account sells."""
    item: ItemId | None = None
    knife: bool = False
    """小刀: it is waiting for its price to be cut, which the seller does before delivery."""
    source: TradeSource
    words: str = ""
    """What the platform shows."""
    at: int | None = None
    """By the platform's clock (ms)."""


@attrs.frozen(kw_only=True)
class Step:
    """What became of an order, at once."""

    order: OrderId
    old: OrderState | None
    """Where it stood before; None: it is new."""
    new: OrderState
    source: TradeSource
    why: str = ""
    """In words for the seller."""
    goods: str = ""
    """The name of what was given for it."""
    messages: int = 0
    """How many it took to give that."""
    runs_low: tuple[str, int] | None = None
    """A batch of which few codes are left by this step, and how many."""


@attrs.frozen(kw_only=True)
class OrderFacts:
    """What the order API tells of an order; None is unknown, and then nothing is given."""

    peer: UserId | None
    item: ItemId | None
    state: OrderState | None
    words: str
    """The state in the platform's words."""
    quantity: int | None
    spec: str
    """`颜色:白;容量:64G`; empty: the item has no variants."""
    amount: int | None
    """What was paid for all of it, in fen."""
    title: str = ""
    knife: bool = False
    """小刀: it is waiting for its price to be cut, and its state is not known before."""
