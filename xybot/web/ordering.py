"""What the seller does with an order; for the API and the console."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from xybot.events import Event
from xybot.model import AccountId, OrderId
from xybot.store import by_hand, sales
from xybot.store.by_hand import Granted, Wish
from xybot.store.sales import Story
from xybot.telling import advanced
from xybot.web.house import House
from xybot.web.problems import Problem, not_found
from xybot.web.sending import known


async def story(house: House, account: AccountId, order: OrderId) -> Story:
    """Return all that is known of an order, but for its codes.

    Raises:
      Problem: there is no such order.
    """
    known(house, account)
    found = await house.store.read(sales.story, account, order)
    if found is None:
        raise not_found(f"订单 {order}")
    return found


async def grant(house: House, account: AccountId, order: OrderId, wish: Wish) -> Story:
    """Have something done with an order; the account sees to it.

    Raises:
      Problem: 404 when there is no such order, 409 when it cannot be done.
    """
    await story(house, account, order)
    granted = await house.chronicle.insist(
        partial(_means, account),
        by_hand.grant,
        account,
        order,
        wish,
        house.uuid,
        now=house.clock(),
    )
    if granted.refused is not None:
        raise Problem(409, "refused", granted.refused)
    house.ring(account)
    return await story(house, account, order)


def _means(account: AccountId, granted: Granted) -> Iterator[Event]:
    for step in granted.steps:
        yield from advanced(account, step)
