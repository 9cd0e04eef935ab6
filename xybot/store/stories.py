"""The story of a message, or of a whole chat: what came, what was decided, what was said."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from typing import Any, Final

import attrs
import sqlalchemy as sa

from xybot.model import AccountId, ChatId, ItemId, MessageId, UserId
from xybot.store.codec import Kept, content_of, converter
from xybot.store.database import Database
from xybot.store.schema import inbox, outbox, turns

_ENDS: Final = ".PNM"
"""How the platform's ids of messages end; people leave it out."""
_SPOKEN: Final = ("text", "image", "voice", "video", "expression")
_CONVERSATION: Final = (*_SPOKEN, "own", "card", "tip", "recall", "other")
"""Kinds of entries that belong to a conversation; others are about windows and lists."""


@attrs.frozen(kw_only=True)
class Line:
    """Something that came in.  Times are milliseconds by the platform's clock."""

    message: MessageId
    kind: str
    sender: UserId | None
    sender_name: str | None
    content: Kept | None
    item: ItemId | None
    sent_at: int | None
    received_at: int
    outcome: str | None
    """None: still open."""
    turn: int | None
    missed: bool
    """Said while we were off line."""
    ours: bool
    """Said by the bot, and come back; what the seller said by hand is not."""

    @property
    def at(self) -> int:
        """When it was said; when it came, if nobody knows that."""
        return self.received_at if self.sent_at is None else self.sent_at


@attrs.frozen(kw_only=True)
class Said:
    """A message of ours: on its way, or what became of it."""

    uuid: str
    turn: int | None
    content: Kept
    source: str
    because: str
    state: str
    """draft · dry_run · queued · sending · sent · refused · held · dropped"""
    reason: str | None
    """Of a refusal, a doubt, a drop."""
    message: MessageId | None
    """The platform's id, once sent."""
    queued_at: int
    due_at: int | None
    sending_at: int | None
    settled_at: int | None


@attrs.frozen(kw_only=True)
class Verdict:
    """What was decided on the lines of a turn."""

    id: int
    decided_at: int
    outcome: str
    """answered · silent · skipped · late · failed"""
    source: str | None
    because: str | None
    passed: tuple[tuple[str, str], ...]
    """(source or gate, reason) of each that had nothing to say, in the order of asking."""
    mode: str | None
    """send · draft · dry_run; None without a reply, or of a time before there were modes."""
    held: str | None


@attrs.frozen(kw_only=True)
class Story:
    """A conversation, or a part of it; the lines in the order of their time."""

    account: AccountId
    chat: ChatId | None
    lines: tuple[Line, ...]
    verdicts: tuple[Verdict, ...]
    said: tuple[Said, ...]


_ANY_OR_MINE: Final = sa.text("(:of IS NULL OR account = :of)")
_KEYS: Final[sa.BindParameter[object]] = sa.bindparam("keys", expanding=True)
_NAMED: Final = (
    # The number alone, which an index knows: without it all that ever came would be read.
    sa.select(inbox.c.seq).where(_ANY_OR_MINE, inbox.c.message.in_(_KEYS))
)
_REPLIES_NAMED: Final = (
    sa.select(outbox).where(_ANY_OR_MINE, outbox.c.message.in_(_KEYS)).order_by(outbox.c.seq)
)
_WITH_CHAT: Final = (
    sa.select(inbox.c.account).where(_ANY_OR_MINE, inbox.c.chat == sa.bindparam("in")).distinct()
)
_IN_INBOX: Final = (inbox.c.account == sa.bindparam("of"), inbox.c.chat == sa.bindparam("in"))
_SAID_AT: Final = sa.func.coalesce(inbox.c.sent_at, inbox.c.received_at)
_LINE: Final = sa.select(inbox).where(inbox.c.seq == sa.bindparam("row"))
_LINES_OF_TURN: Final = (
    sa.select(inbox).where(*_IN_INBOX, inbox.c.turn == sa.bindparam("turn")).order_by(inbox.c.seq)
)
_LAST_LINES: Final = (
    sa.select(inbox)
    .where(*_IN_INBOX, inbox.c.kind.in_(_CONVERSATION))
    .order_by(_SAID_AT.desc(), inbox.c.seq.desc())
    .limit(sa.bindparam("most"))
)
_TURNS: Final = (
    sa.select(turns)
    .where(turns.c.account == sa.bindparam("of"), turns.c.chat == sa.bindparam("in"))
    .order_by(turns.c.id)
)
_SAID: Final = (
    sa.select(outbox)
    .where(outbox.c.account == sa.bindparam("of"), outbox.c.chat == sa.bindparam("in"))
    .order_by(outbox.c.seq)
)


