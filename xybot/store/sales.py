"""What became of orders, to be read: the list, and the story of one.

A code is worth money: it is in nothing here but `codes_of`, for whoever asks for just that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

import attrs
import sqlalchemy as sa

from xybot.model import AccountId, ChatId, ItemId, MessageId, OrderId, Role, UserId
from xybot.store.database import Database
from xybot.store.orders import NAMED
from xybot.store.schema import GIVEN, HELD, chats, codes, deliveries, order_steps, orders, outbox
from xybot.trade import OrderState, TradeSource

Show: TypeAlias = Literal["all", "held", "open", "done"]
"""Everything; what waits for its seller; what goes on; what is over."""

_S: Final = OrderState
DONE: Final = frozenset({_S.COMPLETED, _S.REFUNDED, _S.CLOSED})
OPEN: Final = frozenset(OrderState) - DONE - {_S.HELD}


@attrs.frozen(kw_only=True)
class Order:
    """What is known of an order; None is unknown."""

    account: AccountId
    order: OrderId
    chat: ChatId
    role: Role | None
    """What our account is in it; nothing is ever done for one that it bought."""
    buyer: UserId | None
    name: str | None
    """The buyer's, as their chat has it."""
    item: ItemId | None
    title: str
    spec: str
    quantity: int | None
    amount: int | None
    """What was paid for all of it, in fen."""
    knife: bool
    state: OrderState
    why: str
    """It is held, or tried again."""
    goods: str
    """The name of what is given for it."""
    created_at: int
    paid_at: int | None
    changed_at: int
    due_at: int | None
    """When something is to be done for it (ms)."""
    tries: int


@attrs.frozen(kw_only=True)
class Step:
    """Something that was told of an order, or done with it; perhaps it changed nothing."""

    at: int
    told: OrderState | None
    state: OrderState
    """Where the order stood after it."""
    source: TradeSource
    words: str


@attrs.frozen(kw_only=True)
class Delivery:
    """One message with goods, without its words."""

    line: int
    uuid: str
    queued_at: int
    state: str
    """Of its message in the outbox; empty: there is none any more."""
    reason: str
    """Of a refusal, or a doubt."""
    message: MessageId | None
    sending_at: int | None
    settled_at: int | None
    seen_at: int | None
    """When its buyer is known to have read it (ms)."""


@attrs.frozen(kw_only=True)
class Story:
    """All that is known of an order, but for its codes."""

    order: Order
    steps: tuple[Step, ...]
    """In the order in which they were told or taken."""
    deliveries: tuple[Delivery, ...]
    codes: int
    """How many codes are reserved for it, or were sent."""


@attrs.frozen(kw_only=True)
class Given:
    """A code of an order."""

    id: int
    batch: str
    code: str = attrs.field(repr=False)
    state: str
    """reserved · sent · quarantined."""
    line: int | None
    """Which message of the order it is in."""


@attrs.frozen(kw_only=True)
class Asked:
    """Which orders, and from where in the list."""

    account: AccountId | None = None
    show: Show = "all"
    state: OrderState | None = None
    words: str = ""
    """Part of a buyer's name or of a title, or a whole id of an order, an item or a buyer."""
    before: tuple[int, AccountId, OrderId] | None = None
    """The last order of the page before: when it changed, its account and id."""
    most: int | None = 30
    """None: all of them."""


#: What our accounts bought is in the whole list only: nothing waits there, and nothing goes on.
_SOLD: Final = orders.c.role.is_distinct_from("buyer")
_SHOWING: Final[Mapping[Show, sa.ColumnElement[bool]]] = {
    "all": sa.true(),
    "held": sa.and_(_SOLD, orders.c.state == _S.HELD.value),
    "open": sa.and_(_SOLD, orders.c.state.in_(sorted(each.value for each in OPEN))),
    "done": sa.and_(_SOLD, orders.c.state.in_(sorted(each.value for each in DONE))),
}


def page(db: Database, asked: Asked) -> tuple[Order, ...]:
    """Return a page of the list, the order that changed last first."""
    query = NAMED.where(_SHOWING[asked.show])
    if asked.account is not None:
        query = query.where(orders.c.account == asked.account)
    if asked.state is not None:
        query = query.where(orders.c.state == asked.state.value)
    if words := asked.words.strip():
        query = query.where(_found(words))
    if asked.before is not None:
        at, account, order = asked.before
        here = sa.tuple_(-orders.c.changed_at, orders.c.account, orders.c.order)
        query = query.where(here > sa.tuple_(-at, account, order))
    query = query.order_by(orders.c.changed_at.desc(), orders.c.account, orders.c.order)
    return tuple(map(_order, db.execute(query.limit(asked.most))))


