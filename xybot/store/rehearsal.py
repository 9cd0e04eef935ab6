"""The turns of the past, to be decided on once more in a store of their own.

What a decision depends on (what was said before, and how often) is copied over from before
the first turn; what a turn itself leaves behind is stored as the real one would be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs
import sqlalchemy as sa

from xybot.model import AccountId, Content, Decision, Image, Message, Turn
from xybot.store import inbox as taken
from xybot.store import turns as closing
from xybot.store.database import Database
from xybot.store.inbox import Arrival
from xybot.store.schema import haggles, inbox, outbox, turns, uploads
from xybot.store.stories import Line, Said, Verdict, line_of, said_of, verdict_of

Rows: TypeAlias = Mapping[str, Sequence[dict[str, Any]]]
"""Table -> its rows."""

_DAY: Final = 86_400_000
"""Milliseconds: as far back as limits look."""


@attrs.frozen(kw_only=True)
class Span:
    """Which turns: those that were decided since then, of an account or of all."""

    since: int
    """Milliseconds."""
    account: AccountId | None = None


@attrs.frozen
class Offered:
    """A step of haggling; `made` is our price in fen, None the last word."""

    made: int | None


@attrs.frozen(kw_only=True)
class Past:
    """A turn, and what was decided on it then."""

    turn: Turn
    verdict: Verdict
    said: tuple[Said, ...]
    offered: Offered | None
    """What it said of the price."""


_WANTED: Final = (
    sa.text("(:of IS NULL OR turns.account = :of)"),
    turns.c.decided_at >= sa.bindparam("since"),
)
_COUNT: Final = sa.select(sa.func.count()).select_from(turns).where(*_WANTED)
_PAGE: Final = (
    sa.select(turns)
    .where(turns.c.id > sa.bindparam("after"), *_WANTED)
    .order_by(turns.c.id)
    .limit(sa.bindparam("most"))
)
_IDS: Final[sa.BindParameter[object]] = sa.bindparam("ids", expanding=True)
_LINES: Final = (
    sa.select(inbox)
    .join(
        turns,
        # Not the turn alone: an index knows the lines of a chat.
        sa.and_(
            inbox.c.account == turns.c.account,
            inbox.c.chat == turns.c.chat,
            inbox.c.turn == turns.c.id,
        ),
    )
    .where(turns.c.id.in_(_IDS))
    .order_by(inbox.c.seq)
)
_OFFERS: Final = sa.select(haggles.c.turn, haggles.c.offered).where(haggles.c.turn.in_(_IDS))
_SAID: Final = sa.select(outbox).where(outbox.c.turn.in_(_IDS)).order_by(outbox.c.seq)


def count(db: Database, span: Span) -> int:
    """Count the turns."""
    found: int = db.execute(_COUNT, {"of": span.account, "since": span.since}).scalar_one()
    return found


def page(db: Database, span: Span, after: int, most: int = 500) -> tuple[Past, ...]:
    """Return turns in the order in which they were decided.

    Args:
      db: the database.
      span: which of them.
      after: the number of the last turn of the page before; 0 for the first.
      most: so many at the most; none is the end.
    """
    asked = {"of": span.account, "since": span.since, "after": after, "most": most}
    found = [verdict_of(row) for row in db.execute(_PAGE, asked)]
    ids = {"ids": [each.id for each in found]}
    lines: dict[int, list[Any]] = defaultdict(list)
    for row in db.execute(_LINES, ids):
        lines[row.turn].append(row)
    said: dict[int, list[Said]] = defaultdict(list)
    for row in db.execute(_SAID, ids):
        said[row.turn].append(said_of(row))
    offers = {row.turn: Offered(row.offered) for row in db.execute(_OFFERS, ids)}
    return tuple(
        Past(
            turn=_turn(lines[each.id]),
            verdict=each,
            said=tuple(said[each.id]),
            offered=offers.get(each.id),
        )
        for each in found
        if lines[each.id]
    )


def _turn(rows: Sequence[sa.Row[Any]]) -> Turn:
    messages = tuple(_message(row.chat, line_of(row, set())) for row in rows)
    return Turn(account=rows[0].account, chat=rows[0].chat, messages=messages)


def _message(chat: Any, line: Line) -> Message:  # noqa: ANN401  # a column
    assert line.sender is not None
    assert isinstance(line.content, Content)
    return Message(
        id=line.message,
        chat=chat,
        sender=line.sender,
        sender_name=line.sender_name or "",
        content=line.content,
        item=line.item,
        sent_at=line.at,
    )


# What was before.

_LATER: Final = sa.select(turns.c.account, turns.c.chat).where(*_WANTED).distinct().subquery()
_BEFORE: Final = (
    sa.select(turns.c.id)
    .outerjoin(_LATER, sa.and_(turns.c.account == _LATER.c.account, turns.c.chat == _LATER.c.chat))
    .where(
        sa.text("(:of IS NULL OR turns.account = :of)"),
        turns.c.decided_at < sa.bindparam("since"),
        sa.or_(turns.c.decided_at >= sa.bindparam("lately"), _LATER.c.chat.is_not(None)),
    )
)
#: Whatever later turns look back at, and the turn that it belongs to.
_LEFT: Final = ((turns, turns.c.id), (outbox, outbox.c.turn), (haggles, haggles.c.turn))


def before(db: Database, span: Span) -> Rows:
    """Return what was decided and said before these turns, where it still matters to them."""
    asked = {"of": span.account, "since": span.since, "lately": span.since - _DAY}
    return {
        table.name: [
            dict(row)
            for row in db.execute(sa.select(table).where(turn.in_(_BEFORE)), asked).mappings()
        ]
        for table, turn in _LEFT
    }


def restore(db: Database, rows: Rows) -> None:
    """Put rows of another database into this one, which has none."""
    for table, _ in _LEFT:
        if values := rows.get(table.name):
            db.execute(sa.insert(table), list(values))


# What a turn leaves behind.

_AS_THEN: Final = (
    sa.update(outbox)
    .where(
        outbox.c.account == sa.bindparam("of"),
        outbox.c.uuid == sa.bindparam("id"),
        outbox.c.state == "queued",
    )
    .values(state=sa.bindparam("is"))
)


def settle(db: Database, turn: Turn, decision: Decision, states: Sequence[str], now: int) -> None:
    """Store a decision and what became of its reply, as if it had been given.

    Args:
      db: the database.
      turn: with lines that this database does not have.
      decision: what is said to it.
      states: of each message of the reply, once it is dealt with; of a reply that is sent.
      now: when it was decided (ms).
    """
    lines = [
        Arrival(
            key=each.id,
            kind="text",
            raw="",
            outcome=None,
            chat=each.chat,
            sender=each.sender,
            sender_name=each.sender_name,
            content=each.content,
            item=each.item,
            sent_at=each.sent_at,
        )
        for each in turn.messages
    ]
    taken.insert_new(db, turn.account, lines, now=now)
    uuids = tuple(f"{turn.last.id}/{n}" for n in range(len(states)))
    closing.answer(db, turn, decision, uuids, now=now)
    for uuid, state in zip(uuids, states, strict=True):
        db.execute(_AS_THEN, {"of": turn.account, "id": uuid, "is": state})


def picture(db: Database, account: AccountId, digest: str) -> Image | None:
    """Return the picture that the platform has of a file, by its SHA-256."""
    mine = (uploads.c.account == account, uploads.c.digest == digest)
    row = db.execute(sa.select(uploads).where(*mine)).one_or_none()
    return None if row is None else Image(row.url, row.width, row.height)
