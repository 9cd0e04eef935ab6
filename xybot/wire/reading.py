"""From a decoded entry to what it means: shapes first, the number of the type second.

The shapes are those of protocol.md §2.2 and work on every recording; `objectType` decides
only where a shape was never recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import attrs

from xybot.model import ChatId, ItemId, MessageId, Role, Text, UserId
from xybot.wire import chatlines, trade
from xybot.wire.fields import (
    Fields,
    bare,
    digits,
    fields_at,
    is_address,
    is_message_id,
    message_id,
    number_at,
    text_at,
)
from xybot.wire.payload import Entry
from xybot.wire.pushes import (
    Arouse,
    ConversationUpdate,
    Facts,
    MessagePointer,
    MessageUpdate,
    Other,
    Own,
    Push,
    ReadReceipt,
    Recall,
    Spoken,
    Typing,
    Undecodable,
)

_MESSAGE: Final = 40000
_RECALL: Final = 40104
_AROUSE: Final = 8
_MESSAGE_UPDATES: Final = frozenset({40101, 40105, 40108})
_CONVERSATION_UPDATES: Final = frozenset({40001, 40002, 40003, 40004, 40005, 40010, 40106})


def read(entry: Entry, self_id: UserId | None) -> Push:
    """Return what an entry means to the account `self_id`; never raises."""
    if entry.fields is None:
        return Undecodable(damage=entry.damage or "unreadable")
    if "operation" in entry.fields:
        return _operation(entry.fields, self_id)
    if entry.object_type == _RECALL:  # Never recorded, so it may look like a receipt.
        return Recall(facts=_guessed(entry.fields))
    shape = _by_shape(entry.fields)
    if shape is None and entry.object_type == _MESSAGE:
        shape = chatlines.read
    return shape(entry.fields, self_id) if shape else _by_number(entry)


_Reader = Callable[[Fields, UserId | None], Push]


def _by_shape(fields: Fields) -> _Reader | None:
    match fields:
        case {"1": {"10": _} | {"6": _}}:
            return chatlines.read
        case {"1": [*first]}:
            return _by_list(first)
        case {"1": str(id_), "4": dict()} if is_message_id(id_):
            return _message_update
        case {"1": str(id_), "4": chat} if is_message_id(id_) and is_address(chat):
            return _receipt
        case {"1": str(chat), "3": str(id_)} if is_address(chat) and is_message_id(id_):
            return _pointer
        case {"1": str(chat), "3": dict()} if is_address(chat):
            return _conversation_update
    return None


def _by_list(first: list[object]) -> _Reader | None:
    if first and all(isinstance(each, Mapping) for each in first):
        return _typing
    return _receipts if first and all(isinstance(each, str) for each in first) else None


def _by_number(entry: Entry) -> Push:
    facts = _guessed(entry.fields or {})
    if entry.object_type in _MESSAGE_UPDATES:
        return MessageUpdate(facts=facts)
    if entry.object_type in _CONVERSATION_UPDATES:
        return ConversationUpdate(facts=facts)
    return Other(facts=facts)


def _guessed(fields: Fields) -> Facts:
    """Find the ids of a shape that nobody recorded: they look like nothing else."""
    texts = tuple(_texts(fields))
    message = next((found for text in texts if (found := message_id(text))), None)
    chat = next((bare(text) for text in texts if is_address(text)), None)
    return Facts(message=_message(message), chat=_chat(chat))


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    """Yield the texts of a payload down to the second level, where ids can be."""
    if isinstance(value, str):
        yield value
    elif depth <= 1 and isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(inner, depth + 1)


def _typing(fields: Fields, self_id: UserId | None) -> Push:
    # Field 4 is the account itself in both recordings, so who types is not known.
    first = fields["1"][0]
    facts = Facts(chat=_chat(text_at(first, "1")))
    return Typing(facts=facts, started=number_at(first, "3") == 1)


def _receipt(fields: Fields, self_id: UserId | None) -> Push:
    message = _message(message_id(fields["1"]))
    facts = Facts(message=message, chat=_chat(fields["4"]), sent_at=number_at(fields, "6"))
    return ReadReceipt(facts=facts, messages=(message,) if message else ())


def _receipts(fields: Fields, self_id: UserId | None) -> Push:
    read = tuple(MessageId(found) for each in fields["1"] if (found := message_id(each)))
    facts = Facts(
        message=read[0] if len(read) == 1 else None,
        chat=_chat(text_at(fields, "3")),
        sent_at=number_at(fields, "5"),
    )
    return ReadReceipt(facts=facts, messages=read)


def _pointer(fields: Fields, self_id: UserId | None) -> Push:
    facts = Facts(
        message=_message(message_id(fields["3"])),
        chat=_chat(fields["1"]),
        sent_at=number_at(fields, "4"),
    )
    return MessagePointer(facts=facts)


def _conversation_update(fields: Fields, self_id: UserId | None) -> Push:
    facts = Facts(
        chat=_chat(fields["1"]),
        text=text_at(fields, "3", "redReminder"),
        sent_at=number_at(fields, "4"),
    )
    return ConversationUpdate(facts=attrs.evolve(facts, trade=trade.of_reminder(facts)))


def _message_update(fields: Fields, self_id: UserId | None) -> Push:
    extension = fields_at(fields, "4")
    content = fields_at(extension, "dynamicOperation", "changeContent")
    chat, sender = text_at(fields, "2"), text_at(extension, "senderUserId")
    facts = Facts(
        message=_message(message_id(fields["1"])),
        chat=_chat(chat),
        sender=UserId(sender) if sender else None,
        text=text_at(extension, "reminderContent") or text_at(extension, "redReminder"),
        content_type=number_at(fields_at(extension, "extJson"), "contentType"),
        item=chatlines.item_of(extension, content),
        sent_at=number_at(fields, "5"),
    )
    told = trade.read(facts, extension, content, "update", self_id)
    return MessageUpdate(facts=attrs.evolve(facts, trade=told))


def _operation(fields: Fields, self_id: UserId | None) -> Push:
    """Read bizType 370: quick phrases (§2.5), or a text that some say it may carry."""
    operation = fields_at(fields, "operation")
    content = fields_at(operation, "content")
    chat = _chat(text_at(fields, "sessionId") or text_at(operation, "sessionInfo", "sessionId"))
    if number_at(content, "contentType") == chatlines.TEXT:
        return _spoken_operation(operation, content, chat, self_id)
    extensions = fields_at(operation, "sessionInfo", "extensions")
    facts = Facts(
        chat=chat,
        content_type=number_at(content, "contentType"),
        item=ItemId(item) if (item := digits(text_at(extensions, "itemId"))) else None,
        sent_at=number_at(content, "sessionArouse", "sessionArouseInfo", "arouseTimeStamp"),
    )
    arouse = "sessionArouse" in content or facts.content_type == _AROUSE
    return Arouse(facts=facts, role=_role(extensions, self_id)) if arouse else Other(facts=facts)


def _role(extensions: Fields, self_id: UserId | None) -> Role | None:
    seller = text_at(extensions, "itemSellerId") or text_at(extensions, "ownerUserId")
    if seller is None or self_id is None:
        return None
    return "seller" if seller == self_id else "buyer"


def _spoken_operation(
    operation: Fields, content: Fields, chat: ChatId | None, self_id: UserId | None
) -> Push:
    sender = bare(text_at(operation, "senderInfo", "senderUserId"))
    words = text_at(content, "text", "text")
    own = sender is not None and sender == self_id
    personal = text_at(operation, "sessionInfo", "sessionType") in (None, "1")
    person = sender is not None and sender not in chatlines.PLATFORM_SENDERS
    facts = Facts(
        chat=chat,
        sender=UserId(sender) if sender else None,
        sender_name=text_at(content, "reminder", "reminderTitle"),
        text=words,
        content_type=chatlines.TEXT,
        sent_at=number_at(operation, "sessionInfo", "createTime"),
        from_human=person and personal and not own,
    )
    return (Own if own else Spoken)(facts=facts, content=Text(words or ""))


def _chat(address: str | None) -> ChatId | None:
    chat = bare(address)
    return ChatId(chat) if chat else None


def _message(id_: str | None) -> MessageId | None:
    return MessageId(id_) if id_ else None
