"""What the API shows of things; the classes are the schemas of the document."""

from __future__ import annotations

from typing import Annotated, Literal

import attrs
from msgspec import Meta

from xybot.config import AccountConfig
from xybot.errors import Cause
from xybot.events import AccountStatus
from xybot.model import AccountId, ChatId, Image, ItemId, Media, MessageId, Photo, Text, UserId
from xybot.store.chatlist import Listed
from xybot.store.chats import FOREVER
from xybot.store.codec import Kept
from xybot.store.drafts import Draft as StoredDraft
from xybot.store.stories import Said, Verdict
from xybot.store.transcript import Entry, Speaker
from xybot.store.writing import Fate

Ms = Annotated[int, Meta(description="毫秒，从 1970 年起 (milliseconds since 1970)")]


@attrs.frozen(kw_only=True)
class InAccount:
    """An account."""

    account: Annotated[AccountId, Meta(description="账号名 (`id` in bot.toml)")]


@attrs.frozen(kw_only=True)
class InChat(InAccount):
    """A chat of an account."""

    chat: Annotated[
        ChatId,
        Meta(max_length=64, pattern=r"^[\w-]+$", description="会话编号 (the id of the chat)"),
    ]


@attrs.frozen(kw_only=True)
class Account:
    """An account, and where its connection stands."""

    id: AccountId
    enabled: bool
    """Whether bot.toml has it switched on."""
    state: Annotated[
        str,
        Meta(description="disconnected · connecting · connected · reconnecting · failed · closed"),
    ]
    reason: str
    """In words for the seller."""
    cause: str | None
    """The same as a word for programs."""
    since: Ms
    next_try: float | None
    """Seconds from `since` to the next attempt; null when none is planned."""
    paused: bool
    """Whether its seller paused it."""
    parked: bool
    """Whether it waits for its seller to do something: see `reason`."""


def account(config: AccountConfig, status: AccountStatus, parked: Cause | None) -> Account:
    """Return what is shown of an account.

    Args:
      config: what bot.toml says of it.
      status: the last change of its connection.
      parked: why it does not run although it is switched on; None when it may run.
    """
    return Account(
        id=config.id,
        enabled=config.enabled,
        state=status.new.value,
        reason=status.reason,
        cause=status.cause.value if status.cause else None,
        since=status.since,
        next_try=status.next_try,
        paused=parked is Cause.PAUSED,
        parked=parked is not None and parked is not Cause.PAUSED,
    )


@attrs.frozen(kw_only=True)
class Chat:
    """A chat in the list."""

    account: AccountId
    id: ChatId
    buyer_id: UserId | None
    buyer_name: str | None
    item_id: ItemId | None
    last_at: Ms
    unread: int
    """Buyer's lines since the seller last looked."""
    drafts: int
    """Replies that wait for approval."""
    taken_over: bool
    """Whether the bot keeps out of it."""
    until: Ms | None
    """Until when; null when it does not, or until it is handed back."""


def chat(listed: Listed) -> Chat:
    """Return what is shown of a chat."""
    until = listed.paused_until
    return Chat(
        account=listed.account,
        id=listed.chat,
        buyer_id=listed.peer,
        buyer_name=listed.name,
        item_id=listed.item,
        last_at=listed.last_at,
        unread=listed.unread,
        drafts=listed.drafts,
        taken_over=until is not None,
        until=None if until == FOREVER else until,
    )


@attrs.frozen(kw_only=True)
class Passed:
    """A gate or a source that had nothing to say, and why."""

    source: str
    reason: str


@attrs.frozen(kw_only=True)
class Why:
    """What was decided on a turn."""

    turn: int
    at: Ms
    outcome: Annotated[str, Meta(description="answered · silent · skipped · late · failed")]
    source: str | None
    because: str | None
    passed: tuple[Passed, ...]
    mode: str | None
    """`send`, `draft` or `dry_run`; null without a reply."""
    held: str | None
    """Why it was not sent at once."""


def why(verdict: Verdict) -> Why:
    """Return what is shown of a decision."""
    return Why(
        turn=verdict.id,
        at=verdict.decided_at,
        outcome=verdict.outcome,
        source=verdict.source,
        because=verdict.because,
        passed=tuple(Passed(source=source, reason=reason) for source, reason in verdict.passed),
        mode=verdict.mode,
        held=verdict.held,
    )


@attrs.frozen(kw_only=True)
class Sending:
    """A message of ours, and what became of it."""

    uuid: str
    """Our own name for it."""
    state: Annotated[
        str,
        Meta(description="draft · dry_run · queued · sending · sent · refused · held · dropped"),
    ]
    reason: str | None
    """Of a refusal, a doubt, a drop."""
    message_id: MessageId | None
    """The platform's id, once it has it."""
    source: str
    because: str


def sending(said: Said) -> Sending:
    """Return what is shown of a message of ours."""
    return Sending(
        uuid=said.uuid,
        state=said.state,
        reason=said.reason,
        message_id=said.message,
        source=said.source,
        because=said.because,
    )


def fate(known: Fate) -> Sending:
    """Return what is shown of a message of ours that was just written."""
    return Sending(
        uuid=known.outgoing.uuid,
        state=known.state,
        reason=known.reason,
        message_id=known.message,
        source=known.outgoing.source,
        because=known.outgoing.because,
    )


@attrs.frozen(kw_only=True)
class Message:
    """One line of a conversation."""

    at: Ms
    who: Speaker
    kind: Literal["text", "image", "voice", "video", "expression", "other"]
    text: str | None
    url: str | None
    """Of a picture, a voice message or a video."""
    message_id: MessageId | None
    outcome: str | None
    """What became of a line that came in; null while it is open, and for what we said."""
    sending: Sending | None
    """For what we said, or want to say."""
    why: Why | None


def message(entry: Entry) -> Message:
    """Return what is shown of a line."""
    kind, text, url = _content(entry.content)
    return Message(
        at=entry.at,
        who=entry.who,
        kind=kind,
        text=text,
        url=url,
        message_id=entry.message,
        outcome=entry.heard.outcome if entry.heard else None,
        sending=sending(entry.said) if entry.said else None,
        why=why(entry.verdict) if entry.verdict else None,
    )


Kind = Literal["text", "image", "voice", "video", "expression", "other"]


def _content(content: Kept | None) -> tuple[Kind, str | None, str | None]:
    match content:
        case Text(text):
            return "text", text, None
        case Image(url=url):
            return "image", None, url
        case Photo():
            return "image", None, None
        case Media(kind=kind, url=url):
            return kind, None, url
    return "other", None, None


@attrs.frozen(kw_only=True)
class Draft:
    """A message that waits for its seller's approval."""

    account: AccountId
    chat: ChatId
    uuid: str
    kind: Kind
    text: str | None
    url: str | None
    source: str
    because: str
    held: str
    """Why it was not sent at once."""
    since: Ms
    turn: int | None
    """Messages of one turn are one reply."""


def draft(stored: StoredDraft) -> Draft:
    """Return what is shown of a draft."""
    kind, text, url = _content(stored.outgoing.content)
    return Draft(
        account=stored.account,
        chat=stored.outgoing.chat,
        uuid=stored.outgoing.uuid,
        kind=kind,
        text=text,
        url=url,
        source=stored.outgoing.source,
        because=stored.outgoing.because,
        held=stored.held,
        since=stored.since,
        turn=stored.turn,
    )
