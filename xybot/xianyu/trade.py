"""Typed calls about orders: what one is, and what its seller does with it (protocol.md §5).

`TransientError`, `LoginRequired` and `VerificationRequired` travel, as from `Mtop.call`.  A call
whose answer was lost may be made again: to ship twice is refused as done, and so counts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, Final

from xybot.errors import Cause, TransientError
from xybot.model import ItemId, OrderId, UserId
from xybot.trade import OrderFacts
from xybot.wire import orders
from xybot.wire.fields import dig
from xybot.wire.orders import SoldPage
from xybot.xianyu.api import keep_alive, woken_once
from xybot.xianyu.mtop import AlreadyShipped, Forbidden, Mtop, NotFound, SessionExpired

_DETAIL: Final = "mtop.idle.web.trade.order.detail"
_SHIP: Final = "mtop.taobao.idle.logistic.consign.dummy"
_FREE_SHIPPING: Final = "mtop.idle.groupon.activity.seller.freeshipping"
_SOLD: Final = "mtop.taobao.idle.trade.merchant.sold.get"
_SHOP: Final[Mapping[str, str]] = {
    "idle_site_biz_code": "COMMONPRO",
    "Origin": "https://seller.goofish.com",
    "Referer": "https://seller.goofish.com/?site=COMMONPRO",
}
_PAGE: Final = 20
"""Orders on a page, as in capture 82."""


async def order_facts(mtop: Mtop, order: OrderId) -> OrderFacts | None:
    """Return what the platform knows of an order; None when this account has no such order."""
    try:
        data = await woken_once(mtop, mtop.call, _DETAIL, {"tid": order})
    except NotFound:
        return None
    named = orders.order_named(data)
    if named is not None and named != order:
        raise _unusable(_DETAIL, f"it answers for order {named}")
    return orders.facts(data)


async def ship(mtop: Mtop, order: OrderId) -> None:
    """Tell the platform that an order is shipped, without a parcel; done twice is done.

    Raises:
      NotFound: there is no such order.
    """
    wanted = {"orderId": order, "tradeText": "", "picList": [], "newUnconsign": True}
    with contextlib.suppress(AlreadyShipped):
        await woken_once(mtop, mtop.call, _SHIP, wanted)


async def free_shipping(mtop: Mtop, order: OrderId, *, item: ItemId, buyer: UserId) -> None:
    """Let a 小刀 order go on at its price without others who join; done twice is done.

    Whether it can be shipped then, `order_facts` and the next card tell.

    Raises:
      NotFound: there is no such order.
    """
    wanted = {"bizOrderId": order, "itemId": int(item), "buyerId": int(buyer)}
    try:
        data = await woken_once(mtop, mtop.call, _FREE_SHIPPING, wanted)
    except AlreadyShipped:
        return
    # The platform says SUCCESS for the call, and in its data whether it was done.
    if dig(data, "data") in (False, "false"):
        raise _unusable(_FREE_SHIPPING, "it was not done")


async def unshipped(mtop: Mtop, page: int) -> SoldPage:
    """Return a page, from 1, of the orders that wait for shipment.

    Raises:
      Forbidden: the account has no shop, or its login none of the shop's pages.
    """
    wanted = {
        "pageNumber": page,
        "rowsPerPage": _PAGE,
        "orderIds": "",
        "queryCode": "NOT_SHIP",
        "orderSearchParam": "{}",
    }
    found = orders.sold(await _as_shop(mtop, wanted))
    if found is None:
        raise _unusable(_SOLD, "no list in the answer")
    return found


async def _as_shop(mtop: Mtop, wanted: Mapping[str, Any]) -> Any:
    try:
        return await woken_once(mtop, mtop.call, _SOLD, wanted, site=_SHOP)
    except SessionExpired as exc:
        expired = exc
    # On the shop's pages it may mean their own session only (capture 77): a login that is gone
    # altogether does not pass a keep-alive.
    await keep_alive(mtop)
    raise Forbidden(
        f"卖家后台没有登录 (the shop's pages are not logged in): {expired}"
    ) from expired


def _unusable(api: str, why: str) -> TransientError:
    said = f"平台接口出错 (the gateway failed): {api}: {why}"
    return TransientError(said, cause=Cause.GATEWAY)
