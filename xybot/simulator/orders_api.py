"""The calls of the gateway that are about orders.

Assumptions about the platform:

* the detail of an order has the form of capture 84 (made up by its author; other clients read
  the same parts); which words its title has for 待付款, 已发货 and a refund: clients name them;
  for a 小刀 that waits, the numbers of `utArgs`, and several properties of a variant: unknown;
* an order of somebody else is refused like one that does not exist; with which code: unknown;
* shipping twice is refused with ORDER_ALREADY_DELIVERY (protocol.md §5); shipping what is not
  paid, or whose money is asked back, with some other code (unknown);
* to skip those who would join a 小刀 twice is a success both times, and `data.data` tells
  whether it was done (a public client; not recorded);
* what was sold is listed for accounts with a shop, and with the header of its pages, all
  numbers and booleans as text (capture 82), the newest first (unknown); a 小刀 that waits is
  listed among the unshipped with a button SKIP_PIN (a public client; in which list: unknown);
* any of these may tell what was true some seconds ago (unknown).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Final, TypeAlias

import attrs

from xybot.model import OrderId
from xybot.simulator import trade
from xybot.simulator.calls import Result
from xybot.simulator.desk import Desks
from xybot.simulator.payloads import Entry
from xybot.simulator.world import SimAccount, SimOrder, World

_NO_ORDER: Final = "FAIL_BIZ_ORDER_NOT_FOUND::订单不存在"
_SHIPPED: Final = "ORDER_ALREADY_DELIVERY::订单已发货"
_NOT_NOW: Final = "FAIL_BIZ_ORDER_STATUS_ERROR::订单状态不允许此操作"
_FORBIDDEN: Final = "PERMISSION_EXCEPTION::用户无权限访问当前站点[COMMONPRO]"
_SESSION_DEAD: Final = "FAIL_SYS_SESSION_EXPIRED::Session过期"
_WRONG: Final = "FAIL_BIZ_PARAM_INVALID::参数错误"
_SOLD: Final = "mtop.taobao.idle.trade.merchant.sold.get"
_BEIJING: Final = timezone(timedelta(hours=8))
#: Status -> the title of the detail, and how many of the nodes are done.
_TITLES: Final[Mapping[str, tuple[str, int]]] = {
    "待付款": ("等待买家付款", 1),
    "待刀成": ("待刀成", 1),
    "待发货": ("买家已付款，请尽快发货", 2),
    "已发货": ("等待买家收货", 3),
    "交易成功": ("交易成功", 4),
    "交易关闭": ("交易关闭", 1),
    "退款中": ("退款中", 2),
    "退款成功": ("退款成功", 2),
}
_NODES: Final = ("已拍下", "已付款", "待收货", "交易成功")
_UNSHIPPED: Final = ("待发货", "待刀成")


@attrs.define(eq=False)
class Orders:
    """Answers calls about orders."""

    world: World
    desks: Desks

    def answer(
        self, api: str, account: SimAccount, wanted: Mapping[str, Any], site: str | None
    ) -> Result:
        """Answer a call of `APIS`; `site` is the header that names the page it comes from."""
        switches = self.desks.of(account).switches
        if api == _SOLD and switches.shop_asleep:
            return Result(ret=(_SESSION_DEAD,))
        refused = api == _SOLD and not (account.has_shop and site == "COMMONPRO")
        if switches.orders_forbidden or refused:
            return Result(ret=(_FORBIDDEN,))
        return APIS[api](self, account, wanted)

    def detail(self, account: SimAccount, wanted: Mapping[str, Any]) -> Result:
        """Tell what an order is."""
        order = self._order(account, wanted.get("tid"))
        if order is None:
            return Result(ret=(_NO_ORDER,))
        peer = order.chat.peer(account.user_id)
        title, done = _TITLES[self._status(account, order)]
        nodes = [
            {"title": name, "completed": "true" if n < done else "false"}
            for n, name in enumerate(_NODES)
        ]
        status = {"orderStatusInfo": {"title": title}, "orderStatusNodeList": nodes}
        parts = {"orderInfoVO": _told(order), "addressInfoVO": {}, "orderStatusVO": status}
        data = {
            "orderId": order.id,
            "peerUserId": peer.id,
            "itemId": order.chat.item.id,
            "utArgs": {"orderStatus": str(done)},
            "components": [{"render": name, "data": part} for name, part in parts.items()],
        }
        return Result(data=data)

    def ship(self, account: SimAccount, wanted: Mapping[str, Any]) -> Result:
        """Take it that an order was shipped without a parcel."""
        order = self._sale(account, wanted.get("orderId"))
        if order is None:
            return Result(ret=(_NO_ORDER,))
        if order.shipment is not None:
            return Result(ret=(_SHIPPED,))
        if order.status != "待发货":
            return Result(ret=(_NOT_NOW,))
        self._push(account, trade.ship(self.world, order, by_hand=False))
        return Result(data={"result": "true"})

    def skip_pin(self, account: SimAccount, wanted: Mapping[str, Any]) -> Result:
        """Let a 小刀 have its price without others who join."""
        order = self._sale(account, wanted.get("bizOrderId"))
        if order is None:
            return Result(ret=(_NO_ORDER,))
        named = (str(wanted.get("itemId")), str(wanted.get("buyerId")))
        if named != (order.chat.item.id, order.chat.buyer.id):
            return Result(ret=(_WRONG,))
        if order.status == "待刀成":
            self._push(account, trade.cut(self.world, order))
        return Result(data={"data": order.knife and order.paid_at is not None})

    def sold(self, account: SimAccount, wanted: Mapping[str, Any]) -> Result:
        """List what was sold, page by page."""
        mine = [each for each in self.world.orders.values() if self._sale(account, each.id)]
        told = [(each, self._status(account, each)) for each in reversed(mine)]
        if wanted.get("queryCode") == "NOT_SHIP":
            told = [(each, status) for each, status in told if status in _UNSHIPPED]
        rows, page = int(wanted.get("rowsPerPage", 20)), int(wanted.get("pageNumber", 1))
        shown = told[(page - 1) * rows : page * rows]
        module = {
            "items": [_line(each, status) for each, status in shown],
            "lastEndRow": str(page * rows),
            "nextPage": "true" if page * rows < len(told) else "false",
            "totalCount": str(len(told)),
        }
        return Result(data={"module": module})

    def _order(self, account: SimAccount, id_: object) -> SimOrder | None:
        """Return an order that the account has a part in."""
        order = self.world.orders.get(OrderId(str(id_)))
        if order is None or account.user not in (order.chat.seller, order.chat.buyer):
            return None
        return order

    def _sale(self, account: SimAccount, id_: object) -> SimOrder | None:
        """Return an order that the account sells."""
        order = self._order(account, id_)
        return order if order is not None and order.chat.seller is account.user else None

    def _status(self, account: SimAccount, order: SimOrder) -> str:
        """Return what the account is told of an order, which may be late."""
        late = int(self.desks.of(account).switches.orders_late * 1000)
        return order.status_at(self.world.now_ms() - late)

    def _push(self, account: SimAccount, entries: tuple[Entry, ...]) -> None:
        self.desks.of(account).push(*entries)


_Call: TypeAlias = Callable[[Orders, SimAccount, Mapping[str, Any]], Result]
APIS: Final[Mapping[str, _Call]] = {
    "mtop.idle.web.trade.order.detail": Orders.detail,
    "mtop.taobao.idle.logistic.consign.dummy": Orders.ship,
    "mtop.idle.groupon.activity.seller.freeshipping": Orders.skip_pin,
    _SOLD: Orders.sold,
}
"""The calls about orders, all of version 1.0."""


def _told(order: SimOrder) -> dict[str, Any]:
    properties = order.sku.properties if order.sku else {}
    item = {
        "itemId": order.chat.item.id,
        "title": order.chat.item.title,
        "buyAmount": str(order.quantity),
        "specName": ";".join(properties),
        "specValue": ";".join(properties.values()),
    }
    return {"itemInfo": item, "priceInfo": {"amount": {"value": _yuan(order.amount)}}}


def _line(order: SimOrder, status: str) -> dict[str, Any]:
    chat = order.chat
    common = {
        "createTime": _date(order.created_at),
        "itemId": chat.item.id,
        "orderId": order.id,
        "orderStatus": status,
    }
    if order.paid_at is not None:
        common["paySuccessTime"] = _date(order.paid_at)
    pin = [{"name": "直接免拼", "tradeAction": "SKIP_PIN"}] if status == "待刀成" else []
    return {
        "buyerInfoVO": {"buyerId": chat.buyer.id, "userNick": chat.buyer.nick},
        "commonData": common,
        "itemVO": {"title": chat.item.title},
        "priceVO": {"totalPrice": _yuan(order.amount)},
        "rightVO": {"btnList": pin},
    }


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def _date(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, _BEIJING).strftime("%Y-%m-%d %H:%M:%S")