def _found(words: str) -> sa.ColumnElement[bool]:
    ids = (column == words for column in (orders.c.order, orders.c.item, orders.c.buyer))
    texts = (chats.c.name, orders.c.title)
    return sa.or_(*ids, *(each.contains(words, autoescape=True) for each in texts))


_IS_HELD: Final = (
    sa.select(orders.c.account, sa.func.count().label("orders"))
    .where(HELD, _SOLD)
    .group_by(orders.c.account)
)


def held(db: Database) -> Mapping[AccountId, int]:
    """Return how many orders wait for their seller, of each account where some do."""
    return {row.account: row.orders for row in db.execute(_IS_HELD)}


def one(db: Database, account: AccountId, order: OrderId) -> Order | None:
    """Return an order as it is in the list, None when nobody told of it."""
    row = db.execute(NAMED.where(*_of(orders, account, order))).one_or_none()
    return None if row is None else _order(row)


def named(db: Database, order: OrderId, account: AccountId | None = None) -> tuple[Order, ...]:
    """Return the orders of an id: two, when two of our accounts are its two sides."""
    query = NAMED.where(orders.c.order == order).order_by(orders.c.account)
    if account is not None:
        query = query.where(orders.c.account == account)
    return tuple(map(_order, db.execute(query)))


def story(db: Database, account: AccountId, order: OrderId) -> Story | None:
    """Return all that is known of an order, None when nobody told of it."""
    found = one(db, account, order)
    if found is None:
        return None
    steps = sa.select(order_steps).where(*_of(order_steps, account, order))
    sent = (
        sa.select(
            deliveries,
            outbox.c.state,
            outbox.c.reason,
            outbox.c.message,
            outbox.c.sending_at,
            outbox.c.settled_at,
        )
        .outerjoin(outbox, sa.and_(_SAME_ACCOUNT, outbox.c.uuid == deliveries.c.uuid))
        .where(*_of(deliveries, account, order))
        .order_by(deliveries.c.line)
    )
    given = sa.select(sa.func.count()).select_from(codes).where(GIVEN, *_of(codes, account, order))
    return Story(
        order=found,
        steps=tuple(map(_step, db.execute(steps.order_by(order_steps.c.id)))),
        deliveries=tuple(map(_delivery, db.execute(sent))),
        codes=db.scalar(given) or 0,
    )


_SAME_ACCOUNT: Final = outbox.c.account == deliveries.c.account


def codes_of(db: Database, account: AccountId, order: OrderId) -> tuple[Given, ...]:
    """Return the codes of an order, as they stand in its messages."""
    query = sa.select(codes).where(GIVEN, *_of(codes, account, order))
    rows = db.execute(query.order_by(codes.c.line, codes.c.id))
    return tuple(
        Given(id=row.id, batch=row.batch, code=row.code, state=row.state, line=row.line)
        for row in rows
    )


def _of(table: sa.Table, account: AccountId, order: OrderId) -> tuple[sa.ColumnElement[bool], ...]:
    return (table.c.account == account, table.c.order == order)


def _order(row: sa.Row[Any]) -> Order:
    return Order(
        account=row.account,
        order=row.order,
        chat=row.chat,
        role=row.role,
        buyer=row.buyer,
        name=row.name,
        item=row.item,
        title=row.title or "",
        spec=row.spec or "",
        quantity=row.quantity,
        amount=row.amount,
        knife=row.knife,
        state=OrderState(row.state),
        why=row.why or "",
        goods=row.goods or "",
        created_at=row.created_at,
        paid_at=row.paid_at,
        changed_at=row.changed_at,
        due_at=row.due_at,
        tries=row.tries,
    )


def _step(row: sa.Row[Any]) -> Step:
    return Step(
        at=row.at,
        told=None if row.told is None else OrderState(row.told),
        state=OrderState(row.state),
        source=row.source,
        words=row.words,
    )


def _delivery(row: sa.Row[Any]) -> Delivery:
    return Delivery(
        line=row.line,
        uuid=row.uuid,
        queued_at=row.queued_at,
        state=row.state or "",
        reason=row.reason or "",
        message=row.message,
        sending_at=row.sending_at,
        settled_at=row.settled_at,
        seen_at=row.seen_at,
    )
