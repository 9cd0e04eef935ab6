"""Orders: what the platform tells of them, what is to be done, and what cannot be done.

Every step is a row of the order's story, with its source and its time; one that does not
follow from where the order stands is told there as well, and changes nothing.  What is to be
done has a time, `due_at` (`xybot.store.due`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs
import sqlalchemy as sa

from xybot.model import AccountId, ChatId, ItemId, OrderId, Role, UserId
from xybot.store import afterwards, codes, deliveries
from xybot.store.database import Database
from xybot.store.prepared import Prepared, Row, parameters
from xybot.store.schema import chats, order_steps, orders
from xybot.trade import (
    ENDS,
    FOLLOWS,
    TAKES,
    TOLD,
    OrderFacts,
    OrderState,
    Step,
    Trade,
    TradeSource,
)

_TWO_MINDS: Final = "平台说法不一：您是卖家还是买家 (the platform contradicts itself on who sells)"
_SHIPPED: Final = "已确认发货 (confirmed as shipped)"
_OURS: Final = ("bot", "seller")
"""Sources of steps that the platform did not tell."""


@attrs.frozen(kw_only=True)
class Order:
    """An order, and what is known of it; None is unknown."""

    account: AccountId
    id: OrderId
    chat: ChatId
    role: Role | None
    buyer: UserId | None
    name: str
    """What the buyer is called; empty if they never wrote."""
    item: ItemId | None
    title: str | None
    spec: str | None
    quantity: int | None
    amount: int | None
    """Fen."""
    knife: bool
    state: OrderState
    why: str | None
    goods: str | None
    ship: bool
    """Whether it is to be confirmed as shipped once it is delivered."""
    paid_at: int | None
    changed_at: int
    due_at: int | None
    """When there is something to do; None: nothing is."""
    tries: int


@attrs.frozen
class By:
    """Who takes a step, in which words, and when (ms)."""

    source: TradeSource
    words: str
    now: int
    at: int | None = None
    """When it was, if that was told; else now."""


_MINE: Final = (orders.c.account == sa.bindparam("of"), orders.c.order == sa.bindparam("id"))
NAMED: Final = sa.select(orders, chats.c.name).outerjoin(
    chats, (chats.c.account == orders.c.account) & (chats.c.chat == orders.c.chat)
)
_ONE: Final = Prepared(NAMED.where(*_MINE))
_STEP: Final = Prepared(sa.insert(order_steps).values(parameters(order_steps, "id")))
_TOLD_EARLY: Final = sa.select(order_steps.c.told).where(
    order_steps.c.account == sa.bindparam("of"),
    order_steps.c.order == sa.bindparam("id"),
    order_steps.c.source.not_in(_OURS),
)

_ASKED_FOR: Final = Prepared(
    sa.select(order_steps.c.id).where(
        order_steps.c.account == sa.bindparam("of"),
        order_steps.c.order == sa.bindparam("id"),
        sa.text("source = 'seller' AND state = 'paid'"),
    )
)


def find(db: Database, account: AccountId, order: OrderId) -> Order | None:
    """Return an order; None: there is no such."""
    rows = _ONE.rows(db, {"of": account, "id": order})
    return order_of(rows[0]) if rows else None


def now_of(db: Database, order: Order) -> Order:
    """Return an order as it stands now: much may be told while somebody asks about it."""
    found = find(db, order.account, order.id)
    assert found is not None, "no order is ever deleted"
    return found


def asked_for(db: Database, order: Order) -> bool:
    """Tell whether its seller had a held order go on: what was left to them is decided then."""
    return _ASKED_FOR.exists(db, {"of": order.account, "id": order.id})


def told(db: Database, account: AccountId, trade: Trade, *, now: int) -> tuple[Step, ...]:
    """Take in what the platform tells of an order; return where that took it."""
    if trade.order is None:
        _look_at_chat(db, account, trade, now=now)
        return ()
    before = find(db, account, trade.order)
    if before is None:
        return (_first(db, account, trade, trade.order, now=now),)
    # An end is believed all the same: by it nothing is given.
    of_two_minds = trade.role is not None and before.role not in (None, trade.role)
    if of_two_minds and trade.state not in ENDS:
        change(db, before, role=None)  # Whoever offers the item sells it, if the seller asks.
        return hold(db, before, _TWO_MINDS, now=now)
    _learn(db, before, role=trade.role, buyer=trade.buyer, item=trade.item)
    # A card may name an order in another chat than its buyer's; there its goods are not said.
    theirs = None in (before.buyer, trade.buyer) or before.buyer == trade.buyer
    if trade.chat and not before.chat and theirs:
        change(db, before, chat=trade.chat)
    if trade.knife and before.state is OrderState.PLACED and not before.knife:
        change(db, before, knife=True, due_at=now if before.role != "buyer" else None)
    before = attrs.evolve(before, role=before.role or trade.role)
    return _told(db, before, trade, now=now)


def checked(db: Database, order: Order, facts: OrderFacts, *, now: int) -> tuple[Step, ...]:
    """Keep what the order API tells; where it tells a step, take that."""
    order = now_of(db, order)
    _learn(db, order, item=facts.item, buyer=facts.peer)
    known = {
        "title": facts.title or None,
        "spec": facts.spec,
        "quantity": facts.quantity,
        "amount": facts.amount,
    }
    change(db, order, **{name: value for name, value in known.items() if value is not None})
    trade = Trade(
        order=order.id,
        chat=order.chat,
        state=facts.state,
        role=None,
        source="api",
        words=facts.words,
    )
    return _told(db, order, trade, now=now)


def looked_at(db: Database, order: Order, facts: OrderFacts, *, now: int) -> tuple[Step, ...]:
    """Keep what the order API tells of an order whose messages are queued: they go on anyway."""
    here = find(db, order.account, order.id)
    if here is None or here.state is not OrderState.DELIVERING:
        return ()  # Something was told meanwhile, and is due perhaps.
    change(db, here, due_at=None, tries=0)
    return checked(db, here, facts, now=now)


def _first(db: Database, account: AccountId, trade: Trade, order: OrderId, *, now: int) -> Step:
    state = trade.state or OrderState.PLACED
    at, paid = _when(trade, now), state is OrderState.PAID
    # Where no step is told, the order API knows.
    look = trade.role != "buyer" and (trade.state is None or trade.knife or paid)
    row = {
        "account": account,
        "order": order,
        "chat": trade.chat,
        "role": trade.role,
        "buyer": trade.buyer,
        "item": trade.item,
        "knife": trade.knife,
        "state": state.value,
        "ship": False,
        "created_at": at,
        "paid_at": at if paid else None,
        "changed_at": now,
        "due_at": now if look else None,
        "tries": 0,
    }
    db.execute(sa.insert(orders), row)
    by = By(trade.source, trade.words, now, at)
    write(db, (account, order), state, state, by)
    if trade.state is OrderState.PLACED:
        _note(db, (account, order), state, by)
    return Step(order=order, old=None, new=state, source=by.source, why=by.words)


def _when(trade: Trade, now: int) -> int:
    """Return when a step was; a date to come would have its order wait, an absurd one not fit."""
    return trade.at if trade.at is not None and 0 < trade.at <= now else now


def _told(db: Database, before: Order, trade: Trade, *, now: int) -> tuple[Step, ...]:
    at = _when(trade, now)
    new, by = trade.state, By(trade.source, trade.words, now, at)
    if new is None or new is before.state:
        return ()
    if new not in FOLLOWS[before.state]:
        write(db, (before.account, before.id), new, before.state, by)
        return ()
    if new in ENDS:
        deliveries.take_back(db, before.account, before.id, trade.words, now=now)
    if new is OrderState.PAID:
        due = None if before.role == "buyer" else now
        return (go(db, before, new, by, due_at=due, paid_at=at),)
    return (go(db, before, new, by),)


def _look_at_chat(db: Database, account: AccountId, trade: Trade, *, now: int) -> None:
    """Have the orders of a chat looked at, if one seems to be paid that is not known to be."""
    if trade.state is not OrderState.PAID:
        return
    mine = (orders.c.account == account, orders.c.chat == trade.chat)
    sold = (orders.c.state == OrderState.PLACED.value, orders.c.role == "seller")
    db.execute(sa.update(orders).where(*mine, *sold).values(due_at=now, tries=0))


def plays(db: Database, order: Order, role: Role) -> None:
    """Note what our account is in an order of which nobody had told."""
    _learn(db, order, role=role)


def hold(
    db: Database, order: Order, why: str, *, now: int, look_at: int | None = None
) -> tuple[Step, ...]:
    """Keep an order for its seller; `look_at`: see at that time whether it can go on (ms).

    Not where something was told since it was looked at: then it is to be looked at anew.
    """
    if now_of(db, order).state is not order.state:
        return ()
    if order.state is OrderState.HELD:
        change(db, order, due_at=look_at, why=why, tries=0)
        return ()
    by = By("bot", why, now)
    return take_step(db, order, OrderState.HELD, by, why=why, due_at=look_at)


def shipped(db: Database, order: Order, *, now: int) -> tuple[Step, ...]:
    """Note that the platform knows an order as shipped."""
    codes.confirmed(db, order.account, order.id, now=now)
    order = now_of(db, order)
    steps = take_step(db, order, OrderState.CONFIRMED, By("bot", _SHIPPED, now))
    return steps + told_early(db, order, now=now)


def told_early(db: Database, order: Order, *, now: int) -> tuple[Step, ...]:
    """Take a step that the platform told of before it followed from where the order stood."""
    here = now_of(db, order)
    names = db.scalars(_TOLD_EARLY, {"of": order.account, "id": order.id})
    follow = {OrderState(each) for each in names if each} & TOLD & FOLLOWS[here.state]
    last = next((state for state in reversed(OrderState) if state in follow - ENDS), None)
    return () if last is None else (go(db, here, last, By("card", "", now)),)


def take_step(
    db: Database, before: Order, new: OrderState, by: By, **columns: object
) -> tuple[Step, ...]:
    """Take a step of ours, if it may be taken, and change what goes with it."""
    return (go(db, before, new, by, **columns),) if new in TAKES[before.state] else ()


def go(db: Database, before: Order, new: OrderState, by: By, **columns: object) -> Step:
    """Have an order stand elsewhere: nothing is due there but what `columns` say."""
    rest: Mapping[str, object] = {"why": None, "due_at": None, "tries": 0, **columns}
    change(db, before, state=new.value, changed_at=by.now, **rest)
    write(db, (before.account, before.id), new, new, by)
    afterwards.take_back(db, before.account, before.id, new, now=by.now)
    # Of an order that was never known as paid only its past is told: it was sold before us.
    if before.state is not OrderState.PLACED:
        _note(db, (before.account, before.id), new, by)
    return Step(order=before.id, old=before.state, new=new, source=by.source, why=by.words)


def _note(db: Database, of: tuple[AccountId, OrderId], new: OrderState, by: By) -> None:
    """Note that something may be said after a step, unless it was long ago."""
    if new in afterwards.FITS and by.now - (by.at or by.now) < afterwards.LATE:
        afterwards.note(db, *of, afterwards.Noted(new, by.now), due_at=by.now)


def change(db: Database, order: Order, **columns: object) -> None:
    """Change columns of an order's row."""
    mine = (orders.c.account == order.account, orders.c.order == order.id)
    if columns:
        db.execute(sa.update(orders).where(*mine).values(columns))


