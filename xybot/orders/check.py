"""Whether what the order API tells fits what we know of an order: if not, nothing is given."""

from __future__ import annotations

from typing import Final

from xybot.config.goods import Goods
from xybot.store.orders import Order
from xybot.trade import OrderFacts

MOST: Final = 100
"""More pieces than this in one order are a mistake, somebody's."""
_NOT_SOLD: Final = "不能确定这是您卖的 (perhaps not sold by you)"
_NO_BUYER: Final = "不知道买家是谁 (its buyer is unknown)"
_OTHER_BUYER: Final = "平台说的买家和会话里的不是同一人 (not the buyer of this chat)"
_NO_ITEM: Final = "不知道是哪件商品 (its item is unknown)"
_OTHER_ITEM: Final = "平台说的商品和会话里的不是同一件 (not the item of this chat)"
_NO_STATE: Final = "看不懂平台说的状态 (a state that is not known): {words}"
_QUANTITY: Final = "数量不对：{n} (a strange quantity)"
_NO_QUANTITY: Final = "不知道买了几件 (its quantity is unknown)"
_NO_AMOUNT: Final = "不知道付了多少钱 (the amount is unknown)"
_TOO_LITTLE: Final = "只付了 {paid} 元，低于 min_amount {least} 元 (paid less than min_amount)"


def unfit(order: Order, facts: OrderFacts) -> str | None:
    """Return, in words for the seller, why an order cannot be trusted; None: it can."""
    buyer, item = order.buyer or facts.peer, order.item or facts.item
    if order.role != "seller":
        return _NOT_SOLD
    if buyer is None:
        return _NO_BUYER
    if facts.peer not in (None, buyer):
        return _OTHER_BUYER
    if item is None:
        return _NO_ITEM
    if facts.item not in (None, item):
        return _OTHER_ITEM
    if facts.state is None:
        return _NO_STATE.format(words=facts.words)
    if facts.quantity is None:
        return _NO_QUANTITY
    return None if 1 <= facts.quantity <= MOST else _QUANTITY.format(n=facts.quantity)


def underpaid(goods: Goods, facts: OrderFacts) -> str | None:
    """Return why the amount is not enough for some goods; None: it is."""
    if goods.min_amount is None:
        return None
    if facts.amount is None:
        return _NO_AMOUNT
    if facts.amount >= round(100 * goods.min_amount):
        return None
    return _TOO_LITTLE.format(paid=f"{facts.amount / 100:.2f}", least=f"{goods.min_amount:g}")
