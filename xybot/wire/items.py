"""What the platform tells of a thing for sale (protocol.md §5, capture 79).

Numbers come as numbers or as text; the price of an item is text in yuan, that of a variant
is in fen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Final

from xybot.model import Item, ItemId, Sku, UserId
from xybot.wire.fields import dig, digits, number_at, text_at

_STATUS: Final[Mapping[int | None, str]] = {0: "在线", -2: "已下架"}
"""The words for `itemStatus`, where `itemStatusStr` is missing."""
_MOST: Final = 10**12
"""No price in fen and no stock is above this; what is, is noise."""


def read(data: Any) -> Item | None:
    """Read the `data` of an answer of `mtop.taobao.idle.pc.detail`; None: it names no item."""
    told = dig(data, "itemDO")
    id_ = digits(text_at(told, "itemId"))
    if id_ is None:
        return None
    seller = digits(text_at(data, "sellerDO", "sellerId"))
    return Item(
        id=ItemId(id_),
        title=text_at(told, "title") or "",
        price=fen(dig(told, "soldPrice")),
        stock=_count(told, "quantity"),
        status=text_at(told, "itemStatusStr") or _STATUS.get(number_at(told, "itemStatus"), ""),
        description=text_at(told, "desc") or "",
        seller=UserId(seller) if seller else None,
        skus=tuple(_skus(dig(told, "skuList"))),
        pictures=tuple(_pictures(dig(told, "imageInfos"))),
    )


def fen(yuan: object) -> int | None:
    """Return an amount in yuan, a number or text, as fen; None when it is no such amount."""
    if isinstance(yuan, bool) or not isinstance(yuan, str | int | float):
        return None
    try:
        amount = Decimal(str(yuan).strip().lstrip("¥￥")) * 100
    except (InvalidOperation, ValueError):
        return None
    # First the bounds: NaN is outside of any, and rounding needs a number that it can hold.
    if not amount.is_finite() or not 0 <= amount <= _MOST:
        return None
    return int(amount.to_integral_value(ROUND_HALF_UP))


def _count(value: object, key: str) -> int | None:
    found = number_at(value, key)
    return found if found is not None and 0 <= found <= _MOST else None


def _skus(told: object) -> Iterator[Sku]:
    for each in told if isinstance(told, list) else ():
        if (id_ := text_at(each, "skuId")) is not None:
            price = _count(each, "priceInCent")
            yield Sku(
                id=id_,
                name=" ".join(_properties(dig(each, "propertyList"))),
                price=_count(each, "price") if price is None else price,
                stock=_count(each, "quantity"),
            )


def _properties(told: object) -> Iterator[str]:
    for each in told if isinstance(told, list) else ():
        value = text_at(each, "actualValueText") or text_at(each, "valueText")
        name = text_at(each, "propertyText")
        if value:
            yield f"{name}:{value}" if name else value


def _pictures(told: object) -> Iterator[str]:
    for each in told if isinstance(told, list) else ():
        if url := text_at(each, "url"):
            yield url
