"""What the platform answers to what we say and ask (protocol.md §3, §3.1)."""

from __future__ import annotations

from typing import Final, TypeAlias

import attrs

from xybot.model import ChatId, MessageId
from xybot.wire.fields import bare, dig, text_at
from xybot.wire.frames import OK, Frame

_FLOW_CONTROL: Final = "400600001"
_TOO_EARLY: Final = 400
_CHAT_AT: Final = (
    ("cid",),
    ("singleChatConversation", "cid"),
    ("singleChatUserConversation", "singleChatConversation", "cid"),
)


@attrs.frozen
class Accepted:
    """The platform has the message; `message` is its id there, if it told."""

    message: MessageId | None


@attrs.frozen
class Declined:
    """The platform will not deliver the message."""

    reason: str


@attrs.frozen
class Later:
    """Too early, or too much: the same message again, after a while."""

    reason: str


SendAnswer: TypeAlias = Accepted | Declined | Later


def put_off(answer: Frame) -> str | None:
    """Return why a request is to be made again after a while, None when it need not be.

    Too early is 400, too much is 400600001 in `code` or `reason` (§1.3, §3.1).
    """
    reason = text_at(answer.body, "reason")
    if text_at(answer.body, "code") == _FLOW_CONTROL:
        return f"{_FLOW_CONTROL} {reason or 'flow control'}"
    if reason and _FLOW_CONTROL in reason:
        return reason
    return f"{_TOO_EARLY} {reason or 'not ready'}" if answer.code == _TOO_EARLY else None


def refusal(answer: Frame) -> str | None:
    """Return why a request was not granted, None when it was; a 200 may be a refusal as well."""
    reason = text_at(answer.body, "reason")
    if answer.code == OK and reason is None:
        return None
    return f"{answer.code} {reason or 'no reason given'}"


def of_send(answer: Frame) -> SendAnswer:
    """Read the answer to a send."""
    if (why := put_off(answer)) is not None:
        return Later(why)
    if (why := refusal(answer)) is not None:
        return Declined(why)
    body = answer.body
    named = text_at(body, "messageId") or text_at(body, "1", "3")
    return Accepted(MessageId(named) if named else None)


def opened_chat(answer: Frame) -> ChatId | None:
    """Return the chat of an answer to `requests.open_chat`; None when it names none.

    Clients found the id in four places (§3); no answer was ever recorded.
    """
    for body in (answer.body, dig(answer.body, "data")):
        for path in _CHAT_AT:
            if (found := bare(text_at(body, *path))) is not None:
                return ChatId(found)
    return None
