"""What a card, a tip, an edit or a red reminder tells of an order (protocol.md §2.6).

Only the platform's own fields are read, never words that a person can type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any, Final

from xybot.model import OrderId, Role, UserId
from xybot.trade import Trade, TradeSource
from xybot.wire import steps
from xybot.wire.fields import Fields, dig, digits, fields_at, query_of, text_at
from xybot.wire.pushes import Facts
from xybot.wire.steps import Step

_PERSON: Final = "S:1"
"""The `sourceId` of what a person sent; that of a platform task is `C2C:<task>`."""
_TYPED: Final = "u"
"""The `tag` of what a person sent."""
_TASK_ROLE: Final[Mapping[str, Role]] = {"卖家": "seller", "买家": "buyer"}
#: Where an address of a card keeps the order id.
_ORDER_QUERIES: Final = ("bizorderid", "orderid")
_HREF: Final = re.compile(r"""\bhref\s*=\s*["']([^"'<>]+)["']""")
#: Real cards nest about eight deep; what is deeper is not read.
_DEEPEST: Final = 16


def read(
    facts: Facts, extension: Fields, content: Fields, source: TradeSource, self_id: UserId | None
) -> Trade | None:
    """Return what a message tells of an order; None: nothing, or a person sent it.

    Args:
      facts: what else is known of the message.
      extension: the map `10` of it, or that of its edit.
      content: what it shows; empty where only the extension came.
      source: what kind of message it is.
      self_id: whose chat it stands in.
    """
    if facts.chat is None or sent_by_a_person(extension):
        return None
    by_key, rest = _of_key(extension, facts.chat)
    order = by_key or _order_of_addresses(content or extension)
    shown = tuple(_shown(extension, content))
    step = _step(extension, shown, rest, source)
    if order is None and step is None:
        return None
    role = _role_of(extension, content or extension)
    return Trade(
        order=OrderId(order) if order else None,
        chat=facts.chat,
        state=step.state if step else None,
        role=role,
        buyer=None if role == "buyer" else _peer(facts, extension, self_id),
        item=facts.item,
        knife=step is not None and step.knife,
        source=source,
        words=shown[0] if shown else text_at(extension, "redReminder") or "",
        at=facts.sent_at,
    )


def of_reminder(facts: Facts) -> Trade | None:
    """Return what a chat's red reminder tells; which of its orders it means, it does not say."""
    words = facts.text or ""
    step = steps.of_words(words)
    if facts.chat is None or step is None:
        return None
    return Trade(
        order=None,
        chat=facts.chat,
        state=step.state,
        role=None,
        source="reminder",
        words=words,
        at=facts.sent_at,
    )


def sent_by_a_person(extension: Fields) -> bool:
    """Tell what came from a person's client, which can put a forged order into a card.

    A client's name is enough: only what people send has one.
    """
    source = text_at(fields_at(extension, "bizTag"), "sourceId")
    tag = text_at(fields_at(extension, "extJson"), "tag")
    return source == _PERSON or tag == _TYPED or text_at(extension, "_platform") is not None


def _step(extension: Fields, shown: tuple[str, ...], rest: str, source: TradeSource) -> Step | None:
    """Return the step: by what is shown, which an edit renews, else by how it was filed.

    An edit keeps the key, the task and the red reminder of what the card once was (capture 29),
    so these speak only where an edit shows nothing.
    """
    found = (steps.of_words(words) for words in shown)
    if (step := next((each for each in found if each), None)) is not None:
        return step
    if shown and source == "update":
        return None
    task = text_at(fields_at(extension, "bizTag"), "taskName") or ""
    reminder = text_at(extension, "redReminder") or ""
    return steps.of_key(rest) or steps.of_task(task) or steps.of_words(reminder)


def _shown(extension: Fields, content: Fields) -> Iterator[str]:
    """Yield what the platform shows; the title of an item card is the words of its seller."""
    changed = fields_at(content, "dynamicOperation", "changeContent")
    for card in (content, changed):
        if title := text_at(card, "dxCard", "item", "main", "exContent", "title"):
            yield steps.bare_words(title)
    if tip := text_at(content, "tip", "tip"):
        yield steps.bare_words(tip)
    reminder = text_at(extension, "reminderContent")
    if reminder and dig(content, "itemCard") is None:
        yield steps.bare_words(reminder)


def _peer(facts: Facts, extension: Fields, self_id: UserId | None) -> UserId | None:
    """Return the other side: a card of the platform bears the name of either."""
    address = query_of(text_at(extension, "reminderUrl")).get("peeruserid")
    known = (UserId(user) for user in map(digits, (address, facts.sender)) if user)
    return next((user for user in known if user != self_id), None)


def _of_key(extension: Fields, chat: str) -> tuple[str | None, str]:
    """Return the order and the step of `<chat>:<order>:<step>`, or of what starts with the order.

    The chat must be the chat of the message: a key of another conversation proves nothing.
    """
    key = text_at(fields_at(extension, "extJson"), "updateKey") or ""
    first, *rest = key.split(":")
    if first == chat:
        return (digits(rest[0]), ":".join(rest[1:])) if rest else (None, "")
    # `<order>:…:20:BUYER_CONFIRM_RATE_SELLER:74`: an order id has 16 digits and more, a chat 11.
    others = [part for part in rest if len(part) >= 9 and digits(part)]
    if len(first) >= 16 and all(part == chat for part in others):
        return digits(first), ":".join(rest)
    return None, ""


def _order_of_addresses(content: Fields) -> str | None:
    found = (_order_of_url(url) for url in _addresses(content))
    return next((order for order in found if order), None)


def _order_of_url(url: str) -> str | None:
    query = query_of(url)
    if "order_detail" in url and (order := digits(query.get("id"))):
        return order
    return next((found for name in _ORDER_QUERIES if (found := digits(query.get(name)))), None)


def _role_of(extension: Fields, content: Fields) -> Role | None:
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
