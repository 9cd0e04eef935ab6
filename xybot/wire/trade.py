"""What a card or a card update says of an order (protocol.md §2.6).

Only the platform's own fields are read, never words that a person can type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any, Final

from xybot.model import OrderId, Role
from xybot.wire.fields import Fields, bare, digits, fields_at, query_of, text_at

_PERSON: Final = "S:1"
"""The `sourceId` of what a person sent; that of a platform task is `C2C:<task>`."""
_TASK_ROLE: Final[Mapping[str, Role]] = {"卖家": "seller", "买家": "buyer"}
#: Where an address of a card keeps the order id.
_ORDER_QUERIES: Final = ("bizorderid", "orderid")
_HREF: Final = re.compile(r"""\bhref\s*=\s*["']([^"'<>]+)["']""")
#: Real cards nest about eight deep; what is deeper is not read.
_DEEPEST: Final = 16


def order_of(extension: Fields, content: Fields, chat: str | None) -> OrderId | None:
    """Return the order a card speaks of: by `updateKey`, else by the card's addresses."""
    key = text_at(fields_at(extension, "extJson"), "updateKey")
    if key and (order := _order_of_key(key, bare(chat))):
        return OrderId(order)
    found = (_order_of_url(url) for url in _addresses(content))
    return next((OrderId(order) for order in found if order), None)


def sent_by_a_person(extension: Fields) -> bool:
    """Tell what came from a person's client, which can put a forged order into a card."""
    return text_at(fields_at(extension, "bizTag"), "sourceId") == _PERSON


def _order_of_key(key: str, chat: str | None) -> str | None:
    """Read `<chat>:<order>:<step>`, or the form that starts with the order id.

    The chat must be the chat of the message: a key of another conversation proves nothing.
    """
    first, *rest = key.split(":")
    if chat and first == chat:
        return digits(rest[0]) if rest else None
    # `<order>:…:20:BUYER_CONFIRM_RATE_SELLER:74`: an order id has 16 digits and more, a chat 11.
    others = [part for part in rest if len(part) >= 9 and digits(part)]
    ours = chat is not None and all(part == chat for part in others)
    return digits(first) if len(first) >= 16 and ours else None


def _order_of_url(url: str) -> str | None:
    query = query_of(url)
    if "order_detail" in url and (order := digits(query.get("id"))):
        return order
    return next((found for name in _ORDER_QUERIES if (found := digits(query.get(name)))), None)


def role_of(extension: Fields, content: Fields) -> Role | None:
    """Return what our account is in the trade: by an address's `role`, else by the task name."""
    for url in _addresses(content):
        match query_of(url).get("role", "").lower():
            case "seller":
                return "seller"
            case "buyer":
                return "buyer"
    task = text_at(fields_at(extension, "bizTag"), "taskName") or ""
    named = re.search(r"_(卖家|买家)", task)
    return _TASK_ROLE[named.group(1)] if named else None


def _addresses(content: Fields) -> Iterator[str]:
    """Yield the addresses of a card: its `…Url` fields, and the links of its HTML."""
    yield from _urls(content)
    for html in (text_at(content, "textCard", "content"), text_at(content, "tip", "tip")):
        yield from map(unescape, _HREF.findall(html or ""))


def _urls(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield each `…Url` field, the outermost first; titles and words may hold what people type."""
    if isinstance(value, list) and depth <= _DEEPEST:
        for each in value:
            yield from _urls(each, depth + 1)
    if not isinstance(value, Mapping) or depth > _DEEPEST:
        return
    for name, each in value.items():
        if isinstance(each, str) and name.lower().endswith("url"):
            yield each
    for each in value.values():
        yield from _urls(each, depth + 1)
