"""What the seller, or a program of theirs, does in a chat from outside the platform's own app.

Whoever changes something here rings the account afterwards (`xybot.accounts.orders`).
"""

from __future__ import annotations

from typing import Final

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from xybot.model import AccountId, ChatId, MessageId, Outgoing
from xybot.store import chatlist, inbox, outbox
from xybot.store.chats import FOREVER
from xybot.store.database import Database
from xybot.store.outbox import Origin, Which, outgoing_of
from xybot.store.schema import outbox as messages
from xybot.store.schema import pauses

TAKEN_OVER: Final = "卖家接管了会话 (the seller took the chat over)"
ANSWERED: Final = "卖家已亲自回复 (the seller answered by hand)"
BY_HAND: Final = "console"
"""The source of what the seller writes in the console."""


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
    """Keep the bot out of a chat, and close what waits for an answer in it."""
    values = {"reason": pause.reason, "until": pause.until}
    statement = insert(pauses).values(account=account, chat=chat, **values)
    db.execute(statement.on_conflict_do_update(index_elements=["account", "chat"], set_=values))
    closed = inbox.close_chat(db, account, chat, f"skipped: {pause.reason}", until=FOREVER)
    which = Which(chat=chat, until=FOREVER)
    dropped = outbox.drop(db, account, which, pause.reason, now=now)
    return Taken(until=pause.until, closed=closed, dropped=dropped)


def hand_back(db: Database, account: AccountId, chat: ChatId) -> bool:
    """Let the bot answer in a chat again; False when it does already."""
    mine = (pauses.c.account == account, pauses.c.chat == chat)
    return bool(db.execute(sa.delete(pauses).where(*mine)).rowcount)


def write(db: Database, account: AccountId, wanted: Wanted, *, now: int) -> Written:
    """Queue a message; a wish that is repeated under its key is the same message.

    Raises:
      KeyError: the key was used for another message.
    """
    outgoing = wanted.outgoing
    if wanted.key is not None and (before := _by_key(db, account, wanted.key)) is not None:
        if not _is_same(before.outgoing, outgoing):
            raise KeyError(wanted.key)
        return Written(fate=before, fresh=False)
    taken = None
    if wanted.quiet is not None:
        until = max(now + wanted.quiet, _paused_until(db, account, outgoing.chat))
        taken = take_over(db, account, outgoing.chat, Pause(until, ANSWERED), now=now)
    origin = Origin(turn=None, now=now, key=wanted.key)
    outbox.put_as(db, account, [outgoing], origin)
    if outgoing.chat:
        chatlist.written(db, account, outgoing, None, now=now)
    fate = Fate(outgoing=outgoing, state="queued", reason=None, message=None)
    return Written(fate=fate, fresh=True, taken=taken)


def fate(db: Database, account: AccountId, uuid: str) -> Fate | None:
    """Return what has become of a message, None when there is no such message."""
    return _fate(db, messages.c.account == account, messages.c.uuid == uuid)


def placed(db: Database, account: AccountId, uuid: str, chat: ChatId, *, now: int) -> None:
    """Note which chat a message is for, whose chat had to be opened first; it is due again."""
    mine = (messages.c.account == account, messages.c.uuid == uuid, messages.c.state == "sending")
    values = {"chat": chat, "state": "queued"}
    row = db.execute(sa.update(messages).where(*mine).values(values).returning(*messages.c)).one()
    chatlist.written(db, account, outgoing_of(row), row.item, now=now)


def _by_key(db: Database, account: AccountId, key: str) -> Fate | None:
    return _fate(db, messages.c.account == account, messages.c.key == key)


def _fate(db: Database, *which: sa.ColumnElement[bool]) -> Fate | None:
    row = db.execute(sa.select(messages).where(*which)).one_or_none()
    if row is None:
        return None
    return Fate(outgoing=outgoing_of(row), state=row.state, reason=row.reason, message=row.message)


def _is_same(one: Outgoing, other: Outgoing) -> bool:
    """Tell whether two wishes are for the same words to the same person."""
    where = one.chat == other.chat or not other.chat
    return where and (one.to, one.content) == (other.to, other.content)


def _paused_until(db: Database, account: AccountId, chat: ChatId) -> int:
    mine = (pauses.c.account == account, pauses.c.chat == chat)
    return db.scalar(sa.select(pauses.c.until).where(*mine)) or 0