def of_message(db: Database, id_: str, account: AccountId | None = None) -> tuple[Story, ...]:
    """Return the story of a message: all lines of its turn, and what became of them.

    Args:
      db: the database.
      id_: of a message, somebody's or ours, with or without `.PNM`.
      account: only this one; None is any.

    Returns:
      One story for each account that has the message; nothing when none has.
    """
    asked: dict[str, object] = {"of": account, "keys": [id_, f"{id_}{_ENDS}"]}
    replies = db.execute(_REPLIES_NAMED, asked).all()
    stories = {row.account: _of_reply(db, row) for row in replies}
    for seq in sorted(db.execute(_NAMED, asked).scalars()):
        row = db.execute(_LINE, {"row": seq}).one()
        if row.account not in stories:
            stories[row.account] = _of_line(db, row)
    return tuple(stories.values())


def of_chat(
    db: Database, chat: ChatId, account: AccountId | None = None, *, last: int | None = None
) -> tuple[Story, ...]:
    """Return a conversation, or its last so many lines, for each account that has the chat."""
    owners = db.execute(_WITH_CHAT, {"of": account, "in": chat}).scalars().all()
    return tuple(_conversation(db, AccountId(owner), chat, last) for owner in sorted(owners))


def _conversation(db: Database, account: AccountId, chat: ChatId, last: int | None) -> Story:
    asked = {"of": account, "in": chat, "most": -1 if last is None else last}
    rows = db.execute(_LAST_LINES, asked).all()[::-1]
    shown = {row.turn for row in rows}
    since = min((_at(row) for row in rows), default=0)

    def belongs(turn: int | None, at: int) -> bool:
        return last is None or (at >= since if turn is None else turn in shown)

    return _story(db, (account, chat), rows, belongs)


def _of_line(db: Database, row: sa.Row[Any]) -> Story:
    if row.turn is None:
        return _story(db, (row.account, row.chat), [row], lambda _turn, _at: False)
    return _of_turn(db, row)


def _of_reply(db: Database, row: sa.Row[Any]) -> Story:
    if row.turn is None:
        story = _story(db, (row.account, row.chat), [], lambda _turn, _at: False)
        return attrs.evolve(story, said=(said_of(row),))
    return _of_turn(db, row)


def _of_turn(db: Database, row: sa.Row[Any]) -> Story:
    rows = db.execute(_LINES_OF_TURN, {"of": row.account, "in": row.chat, "turn": row.turn}).all()
    return _story(db, (row.account, row.chat), rows, lambda turn, _at: turn == row.turn)


def _story(
    db: Database,
    where: tuple[AccountId, ChatId | None],
    rows: Sequence[sa.Row[Any]],
    belongs: Callable[[int | None, int], bool],
) -> Story:
    asked = {"of": where[0], "in": where[1]}
    said = tuple(said_of(row) for row in db.execute(_SAID, asked))
    ours = {each.message for each in said if each.message}
    verdicts = (verdict_of(row) for row in db.execute(_TURNS, asked))
    return Story(
        account=where[0],
        chat=where[1],
        lines=tuple(line_of(row, ours) for row in rows),
        verdicts=tuple(each for each in verdicts if belongs(each.id, each.decided_at)),
        said=tuple(each for each in said if belongs(each.turn, each.queued_at)),
    )


def _at(row: sa.Row[Any]) -> int:
    at: int = row.received_at if row.sent_at is None else row.sent_at
    return at


def line_of(row: sa.Row[Any], ours: Set[MessageId]) -> Line:
    """Return a row of the inbox; `ours` are the ids of what we are known to have said."""
    return Line(
        message=row.message,
        kind=row.kind,
        sender=row.sender,
        sender_name=row.sender_name,
        content=content_of(row.content_json) if row.content_json else None,
        item=row.item,
        sent_at=row.sent_at,
        received_at=row.received_at,
        outcome=row.outcome,
        turn=row.turn,
        missed=row.gap is not None,
        ours=row.message in ours,
    )


def said_of(row: sa.Row[Any]) -> Said:
    """Return a row of the outbox."""
    return Said(
        uuid=row.uuid,
        turn=row.turn,
        content=content_of(row.content_json),
        source=row.source,
        because=row.because,
        state=row.state,
        reason=row.reason,
        message=row.message,
        queued_at=row.queued_at,
        due_at=row.due_at,
        sending_at=row.sending_at,
        settled_at=row.settled_at,
    )


def verdict_of(row: sa.Row[Any]) -> Verdict:
    """Return a row of the turns."""
    return Verdict(
        id=row.id,
        decided_at=row.decided_at,
        outcome=row.outcome,
        source=row.source,
        because=row.because,
        passed=converter.loads(row.passed_json.encode(), tuple[tuple[str, str], ...]),
        mode=row.mode,
        held=row.held,
    )
