"""From a paid order to its goods, one step at a time, each of them stored before the next.

One task for each account.  What is to be done stands in the store with its time, so a step
that the process died over is taken again, and one that fails is tried later; what cannot be
known is held for the seller.  Nothing is given before the platform's order API has said that
the order is paid, and for what.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NoReturn

import attrs
import trio

from xybot.chronicle import Chronicle
from xybot.config.goods import Goods
from xybot.doorbell import Doorbell
from xybot.errors import TransientError
from xybot.model import AccountId, Item, ItemId, Role
from xybot.orders.check import underpaid, unfit
from xybot.orders.follow_ups import FollowingUp
from xybot.orders.goods import Hold, find
from xybot.orders.wrapping import Wrapping
from xybot.store import due, giving, orders
from xybot.store.database import Database, Store
from xybot.store.due import Taken
from xybot.store.orders import Order
from xybot.telling import stepped
from xybot.trade import OrderFacts, OrderState, Step
from xybot.xianyu import trade
from xybot.xianyu.mtop import Forbidden, Mtop, NotFound

LOOK_EVERY: Final = 3.0
"""Seconds until the store is looked at though nobody rang."""
_AT_ONCE: Final = 4
"""Orders of an account that are dealt with at the same time."""
_LOOKS: Final = 3
"""How often it is asked whether an order is paid that no card calls paid."""
_FIRST: Final = 5_000
"""Milliseconds from a first failure to the next try; twice as many after each."""
_LONGEST: Final = 600_000
_NO_GOODS: Final = "没有设置 [[goods]]，不自动发货 (no goods are configured)"
_DRY_RUN: Final = "演练中，不发货 (a dry run gives nothing)"
_BOUGHT: Final = "这是您自己买的 (you are its buyer)"
_UNKNOWN: Final = "平台查不到这个订单 (the platform does not know this order)"
_CUT: Final = "已请平台免拼，等它变成待发货 (its price is cut; waiting for the platform)"
_NOT_PAID: Final = "平台接口说还没付款 (not paid yet, says the order API)"


@attrs.define(eq=False, kw_only=True)
class Delivery:
    """Delivers what buyers of one account have paid for."""

    account: AccountId
    mtop: Mtop
    chronicle: Chronicle
    wrapping: Wrapping
    """Makes goods into what is given."""
    goods: Callable[[], Sequence[Goods]]
    """The goods of the moment."""
    dry_run: Callable[[], bool]
    item: Callable[[AccountId, ItemId], Awaitable[Item | None]]
    """Tells what is known of an item: the order API does not always name it."""
    following: FollowingUp
    """Says what is to be said afterwards."""
    uuid: Callable[[], str]
    now_ms: Callable[[], int]
    """The platform's clock."""
    _room: trio.CapacityLimiter = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._room = trio.CapacityLimiter(_AT_ONCE)

    @property
    def store(self) -> Store:
        """Where everything is kept."""
        return self.chronicle.store

    async def serve(self, bell: Doorbell, sender: Doorbell) -> NoReturn:
        """Do whatever is due, until cancelled.

        Args:
          bell: rung when something of an order has changed.
          sender: is rung when there is something to say.

        Raises:
          AttentionRequired: the account needs its seller; perhaps within an exception group.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.following.serve, bell, sender, name="follow-ups")
            while True:
                async with self._room:  # Not before there is room for one at least.
                    taken = await self._take()
                for order in taken.orders:
                    await self._room.acquire_on_behalf_of(order)
                    nursery.start_soon(self._one, order, bell, sender, name=f"order {order.id}")
                if not taken.orders:
                    self.following.bell.ring()
                    await self._wait(taken.next_due, bell)
        raise AssertionError("the loop never ends")

    async def _take(self) -> Taken:
        account, free = self.account, int(self._room.available_tokens) + 1
        return await self.chronicle.insist(
            lambda taken: stepped(account, taken.given_up),
            due.take,
            account,
            most=free,
            now=self.now_ms(),
        )

    async def _wait(self, due: int | None, bell: Doorbell) -> None:
        left = math.inf if due is None else max(due - self.now_ms(), 0) / 1000
        with trio.move_on_after(left):
            await bell.wait()

    async def _one(self, order: Order, bell: Doorbell, sender: Doorbell) -> None:
        try:
            await self._step(order)
        except NotFound:
            await self._hold(order, _UNKNOWN)
        except Forbidden as exc:
            await self._hold(order, str(exc))
        except TransientError as exc:
            await self._later(order, str(exc))
        finally:
            self._room.release_on_behalf_of(order)
        bell.ring()
        sender.ring()

    async def _step(self, order: Order) -> None:
        if order.state is OrderState.DELIVERED:
            await trade.ship(self.mtop, order.id)
            await self._store(lambda db, now: orders.shipped(db, order, now=now))
        elif (why := self._why_rest()) is not None:
            await self.store.insist(due.rest, order, why, now=self.now_ms())
        elif order.state is OrderState.HELD:
            await self._look_for_stock(order)
        elif order.state is OrderState.DELIVERING:
            await self._look(order)
        else:
            await self._check(order)

    def _why_rest(self) -> str | None:
        if self.dry_run():
            return _DRY_RUN
        return None if self.goods() else _NO_GOODS

    async def _check(self, order: Order) -> None:
        """Ask the platform what an order is, and give what is due for it."""
        facts = await trade.order_facts(self.mtop, order.id)
        if facts is not None and order.role is None:
            order = await self._with_role(order, facts)
        if facts is None:
            await self._hold(order, _UNKNOWN)
        elif order.role == "buyer":
            await self.store.insist(due.rest, order, _BOUGHT, now=self.now_ms())
        elif facts.knife or (order.knife and facts.state in (None, OrderState.PLACED)):
            await self._cut(order, facts)
        elif facts.state is OrderState.PLACED and order.state is OrderState.PAID:
            await self._later(order, _NOT_PAID)  # It may lag behind the card.
        elif (why := unfit(order, facts)) is not None:
            await self._hold(order, why)
        else:
            facts = await self._titled(order, facts)
            await self._store(lambda db, now: orders.checked(db, order, facts, now=now))
            if facts.state is OrderState.PLACED:
                await self._look_again(order)
            elif facts.state is OrderState.PAID:
                await self._prepare(attrs.evolve(order, state=OrderState.PAID), facts)

    async def _look_again(self, order: Order) -> None:
        """Ask once or twice more about an order that something made us ask about."""
        if order.tries < _LOOKS:
            await self._later(order, _NOT_PAID)
        else:
            await self.store.insist(due.done, order)

    async def _with_role(self, order: Order, facts: OrderFacts) -> Order:
        """Find out who sells where no push told: whoever offers the item does."""
        item = order.item or facts.item
        known = await self.item(order.account, item) if item else None
        if known is None or known.seller is None:
            return order
        role: Role = "seller" if known.seller == self.mtop.session.user else "buyer"
        await self.store.insist(orders.plays, order, role)
        return attrs.evolve(order, role=role)

    async def _titled(self, order: Order, facts: OrderFacts) -> OrderFacts:
        """Add the title of the item, which goods may go by."""
        item = order.item or facts.item
        known = await self.item(order.account, item) if item and not facts.title else None
        return attrs.evolve(facts, title=known.title) if known else facts

    async def _look(self, order: Order) -> None:
        """See whether the platform has ended an order whose messages are queued."""
        facts = await trade.order_facts(self.mtop, order.id)
        if facts is None:
            await self._hold(order, _UNKNOWN)
        else:
            await self._store(lambda db, now: orders.looked_at(db, order, facts, now=now))

    async def _cut(self, order: Order, facts: OrderFacts) -> None:
        """Have the price of a 小刀 order cut, so that its buyer need not look for others."""
        if (why := unfit(order, attrs.evolve(facts, state=OrderState.PAID))) is not None:
            await self._hold(order, why)
        elif isinstance(goods := self._goods_for(order, await self._titled(order, facts)), Hold):
            await self._hold(order, goods.reason)
        else:
            item, buyer = order.item or facts.item, order.buyer or facts.peer
            assert item is not None
            assert buyer is not None
            await trade.free_shipping(self.mtop, order.id, item=item, buyer=buyer)
            await self._later(order, _CUT)

    async def _prepare(self, order: Order, facts: OrderFacts) -> None:
        goods = self._goods_for(order, facts)
        if isinstance(goods, Hold):
            await self._hold(order, goods.reason)
        elif (why := underpaid(goods, facts)) is not None and not await self._asked_for(order):
            await self._hold(order, why)
        elif (at := (order.paid_at or 0) + round(1000 * goods.delay)) > self.now_ms():
            await self.store.insist(due.wait, order, at=at)
        elif (why := await self._limited(order, goods)) is not None:
            await self._hold(order, why)  # Before a supplier is asked for anything.
        elif isinstance(made := await self.wrapping.wrap(order, goods, facts), Hold):
            await self._hold(order, made.reason)
        else:
            await self._store(lambda db, now: giving.give(db, order, made, self.uuid, now=now))

    async def _limited(self, order: Order, goods: Goods) -> str | None:
        name, limit = goods.name, goods.limit_per_buyer
        if not limit:
            return None
        return await self.store.insist(giving.limited, order, name, limit)

    async def _asked_for(self, order: Order) -> bool:
        return await self.store.insist(orders.asked_for, order)

    def _goods_for(self, order: Order, facts: OrderFacts) -> Goods | Hold:
        item, title = order.item or facts.item, facts.title or order.title or ""
        assert item is not None
        return find(self.goods(), order.account, item, title, facts.spec)

    async def _look_for_stock(self, order: Order) -> None:
        """See whether there is enough by now for an order that was held for want of it."""
        if order.item is None or order.quantity is None:
            return
        spec, title = order.spec or "", order.title or ""
        goods = find(self.goods(), order.account, order.item, title, spec)
        if isinstance(goods, Goods) and goods.kind == "codes":
            batch, count = goods.batch, order.quantity
            await self._store(lambda db, now: giving.refilled(db, order, batch, count, now=now))

    async def _hold(self, order: Order, why: str) -> None:
        await self._store(lambda db, now: orders.hold(db, order, why, now=now))

    async def _later(self, order: Order, why: str) -> None:
        pause = min(_FIRST * 2 ** (order.tries - 1), _LONGEST)
        await self.store.insist(due.postpone, order, why, at=self.now_ms() + pause)

    async def _store(self, step: Callable[[Database, int], tuple[Step, ...]]) -> None:
        """Store what was done, and tell where that took an order."""
        account = self.account
        await self.chronicle.insist(lambda steps: stepped(account, steps), step, self.now_ms())


async def watch(
    store: Store, ring: Callable[[AccountId], None], now_ms: Callable[[], int]
) -> NoReturn:
    """Ring for whatever is due and not begun: another process, a command, cannot ring."""
    while True:
        await trio.sleep(LOOK_EVERY)
        for account in await store.insist(due.overdue, now=now_ms()):
            ring(account)
