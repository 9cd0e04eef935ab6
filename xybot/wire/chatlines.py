"""Reading a message (objectType 40000): what was said, by whom, and whether by a person.

protocol.md §2.3 and §2.4.  `read` takes the payload in the form of a push; a model of the
history becomes that form by `from_history`.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

import attrs

from xybot.model import ChatId, Content, Image, ItemId, Media, MessageId, Text, UserId
from xybot.wire import trade
from xybot.wire.fields import (
    Fields,
    bare,
    dig,
    digits,
    fields_at,
    message_id,
    number_at,
    query_of,
    text_at,
)
from xybot.wire.pushes import Card, Facts, Other, Own, Push, Spoken, Tip

TEXT, IMAGE, VOICE, VIDEO, EXPRESSION = 1, 2, 3, 4, 5
#: What people send each other; all else is written by the platform.
_BY_PEOPLE: Final = frozenset({TEXT, IMAGE, VOICE, VIDEO, EXPRESSION})
_CARDS: Final = frozenset({6, 7, 25, 26, 28, 32})
_TIP: Final = 14
_WRAPPED: Final = 101
#: 闲小蜜, and the system sender of the messaging service.
PLATFORM_SENDERS: Final = frozenset({"1400", "4611686018427387296"})
#: A key of the content -> its type, where the number is missing.
_TYPE_BY_KEY: Final = {
    "text": TEXT,
    "image": IMAGE,
    "audio": VOICE,
    "expression": EXPRESSION,
    "video": VIDEO,
    "textCard": 6,
    "itemCard": 7,
    "tip": _TIP,
    "dxCard": 26,
    "dynamicOperation": 32,
}


def read(fields: Fields, self_id: UserId | None) -> Push:
    """Read a message; anything missing is None in its facts."""
    said = fields_at(fields, "1")
    extension = _unfolded(fields_at(said, "10"))
    content = _content(fields_at(said, "6"), extension)
    kind = _content_type(said, extension, content)
    facts = _facts(said, extension, content, kind, self_id)
    if kind in _CARDS:
        told = trade.read(facts, extension, content, "card", self_id)
        return Card(facts=attrs.evolve(facts, trade=told))
    if kind == _TIP:
        told = trade.read(facts, extension, content, "tip", self_id)
        return Tip(facts=attrs.evolve(facts, trade=told))
    if kind not in _BY_PEOPLE and not (kind is None and _bodiless(said)):
        return Other(facts=facts)
    spoken = _spoken(kind, content, facts.text)
    if self_id is not None and facts.sender == self_id:
        return Own(facts=facts, content=spoken)
    return Spoken(facts=facts, content=spoken)


def from_history(model: Fields) -> Fields:
    """Turn a `userMessageModel` of listUserMessages into the form of a push."""
    message = fields_at(model, "message")
    custom = fields_at(message, "content", "custom")
    wrapped = {"1": custom.get("data"), "2": custom.get("summary"), "4": custom.get("type")}
    body = {"6": {"1": _WRAPPED, "3": wrapped}} if custom else {}
    return {
        "1": {
            "1": {"1": dig(message, "sender", "uid")},
            "2": message.get("cid"),
            "3": message.get("messageId"),
            "5": message.get("createAt"),
            **body,
            "7": message.get("receiverCount"),
            "10": fields_at(message, "extension"),
        },
        "3": fields_at(model, "userExtension"),
    }


def _content(wrapper: Fields, extension: Fields) -> Fields:
    """Return the content: field 5 as JSON, else field 1 as JSON or as base64 of it (§2.3)."""
    inner = fields_at(wrapper, "3")
    for form in (inner.get("5"), inner.get("1"), _unbase64(text_at(inner, "1"))):
        if found := fields_at(form):
            return found
    return fields_at(extension, "dynamicOperation", "changeContent")


def _unbase64(text: str | None) -> str | None:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8") if text else None
    except (binascii.Error, ValueError):
        return None


def _unfolded(extension: Fields) -> Fields:
    """Read the JSON texts inside the extension once; each is asked for several times."""
    texts = ("bizTag", "extJson")
    return {**extension, **{name: fields_at(extension, name) for name in texts}}


def _content_type(said: Fields, extension: Fields, content: Fields) -> int | None:
    """Return the type by number, else by what the content holds."""
    held = next((kind for key, kind in _TYPE_BY_KEY.items() if key in content), None)
    numbers = (
        number_at(said, "6", "3", "4"),
        number_at(content, "contentType"),
        number_at(fields_at(extension, "extJson"), "contentType"),
    )
    named = next((n for n in numbers if n not in (None, _WRAPPED)), None)
    return held if named is None else named


def _bodiless(said: Fields) -> bool:
    """Tell a line that came as a reminder only: the app shows it as plain words."""
    return "6" not in said and text_at(said, "10", "reminderContent") is not None


def _facts(
    said: Fields, extension: Fields, content: Fields, kind: int | None, self_id: UserId | None
) -> Facts:
    by_people = kind in _BY_PEOPLE or (kind is None and _bodiless(said))
    chat = bare(text_at(said, "2"))
    sender = bare(text_at(said, "1", "1")) or bare(text_at(extension, "senderUserId"))
    # In a card both names are captions.
    name = text_at(extension, "senderUserName") or text_at(extension, "reminderTitle")
    return Facts(
        message=MessageId(id_) if (id_ := message_id(dig(said, "3"))) else None,
        chat=ChatId(chat) if chat else None,
        sender=UserId(sender) if sender else None,
        sender_name=name if by_people and sender not in PLATFORM_SENDERS else None,
        text=_words(said, extension, content),
        content_type=kind,
        item=item_of(extension, content),
        sent_at=number_at(said, "5"),
        from_human=by_people and sender != self_id and _typed_by_a_person(said, extension, sender),
    )


def _typed_by_a_person(said: Fields, extension: Fields, sender: str | None) -> bool:
    """Apply the marks of §2.3: `sourceId` S:1 or tag u, in a personal session."""
    if sender in PLATFORM_SENDERS:
        return False
    if text_at(extension, "sessionType") not in (None, "1"):
        return False
    source = text_at(fields_at(extension, "bizTag"), "sourceId")
    tag = text_at(fields_at(extension, "extJson"), "tag")
    if source is None and tag is None:
        # Both marks gone: a line to two receivers is a person's, one to a single side is not.
        return number_at(said, "7") == 2 and "taskName" not in fields_at(extension, "bizTag")
    return trade.sent_by_a_person(extension)


def _words(said: Fields, extension: Fields, content: Fields) -> str | None:
    own = text_at(content, "text", "text") or text_at(content, "text")
    tip = text_at(content, "tip", "tip")
    title = text_at(content, "dxCard", "item", "main", "exContent", "title")
    summary = text_at(said, "6", "3", "2") or text_at(extension, "reminderContent")
    card = _untagged(text_at(content, "textCard", "title"))
    return own or summary or tip or title or card or text_at(content, "itemCard", "item", "title")


def _untagged(text: str | None) -> str | None:
    return re.sub(r"<[^<>]*>", "", text) or None if text else None


def item_of(extension: Fields, content: Fields) -> ItemId | None:
    """Return the item a message is about: by its address, else by the item it shows."""
    candidates = (
        query_of(text_at(extension, "reminderUrl")).get("itemid"),
        text_at(extension, "itemId"),
        text_at(content, "itemCard", "item", "itemId"),
    )
    return next((ItemId(item) for each in candidates if (item := digits(each))), None)


def _spoken(kind: int | None, content: Fields, words: str | None) -> Content:
    match kind:
        case 2:
            return _image(content)
        case 3 if "expression" in content:
            return Media("expression", text_at(content, "expression", "iconUrl") or "")
        case 3:
            return Media("voice", text_at(content, "audio", "url") or "")
        case 4:
            return Media("video", text_at(content, "video", "url") or "")
        case 5:
            return Media("expression", text_at(content, "expression", "iconUrl") or "")
    return Text(words or "")


def _image(content: Fields) -> Image:
    pictures = dig(content, "image", "pics")
    first = pictures[0] if isinstance(pictures, list) and pictures else {}
    return Image(
        text_at(first, "url") or "",
        number_at(first, "width") or 0,
        number_at(first, "height") or 0,
    )
