"""Follow-ups: what is said after steps of orders, once its time has come.

What waits stands in the store (`xybot.store.follow_ups`).  Before a buyer is asked to pay, the
platform is asked whether they have; and an order whose title or specification nobody knows yet
is looked up where a follow-up needs them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final, NoReturn, TypeAlias

import attrs
import trio

from xybot.chronicle import Chronicle
from xybot.config.follow_ups import FollowUp
from xybot.doorbell import Doorbell
from xybot.errors import TransientError
from xybot.model import AccountId, ReplyMode, Text
from xybot.orders.goods import is_for
from xybot.splitting import split
from xybot.store import follow_ups
from xybot.store.afterwards import LATE
from xybot.store.follow_ups import Plan, Taken, Waiting, Wish
from xybot.store.orders import Order
from xybot.telling import followed, stepped
from xybot.template import render, variables
from xybot.trade import OrderFacts, OrderState
from xybot.xianyu import trade
from xybot.xianyu.mtop import Mtop

Judge: TypeAlias = Callable[[Sequence[str]], tuple[ReplyMode, str]]
"""Tells what becomes of messages, and why they are not sent."""

_AT_ONCE: Final = 20
_AGAIN: Final = 60_000
"""Milliseconds from a first failure to look an order up to the next try; longer after each."""
_LOOKED_UP: Final = frozenset({"item_title", "spec", "quantity"})
"""What only the order API tells of an order."""


@attrs.frozen(eq=False, kw_only=True)
class FollowingUp:
    """Says after steps of orders of one account what is to be said after them."""

    account: AccountId
    mtop: Mtop
    chronicle: Chronicle
    follow_ups: Callable[[], Sequence[FollowUp]]
    """Those of the moment, for all accounts."""
    judge: Judge
    longest: Callable[[], int]
    """Characters of one message, at the moment."""
    uuid: Callable[[], str]
    now_ms: Callable[[], int]
    """The platform's clock."""
    bell: Doorbell = attrs.Factory(Doorbell)
    """Rung when an order may have gone on."""

    async def serve(self, goods: Doorbell, sender: Doorbell) -> NoReturn:
        """Queue whatever is due, until cancelled.

        Args:
          goods: is rung when an order turned out to have gone on.
          sender: is rung when there is something to say.

        Raises:
          AttentionRequired: the account needs its seller.
        """
        while True:
            taken = await self._take()
            for waiting in taken.waiting:
                await self._one(waiting)
                goods.ring()
                sender.ring()
            if not taken.waiting:
                await self._wait(taken.next_due)

    async def _wait(self, due: int | None) -> None:
        left = math.inf if due is None else max(due - self.now_ms(), 0) / 1000
        with trio.move_on_after(left):
            await self.bell.wait()

    async def _one(self, waiting: Waiting) -> None:
        found = self._find(waiting)
        if found is None:
            await self.chronicle.store.insist(follow_ups.forget, waiting)
        elif (due := waiting.at + _ms(found)) > self.now_ms():
            await self.chronicle.store.insist(follow_ups.postpone, waiting, at=due)
        else:
            await self._say(waiting, found)

    async def _take(self) -> Taken:
        plans = [
            Plan(name=each.name, after=OrderState(each.when), delay=_ms(each))
            for each in self.follow_ups()
            if not each.accounts or self.account in each.accounts
        ]
        return await self.chronicle.store.insist(
            follow_ups.take, self.account, plans, most=_AT_ONCE, now=self.now_ms()
        )

    def _find(self, waiting: Waiting) -> FollowUp | None:
        """Return the follow-up that waits, as it is written by now."""
        named = (x for x in self.follow_ups() if x.name == waiting.name)
        return next((x for x in named if OrderState(x.when) is waiting.after), None)

    async def _say(self, waiting: Waiting, found: FollowUp) -> None:
        due, store = waiting.at + _ms(found), self.chronicle.store
        try:
            order = await self._looked_up(waiting, found)
        except TransientError:
            late = self.now_ms() - due
            if late <= LATE:
                again = self.now_ms() + max(_AGAIN, late)
                await store.insist(follow_ups.postpone, waiting, at=again)
                return
            order = waiting.order
        if order is None or not _is_meant(order, found):
            await store.insist(follow_ups.forget, waiting)
            return
        wish = self._wish(order, found, due)
        await self.chronicle.insist(
            lambda done: followed(self.account, done),
            follow_ups.say,
            waiting,
            wish,
            self.uuid,
            now=self.now_ms(),
        )

    async def _looked_up(self, waiting: Waiting, found: FollowUp) -> Order | None:
        """Return an order with what is known of it; None: nothing is to be said."""
        order, asks = waiting.order, waiting.after is OrderState.PLACED
        if order.role != "seller" or (asks and order.knife):
            return None
        if not asks and not _needs_more(order, found):
            return order
        facts = await trade.order_facts(self.mtop, order.id)
        if facts is None:
            return None if asks else order
        order = await self._learnt(order, facts)
        return None if asks and facts.state is not OrderState.PLACED else order

    async def _learnt(self, order: Order, facts: OrderFacts) -> Order:
        learnt = await self.chronicle.insist(
            lambda learnt: stepped(self.account, learnt.steps),
            follow_ups.learn,
            order,
            facts,
            now=self.now_ms(),
        )
        return learnt.order

    def _wish(self, order: Order, found: FollowUp, due: int) -> Wish:
        values = {
            "order_id": order.id,
            "send_user_name": order.name,
            "item_title": order.title or "",
            "spec": order.spec or "",
            "quantity": str(order.quantity or ""),
        }
        texts = tuple(split(render(found.text, values), self.longest()))
        mode, held = self.judge(texts)
        return Wish(contents=tuple(map(Text, texts)), due_at=due, mode=mode, held=held)


def _ms(found: FollowUp) -> int:
    return round(1000 * found.delay)


def _needs_more(order: Order, found: FollowUp) -> bool:
    """Tell whether a follow-up needs what only the order API tells, and nobody asked it yet."""
    if order.quantity is not None:
        return False
    by_title = found.title and order.item not in found.items
    return bool(by_title) or not _LOOKED_UP.isdisjoint(variables(found.text))


def _is_meant(order: Order, found: FollowUp) -> bool:
    if not found.items and not found.title:
        return True
    return order.item is not None and is_for(found, order.item, order.title)
