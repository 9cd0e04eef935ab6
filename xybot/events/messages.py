"""What happens to accounts and to messages."""

from __future__ import annotations

from typing import ClassVar

import attrs

from xybot.errors import Cause
from xybot.model import AccountId, AccountState, ChatId, ItemId, MessageId, UserId


@attrs.frozen(kw_only=True)
class AccountStatus:
    """The connection of an account changed its state, or the reason for it."""

    name: ClassVar[str] = "account.status.update"
    account: AccountId
    old: AccountState
    new: AccountState
    reason: str
    """In words for the seller."""
    cause: Cause | None = None
    """The same for programs; None while all is well."""
    since: int
    """When the new state began (ms)."""
    next_try: float | None = None
    """Seconds until the next attempt, None when none is planned."""


@attrs.frozen(kw_only=True)
class MessageReceived:
    """A person wrote to an account; stored, and acknowledged."""

    name: ClassVar[str] = "message.received"
    account: AccountId
    chat: ChatId
    message: MessageId
    sender: UserId | None
    sender_name: str
    item: ItemId | None
    """What the chat is about."""
    text: str
    sent_at: int | None
    """By the platform's clock (ms); None where it did not tell."""


@attrs.frozen(kw_only=True)
class WroteByHand:
    """The seller wrote in a chat, on the phone or in a browser."""

    name: ClassVar[str] = "message.by_hand"
    account: AccountId
    chat: ChatId
    message: MessageId
    text: str


@attrs.frozen(kw_only=True)
class ReplySent:
    """The platform has a message of ours."""

    name: ClassVar[str] = "reply.sent"
    account: AccountId
    chat: ChatId
    uuid: str
    """Our own name for it, the same in all that becomes of it."""
    message: MessageId | None
    """The platform's id, if it told one."""
    text: str
    source: str
    """Which reply source said so; `console` and `api` are the seller and their programs."""
    why: str


@attrs.frozen(kw_only=True)
class ReplySkipped:
    """A turn gets no answer, or a silent one; `why` is stored with it."""

    name: ClassVar[str] = "reply.skipped"
    account: AccountId
    chat: ChatId
    text: str
    cause: str
    """One word for `why`: a gate, silent, late, failed, no_answer."""
    why: str


@attrs.frozen(kw_only=True)
class ReplyDrafted:
    """A reply waits for its seller's approval."""

    name: ClassVar[str] = "reply.drafted"
    account: AccountId
    chat: ChatId
    text: str
    """All messages of the reply."""
    why: str
    held: str
    """Why it was not sent at once."""


@attrs.frozen(kw_only=True)
class DraftApproved:
    """The seller lets a draft be said; what becomes of it is told as of any reply."""

    name: ClassVar[str] = "draft.approved"
    account: AccountId
    chat: ChatId
    uuid: str
    text: str
    """As it will be said: the seller may have changed it."""


@attrs.frozen(kw_only=True)
class ReplyRehearsed:
    """A reply was decided and stored, and is not sent: a dry run."""

    name: ClassVar[str] = "reply.rehearsed"
    account: AccountId
    chat: ChatId
    text: str
    """All messages of the reply."""
    why: str
    held: str


@attrs.frozen(kw_only=True)
class ChatLimited:
    """So many replies were given that nobody is answered here for now; told once each time."""

    name: ClassVar[str] = "chat.limited"
    account: AccountId
    chat: ChatId
    why: str


@attrs.frozen(kw_only=True)
class SendRefused:
    """The platform will not deliver a message of ours."""

    name: ClassVar[str] = "send.refused"
    account: AccountId
    chat: ChatId
    uuid: str
    text: str
    reason: str


@attrs.frozen(kw_only=True)
class SendHeld:
    """Nobody can tell whether a message of ours arrived; it is not said again by itself."""

    name: ClassVar[str] = "send.held"
    account: AccountId
    chat: ChatId
    uuid: str
    text: str
    reason: str


@attrs.frozen(kw_only=True)
class ReplyDropped:
    """A reply that was ready is not said any more."""

    name: ClassVar[str] = "reply.dropped"
    account: AccountId
    chat: ChatId
    uuid: str
    text: str
    """The words that nobody will hear."""
    why: str


@attrs.frozen(kw_only=True)
class ModelAsked:
    """A model was asked for an answer, or for words; whether it gave one or not."""

    name: ClassVar[str] = "ai.asked"
    account: AccountId
    chat: ChatId
    answered: bool
    seconds: float
    """How long it took."""
    prompt_tokens: int | None
    """As its service counts them; None where it does not tell."""
    completion_tokens: int | None


@attrs.frozen(kw_only=True)
class Quarantined:
    """Something arrived that cannot be read; it is kept raw in the inbox."""

    name: ClassVar[str] = "message.quarantined"
    account: AccountId
    reason: str


@attrs.frozen(kw_only=True)
class ChatPaused:
    """The seller took a chat over; the bot keeps out of it."""

    name: ClassVar[str] = "chat.paused"
    account: AccountId
    chat: ChatId
    until: int | None
    """Milliseconds since 1970; None: until the seller gives it back."""
    why: str = ""
    """What of ours handed it over; empty: the seller took it."""


@attrs.frozen(kw_only=True)
class ChatResumed:
    """The seller gave a chat back; the bot answers in it again."""

    name: ClassVar[str] = "chat.resumed"
    account: AccountId
    chat: ChatId


@attrs.frozen(kw_only=True)
class GapClosed:
    """An account was off line, is back, and this became of what buyers said meanwhile."""

    name: ClassVar[str] = "gap.closed"
    account: AccountId
    since: int
    """From the last moment whose messages are known to be complete (ms)."""
    until: int
    cause: str
    """A word of `errors.Cause`."""
    because: str
    """The same for the seller."""
    recovered: int
    """Buyers' lines of that time; the sum of the following."""
    answered: int
    late: int
    """Too old to answer: for the seller."""
    skipped: int
    unaccounted: int
    """Without an outcome yet."""
