"""What the platform's order API tells (protocol.md §5, captures 82 to 84).

Nobody recorded a whole answer, so whatever is missing or new is None: unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from itertools import zip_longest
from typing import Any, Final

import attrs

from xybot.model import ItemId, OrderId, UserId
from xybot.trade import OrderFacts, OrderState
from xybot.wire import steps
from xybot.wire.fields import Fields, dig, digits, fields_at, text_at
from xybot.wire.items import fen

#: Done steps in the list of nodes that have other words than elsewhere.
_NODES: Final[Mapping[str, OrderState]] = {
    "已拍下": OrderState.PLACED,
    "已付款": OrderState.PAID,
}
_SKIP_PIN: Final = "SKIP_PIN"
"""The button 直接免拼 of an order that waits for its price to be cut."""
_BEIJING: Final = timezone(timedelta(hours=8))
_SEVERAL: Final = re.compile(r"\s*[;；]\s*")
_MOST: Final = 10**9


@attrs.frozen(kw_only=True)
class Sold:
    """An order in the list of what was sold."""

    order: OrderId
    state: OrderState | None
    words: str
    """The state in the platform's words."""
    item: ItemId | None
    buyer: UserId | None
    title: str
    amount: int | None
    """Fen."""
    paid_at: int | None
    """Milliseconds since 1970."""
    knife: bool
    """小刀: it is waiting for its price to be cut."""


@attrs.frozen(kw_only=True)
class SoldPage:
    """Some of what was sold."""

    orders: tuple[Sold, ...]
    more: bool
    """Whether there is a next page."""


def order_named(data: Any) -> str | None:
    """Return the order that an answer says it is about; most answers do not say."""
    return digits(text_at(data, "orderId")) or digits(text_at(data, "tid"))


def facts(data: Any) -> OrderFacts:
    """Read the `data` of an answer of `mtop.idle.web.trade.order.detail`."""
    told, status = _component(data, "orderInfoVO"), _component(data, "orderStatusVO")
    item = fields_at(told, "itemInfo")
    peer = digits(text_at(data, "peerUserId"))
    id_ = digits(text_at(data, "itemId")) or digits(text_at(item, "itemId"))
    words = text_at(fields_at(status, "orderStatusInfo"), "title") or ""
    step = steps.of_words(words)
    knife = step is not None and step.knife
    state = step.state if step and not knife else None
    amount = fields_at(told, "priceInfo").get("amount")
    return OrderFacts(
        peer=UserId(peer) if peer else None,
        item=ItemId(id_) if id_ else None,
        state=state if words else _last_done(status),
        words=words,
        quantity=_count(item.get("buyAmount")),
        spec=_spec(item),
        amount=fen(dig(amount, "value") if isinstance(amount, dict) else amount),
        title=text_at(item, "title") or "",
        knife=knife,
    )


def sold(data: Any) -> SoldPage | None:
    """Read the `data` of an answer of `mtop.taobao.idle.trade.merchant.sold.get`.

    None: there is no list in it, which is not the same as an empty one.
    """
    module = fields_at(data, "module")
    items = module.get("items")
    if not isinstance(items, list):
        return None
    orders = tuple(found for each in items if (found := _sold(each)) is not None)
    return SoldPage(orders=orders, more=_is_true(module.get("nextPage")))


def _component(data: Any, name: str) -> Fields:
    """Return the data of the part of that name."""
    named = (each for each in _list(dig(data, "components")) if dig(each, "render") == name)
    return next((fields_at(each, "data") for each in named), {})


def _last_done(status: Fields) -> OrderState | None:
    """Return the last step of the list that is done: steps to come stand in it as well."""
    nodes = _list(status.get("orderStatusNodeList"))
    done = [each for each in nodes if _is_true(dig(each, "completed"))]
    title = steps.bare_words(text_at(done[-1], "title") or "") if done else ""
    step = steps.of_words(title)
    return _NODES.get(title) if step is None or step.knife else step.state


def _spec(item: Fields) -> str:
    """Return the variant as `名:值`, several joined with `;`; empty: the item has none."""
    names, values = parts(item.get("specName")), parts(item.get("specValue"))
    if not values:
        return ";".join(parts(item.get("skuInfo")))
    pairs = zip_longest(names[: len(values)], values)
    return ";".join(f"{name}:{value}" if name else value for name, value in pairs)


def parts(told: object) -> list[str]:
    """Return the parts of a specification, with plain colons and no edges.

    They stand between semicolons, or in a list.
    """
    texts = (each for each in _list(told) or [told] if isinstance(each, str))
    found = (part.strip() for each in texts for part in _SEVERAL.split(each))
    return [part.replace("：", ":") for part in found if part]


def _sold(each: object) -> Sold | None:
    common, buyer = fields_at(each, "commonData"), fields_at(each, "buyerInfoVO")
    order = digits(text_at(common, "orderId"))
    if order is None:
        return None
    words = text_at(common, "orderStatus") or ""
    step = steps.of_words(words)
    item, user = digits(text_at(common, "itemId")), digits(text_at(buyer, "buyerId"))
    knife = (step is not None and step.knife) or _SKIP_PIN in _actions(each)
    return Sold(
        order=OrderId(order),
        state=step.state if step and not knife else None,
        words=words,
        item=ItemId(item) if item else None,
        buyer=UserId(user) if user else None,
        title=text_at(fields_at(each, "itemVO"), "title") or "",
        amount=fen(fields_at(each, "priceVO").get("totalPrice")),
        paid_at=_time(text_at(common, "paySuccessTime")),
        knife=knife,
    )


def _actions(each: object) -> Iterator[str | None]:
    """Yield what its buttons do."""
    for button in _list(fields_at(each, "rightVO").get("btnList")):
        yield text_at(button, "tradeAction")


def _time(text: str | None) -> int | None:
    """Read `2026-05-07 19:50:11`, which is Beijing's time."""
    try:
        at = datetime.strptime(text or "", "%Y-%m-%d %H:%M:%S").replace(tzinfo=_BEIJING)
    except ValueError:
        return None
    return int(at.timestamp()) * 1000


def _count(told: object) -> int | None:
    """Read a whole number of things; None for anything that is none."""
    if isinstance(told, str) and re.fullmatch(r"\s*[0-9]{1,10}\s*", told):
        told = int(told)
    if isinstance(told, bool) or not isinstance(told, int):
        return None
    return told if 0 <= told <= _MOST else None


def _list(told: object) -> list[Any]:
    return told if isinstance(told, list) else []


def _is_true(told: object) -> bool:
    """Tell a yes, which comes as a bool or as its word."""
    return told is True or (isinstance(told, str) and told.strip().lower() == "true")
