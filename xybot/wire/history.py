"""The platform's lists: what was said in a chat, and which chats changed (protocol.md §3, §3.2).

Every reader here is total: whatever the platform answers, it gives values and never raises.  An
answer that holds no list gives an empty one, so look at its `code` before it is believed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

import attrs

from xybot.model import ChatId, UserId
from xybot.wire import chatlines, payload
from xybot.wire.fields import Fields, bare, dig, fields_at, message_id, number_at, text_at
from xybot.wire.frames import Frame
from xybot.wire.payload import Entry
from xybot.wire.pushes import Facts, Push, Recall, Undecodable
from xybot.wire.requests import NEWEST

#: `syncExtraType.type` of a push whose sender gave up telling all that we missed.
_TOO_LONG: Final = frozenset({1, 2})
_NO: Final = frozenset({"0", "false", "no", ""})


@attrs.frozen(kw_only=True)
class Line:
    """One message of the history."""

    push: Push
    """What it means; one that was taken back is a `Recall` with the facts of what was said."""
    raw: str
    """The model as JSON text, for a later version to read again."""
    key: str
    """What tells the line when it is read again: its `.PNM` id, as in a push of it.

    Without an id: made of what does not change between two reads."""


@attrs.frozen(kw_only=True)
class Page:
    """Some messages of a chat."""

    lines: tuple[Line, ...]
    """As they came: the newest first."""
    older: int | None
    """The cursor of the next page (ms), None when there is no more.

    The platform's word: it need not go down, and whether what bears the very same millisecond
    comes on this page, the next or neither is not known; ask for one more and count on repeats."""


@attrs.frozen(kw_only=True)
class Changed:
    """A chat with one person, and when something last happened in it."""

    chat: ChatId
    at: int | None
    """Milliseconds since 1970; None is unknown, so it may be new and has to be looked at."""


@attrs.frozen(kw_only=True)
class Conversations:
    """Some chats of an account."""

    changed: tuple[Changed, ...]
    """As they came: the last changed first."""
    older: int | None
    """The cursor of the next page (ms), as in `Page`."""


def page(answer: Frame, user: UserId) -> Page:
    """Read the answer to `requests.history`; `user` is the account that asked."""
    models = _list(answer, "userMessageModels")
    lines = tuple(_line(model, user) for model in models)
    return Page(lines=lines, older=_older(answer, (line.push.facts.sent_at for line in lines)))


def conversations(answer: Frame) -> Conversations:
    """Read the answer to `requests.conversations`; groups are left out."""
    found = (_changed(each) for each in _list(answer, "userConvs"))
    changed = tuple(each for each in found if each is not None)
    return Conversations(changed=changed, older=_older(answer, (each.at for each in changed)))


def too_long(frame: Frame) -> bool:
    """Tell a push that says: you missed more than I push; ask for the rest (§1.6, §4)."""
    extra = fields_at(frame.body, "syncExtraType")
    return frame.lwp is not None and number_at(extra, "type") in _TOO_LONG


def _list(answer: Frame, name: str) -> list[object]:
    found = dig(answer.body, name)
    return found if isinstance(found, list) else []


def _older(answer: Frame, times: Iterable[int | None]) -> int | None:
    """Return where the next page begins: at `nextCursor`, else below the oldest of this one.

    Without a word on `hasMore` (as in capture 65) a cursor behind something means: ask on.
    """
    more = _truth(dig(answer.body, "hasMore"))
    if more is False:
        return None
    known = [at for at in map(_date, times) if at is not None]
    cursor = _date(number_at(answer.body, "nextCursor"))
    if cursor is not None and (more or known):
        return cursor
    return min(known, default=None) if more else None


def _truth(value: object) -> bool | None:
    """Read yes or no, which come as 0/1, as a bool, or as the text of either; None is neither."""
    if isinstance(value, str):
        return value.strip().lower() not in _NO
    return bool(value) if isinstance(value, bool | int | float) else None


def _date(ms: int | None) -> int | None:
    """Return a date as it is, None for one that cannot be asked for."""
    return ms if ms is not None and 0 < ms <= NEWEST else None


def _line(model: object, user: UserId) -> Line:
    entry = payload.entry({"data": model})  # A model is as good, or as damaged, as a payload.
    push = _push(entry, user)
    fields = entry.fields or (model if isinstance(model, dict) else {})
    return Line(push=push, raw=entry.raw, key=_key(fields, push.facts, entry.raw))


def _push(entry: Entry, user: UserId) -> Push:
    if entry.fields is None:
        return Undecodable(damage=entry.damage or "unreadable")
    push = chatlines.read(chatlines.from_history(entry.fields), user)
    return Recall(facts=push.facts) if _recalled(entry.fields) else push


def _recalled(model: Fields) -> bool:
    """Tell a message that was taken back: somebody is named who did it.

    `showRecallStatusSetting` 1 and `operatorType` 0 stand in every message (captures 57-64), an
    empty `code` and `operatorUid` in some (51).  A wrong yes would leave a buyer without an
    answer, so nothing else counts.
    """
    feature = fields_at(model, "recallFeature")
    by = bare(text_at(feature, "operatorUid"))
    return by not in (None, "0") or (number_at(feature, "operatorType") or 0) > 0


def _key(model: Fields, facts: Facts, raw: str) -> str:
    message = fields_at(model, "message")
    if id_ := message_id(message.get("messageId")):
        return id_
    if facts.chat and facts.sent_at:
        return f"history:{facts.chat}:{facts.sent_at}:{facts.sender or ''}"
    if not message:
        return _fingerprint(raw)
    # Not of the whole model: whether a message was read changes from one look to the next.
    said = payload.entry({"data": message.get("content")}).raw
    return _fingerprint(facts.chat, facts.sender, str(facts.sent_at), facts.text, said)


def _fingerprint(*parts: str | None) -> str:
    digest = hashlib.sha256("\0".join(part or "" for part in parts).encode("utf-8", "replace"))
    return f"history:{digest.hexdigest()[:32]}"


def _changed(element: object) -> Changed | None:
    conversation = fields_at(element, "singleChatUserConversation")
    chat = bare(text_at(fields_at(conversation, "singleChatConversation"), "cid"))
    if chat is None:
        return None
    last = fields_at(conversation, "lastMessage", "message")
    times = (number_at(conversation, "modifyTime"), number_at(last, "createAt"))
    known = [at for at in map(_date, times) if at is not None]
    return Changed(chat=ChatId(chat), at=max(known, default=None))
