"""Goods on their way: reserved and queued in one transaction, or not at all.

An order is given something once.  What its buyer has is known from the platform alone; an
order whose message was refused, or is in doubt, is held, and its codes stay its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import attrs
import sqlalchemy as sa

from xybot.model import AccountId, OrderId, Outgoing, Sayable
from xybot.store import chatlist, codes, deliveries, due, orders, outbox
from xybot.store.database import Database
from xybot.store.deliveries import SOURCE, Given
from xybot.store.orders import By, Order
from xybot.store.outbox import Origin, Settlement
from xybot.store.schema import deliveries as lines
from xybot.store.schema import orders as table
from xybot.trade import ENDS, OrderState, Step

FEW: Final = 10
"""Fewer codes than this of a batch are worth a warning."""
STOCK_EVERY: Final = 30_000
"""Milliseconds after which an order that waits for stock is looked at again."""
_ORDERED: Final = "已备好，正在发送 (reserved, being sent)"
_ALL_SENT: Final = "买家已收到全部内容 (all of it is with the buyer)"
_REFUSED: Final = "平台拒绝发送 (the platform refused)"
_IN_DOUBT: Final = "不确定买家是否收到，请看一眼会话 (perhaps not received: please look)"
_TAKEN_BACK: Final = "已取消发送 (taken back)"
_LIMIT: Final = "这位买家已经领过 {n} 次，到了 limit_per_buyer (this buyer's limit is reached)"
_NO_STOCK: Final = "{batch} 库存不足：要 {n} 个，剩 {left} 个；补货后会自动发出 (out of stock)"
_STATE: Final = "订单现在是 {state}，不能这样做 (not possible in this state)"
_GIVEN: Final = "已经发过；要重发同样的内容，用 --again (given before; --again sends the same)"
_FREED: Final = "有内容已撤回，卡密可能已给了别人 (some was taken back, and is free for others)"
_ON_ITS_WAY: Final = "正在发送 (it is being sent)"
_NOTHING: Final = "还没有发过任何内容 (nothing was given yet)"
_NOT_OURS: Final = "在这个订单里您是买家 (you are its buyer)"
_BY_HAND: Final = "卖家要求 (as its seller asked)"
_DONE: Final = (OrderState.DELIVERED, OrderState.CONFIRMED, OrderState.COMPLETED)


@attrs.frozen
class Part:
    """One message."""

    content: Sayable = attrs.field(repr=False)
    codes: tuple[int, ...] = ()
    """Which of the codes stand in it, by their place among all."""


@attrs.frozen(kw_only=True)
class Gift:
    """What an order is to be given."""

    goods: str
    """Its name in bot.toml."""
    batch: str | None
    """Where codes are taken from; None: it needs none."""
    count: int
    """How many codes."""
    limit: int
    """Orders that one buyer is given these goods for by itself; 0 is no limit."""
    ship: bool
    """Whether it is to be confirmed as shipped afterwards."""
    parts: Callable[[Sequence[str]], Sequence[Part]]
    """Makes the messages out of the codes."""


def give(
    db: Database, order: Order, gift: Gift, uuid: Callable[[], str], *, now: int
) -> tuple[Step, ...]:
    """Reserve what an order is given and queue its messages; or hold it, with the reason."""
    here = orders.find(db, order.account, order.id)
    if here is None or here.state is not OrderState.PAID or here.buyer is None:
        return ()  # Something was told meanwhile.
    if deliveries.lines(db, here.account, here.id):
        return orders.hold(db, here, _GIVEN, now=now)
    if (why := limited(db, here, gift.goods, gift.limit)) is not None:
        return orders.hold(db, here, why, now=now)
    reserved: tuple[codes.Code, ...] = ()
    if gift.batch is not None:
        found = codes.reserve(
            db, gift.batch, gift.count, account=here.account, order=here.id, now=now
        )
        if found is None:
            return _out_of_stock(db, here, gift.batch, gift.count, now=now)
        reserved = found
    parts = gift.parts([each.code for each in reserved])
    _queue(db, here, [_message(here, gift, part, uuid()) for part in parts], now=now)
    codes.assign(db, {reserved[i].id: line for line, part in enumerate(parts) for i in part.codes})
    by = By("bot", f"{gift.goods}：{_ORDERED}", now)
    columns = {"goods": gift.goods, "ship": gift.ship}
    steps = orders.take_step(db, here, OrderState.DELIVERING, by, **columns)
    low = _runs_low(db, gift)
    return tuple(attrs.evolve(each, runs_low=low) for each in steps)


def _runs_low(db: Database, gift: Gift) -> tuple[str, int] | None:
    """Return how many codes are left, if it has just become fewer than `FEW`."""
    if gift.batch is None:
        return None
    left = codes.low(db, gift.batch, FEW)
    return (gift.batch, left) if left is not None and left + gift.count >= FEW else None


def _message(order: Order, gift: Gift, part: Part, uuid: str) -> Outgoing:
    assert order.buyer is not None
    return Outgoing(
        uuid=uuid,
        chat=order.chat,
        to=order.buyer,
        content=part.content,
        source=SOURCE,
        because=f"{gift.goods} → {order.id}",
        item=None if order.chat else order.item,  # Then its chat has to be opened.
    )


def _queue(db: Database, order: Order, messages: Sequence[Outgoing], *, now: int) -> None:
    outbox.put_as(db, order.account, messages, Origin(turn=None, now=now, urgent=True))
    if order.chat:
        chatlist.written(db, order.account, messages[0], order.item, now=now)
    deliveries.add(db, order.account, order.id, [each.uuid for each in messages], now=now)


def limited(db: Database, order: Order, goods: str, limit: int) -> str | None:
    """Return, in words, why a buyer gets no more of some goods by itself; None: they do."""
    here = orders.now_of(db, order)
    if not limit or orders.asked_for(db, here) or _given_before(db, here, goods) < limit:
        return None
    return _LIMIT.format(n=limit)


def _given_before(db: Database, order: Order, goods: str) -> int:
    mine = (table.c.account == order.account, table.c.buyer == order.buyer, table.c.goods == goods)
    given = sa.select(lines.c.order).where(lines.c.account == order.account)
    other = (table.c.order != order.id, table.c.order.in_(given))
    ended = table.c.state.not_in(["refunded", "closed"])
    return db.scalar(sa.select(sa.func.count()).select_from(table).where(*mine, *other, ended)) or 0


def _out_of_stock(db: Database, order: Order, batch: str, n: int, *, now: int) -> tuple[Step, ...]:
    why = _NO_STOCK.format(batch=batch, n=n, left=codes.low(db, batch, n) or 0)
    return orders.hold(db, order, why, now=now, look_at=now + STOCK_EVERY)


def refilled(db: Database, order: Order, batch: str, count: int, *, now: int) -> tuple[Step, ...]:
    """Let a held order go on if there is enough for it now."""
    here = orders.find(db, order.account, order.id)
    if here is None or here.state is not OrderState.HELD:
        return ()
    if codes.low(db, batch, count) is not None:
        due.wait(db, order, at=now + STOCK_EVERY)
        return ()
    by = By("bot", "已补货 (refilled)", now)
    return orders.take_step(db, order, OrderState.PAID, by, due_at=now)


@attrs.frozen
class Settled:
    """What settling a message did, and where that took its order."""

    message: outbox.Settled
    steps: tuple[Step, ...]


def settle(
    db: Database, account: AccountId, outgoing: Outgoing, settlement: Settlement, *, now: int
) -> Settled:
    """Record what became of a message that was being sent, and of the order it delivers."""
    done = outbox.settle(db, account, outgoing.uuid, settlement, now=now)
    if not done.changed or outgoing.source != SOURCE:
        return Settled(done, ())
    return Settled(done, settled(db, account, outgoing.uuid, now=now))


def settled(db: Database, account: AccountId, uuid: str, *, now: int) -> tuple[Step, ...]:
    """Take over what became of a message that delivers; of any other, nothing follows."""
    id_ = deliveries.order_of(db, account, uuid)
    order = orders.find(db, account, id_) if id_ else None
    if order is None:
        return ()
    if order.state in ENDS:  # What did not arrive is queued again, and is not owed any more.
        deliveries.take_back(db, account, order.id, deliveries.OVER, now=now)
    given = deliveries.lines(db, account, order.id)
    sent = {each.line for each in given if each.state == "sent"}
    codes.sent(db, account, order.id, now=now, lines=sent)
    waits = order.state in (OrderState.DELIVERING, OrderState.HELD)
    if waits and all(each.state == "sent" for each in given):
        ship_at = now if order.ship else None
        by = By("bot", _ALL_SENT, now)
        steps = orders.take_step(db, order, OrderState.DELIVERED, by, due_at=ship_at)
        done = (attrs.evolve(each, goods=order.goods or "", messages=len(given)) for each in steps)
        return (*done, *orders.told_early(db, order, now=now))
    wrong = next((why for each in given if (why := _wrong(each))), None)
    if order.state is OrderState.DELIVERING and wrong is not None:
        return orders.hold(db, order, wrong, now=now)
    return ()


def _wrong(given: Given) -> str | None:
    match given.state:
        case "refused":
            return f"{_REFUSED}: {given.reason or ''}"
        case "held":
            return _IN_DOUBT
        case "dropped":
            return _TAKEN_BACK
    return None


# What its seller asks for.  None: it is done; else why it is not, in words.


def release(db: Database, account: AccountId, id_: OrderId, *, now: int) -> str | None:
    """Have a held order looked at again, and delivered if all is well now."""
    order = orders.find(db, account, id_)
    if order is None or order.role == "buyer":
        return _NOT_OURS
    if deliveries.lines(db, account, id_):
        return _GIVEN
    if order.state in (OrderState.PLACED, OrderState.PAID):
        orders.change(db, order, due_at=now, tries=0)
        return None
    by = By("seller", _BY_HAND, now)
    done = orders.take_step(db, order, OrderState.PAID, by, due_at=now)
    return None if done else _STATE.format(state=order.state.value)


def confirm_only(db: Database, account: AccountId, id_: OrderId, *, now: int) -> str | None:
    """Have an order confirmed as shipped, whatever it was given."""
    order = orders.find(db, account, id_)
    if order is None or order.role == "buyer":
        return _NOT_OURS
    if order.state is OrderState.DELIVERED:
        orders.change(db, order, due_at=now, tries=0, ship=True)
        return None
    by = By("seller", _BY_HAND, now)
    columns = {"due_at": now, "ship": True}
    done = orders.take_step(db, order, OrderState.DELIVERED, by, **columns)
    return None if done else _STATE.format(state=order.state.value)


def again(
    db: Database, account: AccountId, id_: OrderId, uuid: Callable[[], str], *, now: int
) -> str | None:
    """Send the same once more: the lines that may not have arrived, or all of them."""
    order = orders.find(db, account, id_)
    if order is None or order.role == "buyer":
        return _NOT_OURS
    given = deliveries.lines(db, account, id_)
    if not given:
        return _NOTHING
    if order.state not in (OrderState.HELD, *_DONE):
        return _STATE.format(state=order.state.value)
    if any(each.state == "dropped" for each in given):
        return _FREED  # Its codes may be another order's by now.
    # What is on its way would be said twice, and nobody could take it back any more.
    missing = [each for each in given if each.state in ("refused", "held")]
    if not missing and any(each.state != "sent" for each in given):
        return _ON_ITS_WAY
    missing = missing or [*given]
    deliveries.again(db, account, {each.uuid: uuid() for each in missing}, now=now)
    orders.take_step(db, order, OrderState.DELIVERING, By("seller", _BY_HAND, now))
    return None
