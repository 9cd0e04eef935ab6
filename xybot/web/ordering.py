"""What the seller does with an order; for the API and the console."""

from __future__ import annotations

from xybot.model import AccountId, OrderId
from xybot.store import by_hand, sales
from xybot.store.by_hand import Wish
from xybot.store.sales import Story
from xybot.telling import stepped
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
        lambda granted: stepped(account, granted.steps),
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
