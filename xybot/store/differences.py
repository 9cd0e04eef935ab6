"""What the platform says waits for shipment, compared with our orders and the ledger.

What follows from what the platform says goes its usual way: an order that we do not know is
taken in, and the order API is asked before anything is given.  What does not follow is written
into the order, once, and stands on its seller's list (`xybot.store.todo`) until it is settled.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from typing import Final

import attrs
import sqlalchemy as sa

from xybot.model import AccountId, ChatId, OrderId
from xybot.store import deliveries, due, orders
from xybot.store.database import Database
from xybot.store.orders import By, Order
from xybot.store.schema import chats, gaps, inbox, order_steps
from xybot.store.schema import orders as table
from xybot.trade import ENDS, FOLLOWS, OrderState, Step, Trade

_LONG: Final = 3_600_000
"""Milliseconds that an order may take; it is looked at again if it then is not in the list."""
_LATE: Final = 120_000
"""Milliseconds by which the platform's list may be late, and so may a push."""
_CLAIM: Final = 180_000
"""Milliseconds.  What is due within them may have been begun: whoever did has a lease."""
_FINDS: Final = "平台列表里是待发货 (waits for shipment, says the platform)"
_AGAIN: Final = "货已发出，平台还显示待发货：再确认一次 (still waits for shipment: confirmed again)"
_NOT_YET: Final = "平台还显示待发货，请确认发货 (the platform still waits for shipment)"
_ENDED: Final = "平台显示待发货，这里却已退款或关闭 (paid, says the platform; ended, say our books)"
_OLD: Final = (
    "可能在 xybot 接管之前就付款了，请看一眼是否已手工发过 "
    "(perhaps paid before xybot was here: see whether it was delivered by hand)"
)
_S = OrderState


@attrs.frozen(kw_only=True)
class Waiting:
    """What the platform says waits for shipment."""

    orders: Mapping[OrderId, Trade]
    complete: bool
    """Whether it is known to be all of them."""
    began: int
    """When it was asked for (ms)."""


def compare(db: Database, account: AccountId, waiting: Waiting, *, now: int) -> tuple[Step, ...]:
    """Take in what we did not know, and note what does not fit; return where orders went."""
    since, steps = _here_since(db, account), list[Step]()
    for id_, trade in waiting.orders.items():
        order = orders.find(db, account, id_)
        if order is None:
            steps += _take_in(db, account, _placed(db, account, trade), since, now=now)
        elif trade.state in FOLLOWS[order.state] or trade.knife:
            steps += orders.told(db, account, _placed(db, account, trade), now=now)
        elif trade.state is _S.PAID and _stands_still(order, waiting.began):
            if order.role == "seller":
                steps += _settle(db, order, now=now)
            else:  # Now it is known that we sell it, or that the platform contradicts itself.
                steps += orders.told(db, account, attrs.evolve(trade, state=None), now=now)
    if waiting.complete:
        _look_again(db, account, waiting.orders.keys(), now=now)
        _settled(db, account, waiting.orders.keys())
    return tuple(steps)


def _take_in(
    db: Database, account: AccountId, trade: Trade, since: int | None, *, now: int
) -> tuple[Step, ...]:
    """Take in an order that nobody told us of; one from before our time is left to its seller."""
    steps = orders.told(db, account, attrs.evolve(trade, words=trade.words or _FINDS), now=now)
    if since is not None and trade.at is not None and trade.at >= since:
        return steps
    assert trade.order is not None
    order = orders.find(db, account, trade.order)
    assert order is not None
    return steps + orders.hold(db, order, _OLD, now=now)


def _here_since(db: Database, account: AccountId) -> int | None:
    """Return since when orders would have been told us, but for a lost push (ms)."""
    step = sa.select(sa.func.min(order_steps.c.at)).where(order_steps.c.account == account)
    gap = sa.select(sa.func.max(gaps.c.began_at)).where(gaps.c.account == account)
    line = sa.select(sa.func.min(inbox.c.received_at)).where(inbox.c.account == account)
    found = [at for query in (step, gap) if (at := db.scalar(query)) is not None]
    # Without an order and a gap we came not long ago.
    first = min(found) if found else db.scalar(line)
    return None if first is None else first - _LATE


def _placed(db: Database, account: AccountId, trade: Trade) -> Trade:
    """Return what is told with the chat of its buyer about its item, if we know one."""
    if trade.buyer is None or trade.item is None:
        return trade
    ours = (table.c.account == account, table.c.buyer == trade.buyer, table.c.item == trade.item)
    theirs = (chats.c.account == account, chats.c.peer == trade.buyer, chats.c.item == trade.item)
    known = sa.select(chats.c.chat).where(*theirs).order_by(chats.c.last_at.desc()).limit(1)
    sold = sa.select(table.c.chat).where(*ours, table.c.chat != "")
    chat = db.scalar(known) or db.scalar(sold.order_by(table.c.changed_at.desc()).limit(1))
    return attrs.evolve(trade, chat=ChatId(chat or ""))


def _stands_still(order: Order, asked_at: int) -> bool:
    """Tell whether nothing is being done; the list may show what was true before a change."""
    return order.due_at is None and order.changed_at < asked_at - _LATE


def _settle(db: Database, order: Order, *, now: int) -> tuple[Step, ...]:
    """Do, or note, what is to be done with a known order that still waits for shipment."""
    given = deliveries.lines(db, order.account, order.id)
    all_sent = bool(given) and all(each.state == "sent" for each in given)
    if all_sent and order.ship and order.state in (_S.DELIVERED, _S.CONFIRMED, _S.HELD):
        if order.state is _S.DELIVERED:
            due.wait(db, order, at=now)
            return ()
        return orders.take_step(db, order, _S.DELIVERED, By("bot", _AGAIN, now), due_at=now)
    if order.state in ENDS:
        due.rest(db, order, _ENDED, now=now)
    elif order.state in (_S.DELIVERED, _S.CONFIRMED, _S.COMPLETED):
        due.rest(db, order, _NOT_YET, now=now)
    return ()  # Others stand on the list as they are.


def _look_again(
    db: Database, account: AccountId, waiting: Collection[OrderId], *, now: int
) -> None:
    """Have orders looked at that we should deliver, and that wait no more for shipment."""
    mine = (table.c.account == account, table.c.role.is_distinct_from("buyer"))
    open_ = table.c.state.in_([_S.PAID.value, _S.DELIVERING.value])
    idle = sa.or_(table.c.due_at.is_(None), table.c.due_at > now + _CLAIM)
    old = (table.c.changed_at < now - _LONG, idle)
    for id_ in db.scalars(sa.select(table.c.order).where(*mine, open_, *old)).all():
        if id_ not in waiting:
            order = orders.find(db, account, id_)
            assert order is not None
            due.wait(db, order, at=now)


def _settled(db: Database, account: AccountId, waiting: Set[OrderId]) -> None:
    """Forget a difference that is none any more."""
    noted = table.c.why.in_([_NOT_YET, _ENDED])
    for id_ in db.scalars(sa.select(table.c.order).where(table.c.account == account, noted)).all():
        order = orders.find(db, account, id_)
        if id_ not in waiting and order is not None:
            orders.change(db, order, why=None)
