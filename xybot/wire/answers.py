"""What the platform answers to what we say and ask (protocol.md §3, §3.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

import attrs

from xybot.model import MessageId, UserId
from xybot.wire import chatlines
from xybot.wire.fields import Fields, dig, message_id, text_at
from xybot.wire.frames import OK, Frame
from xybot.wire.pushes import Own

_FLOW_CONTROL: Final = "400600001"
_TOO_EARLY: Final = 400


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


def of_send(answer: Frame) -> SendAnswer:
    """Read the answer to a send; a 200 may be a refusal as well."""
    reason = text_at(answer.body, "reason")
    if text_at(answer.body, "code") == _FLOW_CONTROL:
        return Later(f"{_FLOW_CONTROL} {reason or 'flow control'}")
    if answer.code == _TOO_EARLY:
        return Later(f"400 {reason or 'not ready'}")
    if answer.code != OK or reason:
        return Declined(f"{answer.code} {reason or 'no reason given'}")
    body = answer.body
    named = text_at(body, "messageId") or text_at(body, "1", "3")
    return Accepted(MessageId(named) if named else None)


@attrs.frozen(kw_only=True)
class Said:
    """One message of ours in the history of a chat."""

    message: MessageId | None
    text: str | None
    sent_at: int


def own_lines(answer: Frame, user: UserId) -> Iterator[Said]:
    """Yield what we said, from the answer to a history request."""
    models = dig(answer.body, "userMessageModels")
    for model in models if isinstance(models, list) else ():
        said = _own(model, user) if isinstance(model, Mapping) else None
        if said is not None:
            yield said


def _own(model: Fields, user: UserId) -> Said | None:
    push = chatlines.read(chatlines.from_history(model), user)
    if not isinstance(push, Own):
        return None
    facts = push.facts
    # An id in the history need not have the form of one in a push.
    id_ = message_id(dig(model, "message", "messageId")) or text_at(model, "message", "messageId")
    message = MessageId(id_) if id_ else None
    return Said(message=message, text=facts.text, sent_at=facts.sent_at or 0)