def _learn(db: Database, order: Order, **told: object) -> None:
    """Keep what was not known before."""
    change(
        db,
        order,
        **{
            name: value
            for name, value in told.items()
            if value is not None and getattr(order, name) is None
        },
    )


def write(
    db: Database,
    of: tuple[AccountId, OrderId],
    told: OrderState | None,
    state: OrderState,
    by: By,
) -> None:
    """Add a step to the story of an order: what was told, and where that left it."""
    account, order = of
    row = {
        "account": account,
        "order": order,
        "at": by.now,
        "told": told.value if told else None,
        "state": state.value,
        "source": by.source,
        "words": by.words,
    }
    _STEP.run(db, row)


def order_of(row: Row) -> Order:
    """Return the order of a row of `NAMED`."""
    return Order(
        account=row.account,
        id=row.order,
        chat=row.chat,
        role=row.role,
        buyer=row.buyer,
        name=row.name or "",
        item=row.item,
        title=row.title,
        spec=row.spec,
        quantity=row.quantity,
        amount=row.amount,
        knife=bool(row.knife),
        state=OrderState(row.state),
        why=row.why,
        goods=row.goods,
        ship=bool(row.ship),
        paid_at=row.paid_at,
        changed_at=row.changed_at,
        due_at=row.due_at,
        tries=row.tries,
    )
