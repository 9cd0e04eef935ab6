"""What a push means to us: whether it is kept, and whether an answer may be due.

Only people's lines are answered; everything else is closed as it comes, with its reason.
"""

from __future__ import annotations

import hashlib
from typing import Final, assert_never

from xybot.accounts.echoes import Echoes
from xybot.model import Content, MessageId, Text, UserId
from xybot.store.inbox import Arrival
from xybot.wire import payload, reading
from xybot.wire.fields import dig, message_id
from xybot.wire.frames import Frame
from xybot.wire.history import Line
from xybot.wire.payload import Entry
from xybot.wire.pushes import (
    Arouse,
    Card,
    ConversationUpdate,
    MessagePointer,
    MessageUpdate,
    Other,
    Own,
    Push,
    ReadReceipt,
    Recall,
    Spoken,
    Tip,
    Typing,
    Undecodable,
)
from xybot.xianyu.connection import Garbage

POINTER: Final = MessagePointer.kind
_GARBAGE_KEPT: Final = 100_000
"""Characters kept of a websocket message that is no frame."""


def of_push(push: Frame | Garbage, user: UserId, echoes: Echoes) -> list[Arrival]:
    """Return what is to be stored of a push, in its order; an expected echo is not."""
    if isinstance(push, Garbage):
        return [_garbage(push)]
    entries = (each for each in payload.entries(push) if not _is_echo(each, echoes))
    found = (_of_entry(entry, user) for entry in entries)
    return [arrival for arrival in found if arrival is not None]


def _is_echo(entry: Entry, echoes: Echoes) -> bool:
    # By its id alone: every reply comes back, and reading it whole would tell nothing new.
    id_ = message_id(dig(entry.fields, "1", "3"))
    return id_ is not None and echoes.is_expected(MessageId(id_))


def _garbage(garbage: Garbage) -> Arrival:
    return Arrival(
        key=_fingerprint("garbage", garbage.text),
        kind="garbage",
        raw=garbage.text[:_GARBAGE_KEPT],
        outcome="undecodable: not a frame",
    )


def of_line(line: Line) -> Arrival:
    """Return what is to be stored of a line of the history, under the key of its push."""
    return _arrival(MessageId(line.key), line.raw, line.push)


def _of_entry(entry: Entry, user: UserId) -> Arrival | None:
    push = reading.read(entry, user)
    if isinstance(push, Typing | Arouse):
        return None  # Tells nothing that is worth a row: gone in a moment, or repeated.
    # A receipt or an edit names another message; only a message is known by its own id.
    own_id = push.facts.message if isinstance(push, Spoken | Own | Card | Tip) else None
    return _arrival(own_id or _fingerprint(push.kind, entry.raw), entry.raw, push)


def _arrival(key: MessageId, raw: str, push: Push) -> Arrival:
    facts = push.facts
    return Arrival(
        key=key,
        kind=push.kind,
        chat=facts.chat,
        sender=facts.sender,
        sender_name=facts.sender_name,
        content=_content(push),
        item=facts.item,
        sent_at=facts.sent_at,
        trade=facts.trade,
        read=push.messages if isinstance(push, ReadReceipt) else (),
        raw=raw,
        outcome=_outcome(push),
    )


def _content(push: Push) -> Content | None:
    """Return what a line says; of a card or a tip what the app shows in its stead."""
    match push:
        case Spoken() | Own():
            return push.content
        case Card() | Tip() if push.facts.text:
            return Text(push.facts.text)
    return None


def _outcome(push: Push) -> str | None:
    """Return why no answer is due, None when one may be."""
    match push:
        case Spoken():
            return _why_no_answer(push)
        case Own():
            return "own"
        case Card() | Tip():
            return f"not a person: {push.kind}"
        case Undecodable(damage=damage):
            return f"undecodable: {damage[:200]}"
        case Other():
            return "not a message: unknown kind"
        case (
            ReadReceipt()
            | MessageUpdate()
            | ConversationUpdate()
            | MessagePointer()
            | Recall()
            | Typing()
            | Arouse()
        ):
            return f"not a message: {push.kind}"
        case _:
            assert_never(push)


def _why_no_answer(push: Spoken) -> str | None:
    facts = push.facts
    if not facts.from_human:
        return "not a person: platform or group"
    if facts.chat is None or facts.sender is None:
        return "no way to answer: chat or sender is missing"
    return None


def _fingerprint(kind: str, raw: str) -> MessageId:
    digest = hashlib.sha256(raw.encode("utf-8", "replace")).hexdigest()
    return MessageId(f"{kind}:{digest[:32]}")
