"""The platform's words for the steps of an order (protocol.md §2.6, §5).

Words are compared whole: those that are not listed tell no step, and then nothing is done.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import attrs

from xybot.trade import OrderState


@attrs.frozen
class Step:
    """A step of an order, as the platform tells of it."""

    state: OrderState
    knife: bool = False
    """小刀: paid, and not to be shipped before its price is cut."""


_PLACED: Final = Step(OrderState.PLACED)
_PAID: Final = Step(OrderState.PAID)
_CONFIRMED: Final = Step(OrderState.CONFIRMED)
_COMPLETED: Final = Step(OrderState.COMPLETED)
_REFUNDING: Final = Step(OrderState.REFUNDING)
_REFUNDED: Final = Step(OrderState.REFUNDED)
_CLOSED: Final = Step(OrderState.CLOSED)

#: Titles of cards, tips, red reminders, and states of the order API.  That somebody rated, or
#: should, is left out: it tells nothing of where the order stands.
_WORDS: Final[Mapping[str, Step]] = {
    "我已拍下，待付款": _PLACED,
    "买家已拍下，待付款": _PLACED,
    "我已修改价格，等待你付款": _PLACED,
    "等待买家付款": _PLACED,
    "待付款": _PLACED,
    "我已付款，等待你发货": _PAID,
    "已付款，待发货": _PAID,
    "买家已付款": _PAID,
    "买家已付款，请尽快发货": _PAID,
    "付款完成": _PAID,
    "等待卖家发货": _PAID,
    "记得及时发货": _PAID,
    "待发货": _PAID,
    "我已小刀，待刀成": Step(OrderState.PAID, knife=True),
    "待刀成": Step(OrderState.PAID, knife=True),
    "我已成功小刀，待发货": _PAID,
    "你已发货": _CONFIRMED,
    "你已发货，请等待买家确认收货": _CONFIRMED,
    "记得及时确认收货": _CONFIRMED,
    "等待买家收货": _CONFIRMED,
    "等待买家确认收货": _CONFIRMED,
    "已发货": _CONFIRMED,
    "待收货": _CONFIRMED,
    "买家确认收货，交易成功": _COMPLETED,
    "你已确认收货，交易成功": _COMPLETED,
    "交易成功": _COMPLETED,
    "我发起了退款申请": _REFUNDING,
    "买家申请退款": _REFUNDING,
    "退款中": _REFUNDING,
    "退款成功，钱款已原路退返": _REFUNDED,
    "退款成功": _REFUNDED,
    "你关闭了订单，钱款已原路退返": _CLOSED,
    "未付款，买家关闭了订单": _CLOSED,
    "交易关闭": _CLOSED,
}
#: A part of an `updateKey`, between its colons.
_KEYS: Final[Mapping[str, Step]] = {
    "1_not_pay_seller": _PLACED,
    "BUYER_CREATE_ORDER": _PLACED,
    "TRADE_MODIFY_FEE_SELLER": _PLACED,
    "TRADE_PAID": _PAID,
}
#: What stands in a `taskName` before the side it is for.
_TASKS: Final[Mapping[str, Step]] = {
    "已拍下_未付款": _PLACED,
    "付款完成待发货": _PAID,
    "提醒发货已发货": _CONFIRMED,
    "发起退款申请": _REFUNDING,
    "退款申请已同意": _REFUNDED,
    "买家关闭订单": _CLOSED,
}
_TAG: Final = re.compile(r"<[^<>]*>")
_SIDE: Final = re.compile(r"_(?:卖家|买家)")


def bare_words(shown: str) -> str:
    """Return what is shown without its marks: no tags, no brackets, one kind of comma."""
    return _TAG.sub("", shown).strip().strip("[]").strip().replace(",", "，")


def of_words(shown: str) -> Step | None:
    """Return the step that words of the platform tell."""
    return _WORDS.get(bare_words(shown))


def of_key(rest: str) -> Step | None:
    """Return the step that the end of an `updateKey` names."""
    return next((step for part in rest.split(":") if (step := _KEYS.get(part))), None)


def of_task(name: str) -> Step | None:
    """Return the step of a task of the platform, `付款完成待发货_卖家-正向升级`."""
    return _TASKS.get(_SIDE.split(name, maxsplit=1)[0])
