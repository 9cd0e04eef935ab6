"""What the seller, or a program of theirs, does in a chat from outside the platform's own app.

Whoever changes something here rings the account afterwards (`xybot.accounts.wishes`).
"""

from __future__ import annotations

import hashlib
from typing import Final

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from xybot.model import AccountId, ChatId, MessageId, Outgoing
from xybot.store import chatlist, deliveries, inbox, outbox
from xybot.store.chats import FOREVER
from xybot.store.codec import content_json
from xybot.store.database import Database
from xybot.store.outbox import Origin, Which, outgoing_of
from xybot.store.schema import outbox as messages
from xybot.store.schema import pauses

TAKEN_OVER: Final = "卖家接管了会话 (the seller took the chat over)"
ANSWERED: Final = "卖家已亲自回复 (the seller answered by hand)"


@attrs.frozen
class Pause:
    """The bot is to keep out of a chat."""

    until: int
    """Milliseconds."""
    reason: str


@attrs.frozen(kw_only=True)
class Taken:
    """What it did that somebody took a chat over."""

    until: int
    """The bot keeps out of it until then (ms)."""
    before: int
    """Until when it was to keep out of it anyway."""
    closed: frozenset[MessageId]
    """Buyer's lines that need no answer of ours any more."""
    dropped: tuple[Outgoing, ...]
    """Messages of ours that will not be said."""


@attrs.frozen(kw_only=True)
class Wanted:
    """A message that somebody wants to be said."""

    outgoing: Outgoing
    key: str | None = None
    """What tells a repeated wish; None: every wish is a new one."""
    quiet: int | None = None
    """Milliseconds that the bot keeps out of the chat, for it is the seller who writes; None:
    a program writes, and the bot goes on."""


@attrs.frozen(kw_only=True)
class Fate:
    """What has become of a message until now."""

    outgoing: Outgoing
    state: str
    """draft · dry_run · queued · sending · sent · refused · held · dropped"""
    reason: str | None
    message: MessageId | None


@attrs.frozen(kw_only=True)
class Written:
    """What a wish led to."""

    fate: Fate
    fresh: bool
    """Whether it was not wished before under this key."""
    taken: Taken | None = None


def take_over(db: Database, account: AccountId, chat: ChatId, pause: Pause, *, now: int) -> Taken:
    """Keep the bot out of a chat, and close what waits for an answer in it.

    A pause that is longer goes on.
    """
    before = _paused_until(db, account, chat)
    values = {"reason": pause.reason, "until": max(before, pause.until)}
    statement = insert(pauses).values(account=account, chat=chat, **values)
    db.execute(statement.on_conflict_do_update(index_elements=["account", "chat"], set_=values))
    closed = inbox.close_chat(db, account, chat, f"skipped: {pause.reason}", until=FOREVER)
    which = Which(chat=chat, until=FOREVER)
    dropped = outbox.drop(db, account, which, pause.reason, now=now)
    return Taken(until=max(before, pause.until), before=before, closed=closed, dropped=dropped)


def hand_back(db: Database, account: AccountId, chat: ChatId, *, now: int) -> bool:
    """Let the bot answer in a chat again; False when it does already."""
    until = _paused_until(db, account, chat)
    db.execute(sa.delete(pauses).where(pauses.c.account == account, pauses.c.chat == chat))
    return until > now


def write(db: Database, account: AccountId, wanted: Wanted, *, now: int) -> Written:
    """Queue a message; a wish that is repeated under its key is the same message.

    Raises:
      KeyError: the key was used for another message.
    """
    outgoing = wanted.outgoing
    if (before := wished_before(db, account, wanted)) is not None:
        return Written(fate=before, fresh=False)
    taken = None
    if wanted.quiet is not None and outgoing.chat:
        pause = Pause(now + wanted.quiet, ANSWERED)
        taken = take_over(db, account, outgoing.chat, pause, now=now)
    origin = Origin(turn=None, now=now, key=wanted.key, wish=_wish(outgoing))
    outbox.put_as(db, account, [outgoing], origin)
    if outgoing.chat:
        chatlist.written(db, account, outgoing, None, now=now)
    fate = Fate(outgoing=outgoing, state="queued", reason=None, message=None)
    return Written(fate=fate, fresh=True, taken=taken)


def wished_before(db: Database, account: AccountId, wanted: Wanted) -> Fate | None:
    """Return what has become of a wish that was made before under its key, None if none was.

    Raises:
      KeyError: the key was used for another message.
    """
    if wanted.key is None:
        return None
    mine = (messages.c.account == account, messages.c.key == wanted.key)
    wish = db.scalar(sa.select(messages.c.wish).where(*mine))
    if wish not in (None, _wish(wanted.outgoing)):
        raise KeyError(wanted.key)
    return _fate(db, *mine)


def fate(db: Database, account: AccountId, uuid: str) -> Fate | None:
    """Return what has become of a message, None when there is no such message."""
    return _fate(db, messages.c.account == account, messages.c.uuid == uuid)


def placed(db: Database, account: AccountId, uuid: str, chat: ChatId, *, now: int) -> None:
    """Note which chat a message is for, whose chat had to be opened first; it is due again."""
    mine = (messages.c.account == account, messages.c.uuid == uuid, messages.c.state == "sending")
    values = {"chat": chat, "state": "queued"}
    row = db.execute(sa.update(messages).where(*mine).values(values).returning(*messages.c)).one()
    chatlist.written(db, account, outgoing_of(row), row.item, now=now)
    deliveries.placed(db, account, uuid, chat, now=now)


def _fate(db: Database, *which: sa.ColumnElement[bool]) -> Fate | None:
    row = db.execute(sa.select(messages).where(*which)).one_or_none()
    if row is None:
        return None
    return Fate(outgoing=outgoing_of(row), state=row.state, reason=row.reason, message=row.message)


def _wish(outgoing: Outgoing) -> str:
    """Return what tells whether two wishes are for the same: as wished, not as it was said."""
    what = (outgoing.chat, outgoing.to, outgoing.item or "", content_json(outgoing.content))
    return hashlib.sha256("\n".join(what).encode("utf-8", "replace")).hexdigest()


def _paused_until(db: Database, account: AccountId, chat: ChatId) -> int:
    mine = (pauses.c.account == account, pauses.c.chat == chat)
    return db.scalar(sa.select(pauses.c.until).where(*mine)) or 0
