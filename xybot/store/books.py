"""The books: whatever was received was answered, skipped for a reason, or still waits.

Lines are counted twice, by their kind and by what became of them; so a line whose fate
nobody can tell shows as a difference.
"""

from __future__ import annotations

import enum
import functools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, tzinfo
from typing import Final, TypeAlias

import attrs
import sqlalchemy as sa

from xybot.model import AccountId
from xybot.store.database import Database
from xybot.store.schema import inbox, outbox, turns


class Reason(enum.StrEnum):
    """Why a line got no answer, or not all of it."""

    SILENT = "silent"
    """A rule says: no reply to this."""
    LATE = "late"
    """It was too old when we saw it: for the seller."""
    BY_HAND = "by hand"
    """The seller answered it, or had taken over the chat."""
    NO_ANSWER = "no answer"
    """No source had one."""
    FAILED = "failed"
    """An error of ours ended the search for one."""
    REFUSED = "refused"
    """The platform would not deliver it."""
    DROPPED = "dropped"
    """It was taken back before it was said."""
    DRY_RUN = "dry run"
    """It was decided and written down, but not to be sent."""
    NOT_A_PERSON = "not a person"
    """The platform, or a group, said the line."""
    NO_WAY = "no way to answer"
    """The line names no chat, or no sender."""


class Fate(enum.Enum):
    """What became of a line that was not skipped."""

    ANSWERED = "answered"
    """The buyer has all of the answer."""
    WAITING = "waiting"
    HELD = "held"
    """Nobody can tell whether the answer arrived: the seller has to look."""


@attrs.frozen(kw_only=True)
class Day:
    """What somebody else said to an account on one day, in lines."""

    account: AccountId
    day: date
    received: int
    answered: int
    skipped: Mapping[Reason, int]
    waiting: int
    held: int

    @property
    def unaccounted(self) -> int:
        """Lines of which nobody can tell what became of them."""
        known = self.answered + sum(self.skipped.values()) + self.waiting + self.held
        return self.received - known

    @property
    def balances(self) -> bool:
        """Whether every line is accounted for."""
        return self.unaccounted == 0


_Fate: TypeAlias = Fate | Reason

#: State of a message of ours -> what it means to the lines that it answers.  When the
#: messages of a reply differ, the first state here that one of them is in counts for all.
_BY_STATE: Final[Mapping[str, _Fate]] = {
    "held": Fate.HELD,
    "sending": Fate.WAITING,
    "queued": Fate.WAITING,
    "draft": Fate.WAITING,
    "refused": Reason.REFUSED,
    "dropped": Reason.DROPPED,
    "dry_run": Reason.DRY_RUN,
    "sent": Fate.ANSWERED,
}
_STATES: Final = tuple(_BY_STATE)
_UNKNOWN: Final = -1
"""Rank of a state that is none of them: before all others, so that it shows."""
#: Outcome of a turn that says nothing -> what it means to its lines.
_BY_TURN: Final[Mapping[str, _Fate]] = {
    "silent": Reason.SILENT,
    "late": Reason.LATE,
    "failed": Reason.FAILED,
}
#: First words of the outcome of a line that no turn closed -> what it means.
_WITHOUT_TURN: Final[Mapping[str, _Fate]] = {
    "skipped": Reason.BY_HAND,
    "not a person": Reason.NOT_A_PERSON,
    "no way to answer": Reason.NO_WAY,
}
_QUARTER: Final = 900_000
"""Milliseconds.  Every time zone differs from UTC by whole quarters of an hour, so the lines
of one quarter are of one day: SQLite can count them and need not know zones."""
_SPOKEN: Final = ("text", "image", "voice", "video", "expression")
"""The kinds of `wire.pushes.Spoken`."""


def _of(table: sa.Table) -> sa.ColumnElement[bool]:
    # Not `account = :of` alone: SQLite would then read all that the account ever had.
    of = sa.bindparam("of", type_=sa.Text)
    return sa.or_(of.is_(None), table.c.account == of)


_SINCE: Final = inbox.c.received_at >= sa.bindparam("since")
_WANTED: Final = (inbox.c.kind.in_(_SPOKEN), _SINCE, _of(inbox))
#: First in each GROUP BY: after the account, SQLite would take an index and read criss-cross.
_AT: Final = (inbox.c.received_at // _QUARTER).label("quarter")
_RECEIVED: Final = (
    sa.select(inbox.c.account, _AT, sa.func.count()).where(*_WANTED).group_by(_AT, inbox.c.account)
)

_FIRST_TURN: Final = sa.select(sa.func.min(inbox.c.turn)).where(_SINCE).scalar_subquery()
_RANK: Final = sa.case(
    {state: rank for rank, state in enumerate(_STATES)}, value=outbox.c.state, else_=_UNKNOWN
)
_REPLIES: Final = (
    sa.select(outbox.c.turn, sa.func.min(_RANK).label("rank"))
    .where(outbox.c.turn >= _FIRST_TURN)
    .group_by(outbox.c.turn)
    .cte("replies")
)
_PASSED: Final = turns.c.passed_json
#: Taken over: the gate of the seller's own hand, and nobody else, was asked.
_TAKEN_OVER: Final = sa.case(
    (sa.func.json_valid(_PASSED) == 0, False),
    else_=sa.and_(
        sa.func.json_array_length(_PASSED) == 1,
        sa.func.json_extract(_PASSED, "$[0][0]") == "manual_pause",
    ),
)
_TOLD: Final = (
    inbox.c.outcome,
    turns.c.outcome,
    sa.case((turns.c.outcome == "skipped", _TAKEN_OVER), else_=False),
    _REPLIES.c.rank,
)
"""What `_fate` takes."""
_FATES: Final = (
    sa.select(inbox.c.account, _AT, sa.func.count(), *_TOLD)
    .outerjoin(turns, sa.and_(turns.c.id == inbox.c.turn, turns.c.account == inbox.c.account))
    .outerjoin(_REPLIES, _REPLIES.c.turn == inbox.c.turn)
    .where(*_WANTED)
    .group_by(_AT, inbox.c.account, *_TOLD)
)

_MOST: Final = 20
"""Contradictions of a kind that are told; the first of them is bad enough."""
_SENT_TWICE: Final = (
    sa.select(outbox.c.account, outbox.c.message, sa.func.count())
    .where(outbox.c.state == "sent", outbox.c.message.is_not(None), _of(outbox))
    .group_by(outbox.c.message, outbox.c.account)
    .having(sa.func.count() > 1)
    .limit(_MOST)
)
_TURN_MISSING: Final = (
    sa.select(inbox.c.account, inbox.c.message, inbox.c.turn)
    .where(_SINCE, _of(inbox))
    .where(inbox.c.turn.is_not(None), inbox.c.turn.not_in(sa.select(turns.c.id)))
    .limit(_MOST)
)
_TURNS_OF_LINES: Final = sa.select(inbox.c.turn).where(inbox.c.turn.is_not(None))
#: Most turns are found among the new lines; all lines are read only for what is left.
_LINES_MISSING: Final = (
    sa.select(turns.c.account, turns.c.id)
    .where(_of(turns), turns.c.id >= sa.func.coalesce(_FIRST_TURN, 0))
    .where(turns.c.id.not_in(_TURNS_OF_LINES.where(_SINCE)))
    .where(turns.c.id.not_in(_TURNS_OF_LINES))
    .limit(_MOST)
)


def balance(
    db: Database,
    *,
    zone: tzinfo | None = None,
    since: int | None = None,
    account: AccountId | None = None,
) -> tuple[Day, ...]:
    """Return the books, by account and then by day; a day without lines has no entry.

    Args:
      db: the database.
      zone: where the days begin; None is the zone of this machine.
      since: count what was received from then on (ms); None counts all.
      account: count only for this one; None counts for each.
    """
    wanted = {"since": since or 0, "of": account}
    day_of = functools.cache(functools.partial(_local_day, zone))
    received: Counter[tuple[AccountId, date]] = Counter()
    for of, at, lines in db.execute(_RECEIVED, wanted):
        received[of, day_of(at)] += lines
    fates: defaultdict[tuple[AccountId, date], Counter[_Fate | None]] = defaultdict(Counter)
    for of, at, lines, *told in db.execute(_FATES, wanted):
        fates[of, day_of(at)][_fate(*told)] += lines
    return tuple(_day(*key, received[key], fates[key]) for key in sorted(received))


def _local_day(zone: tzinfo | None, quarter: int) -> date:
    return datetime.fromtimestamp(quarter * _QUARTER / 1000, UTC).astimezone(zone).date()


def _day(account: AccountId, day: date, received: int, fates: Counter[_Fate | None]) -> Day:
    return Day(
        account=account,
        day=day,
        received=received,
        answered=fates[Fate.ANSWERED],
        skipped={reason: fates[reason] for reason in Reason if fates[reason]},
        waiting=fates[Fate.WAITING],
        held=fates[Fate.HELD],
    )


def _fate(
    outcome: str | None, closed_as: str | None, taken_over: bool | None, rank: int | None
) -> _Fate | None:
    """Return what became of a line, or None when its rows do not tell.

    Args:
      outcome: of the line.
      closed_as: the outcome of its turn, None without one.
      taken_over: whether the turn got no answer because of the seller's own hand.
      rank: place in `_STATES` of the reply's worst message, None without a message.
    """
    if outcome is None:
        return Fate.WAITING if closed_as is None else None
    first_words, colon, _ = outcome.partition(": ")
    if colon:
        return _WITHOUT_TURN.get(first_words)
    if outcome != closed_as:
        return None
    if outcome == "answered":
        return None if rank is None or rank == _UNKNOWN else _BY_STATE[_STATES[rank]]
    if outcome == "skipped":
        return Reason.BY_HAND if taken_over else Reason.NO_ANSWER
    return _BY_TURN.get(outcome)


def contradictions(
    db: Database, *, since: int | None = None, account: AccountId | None = None
) -> tuple[str, ...]:
    """Return, in sentences for the seller, what no run of the bot can have stored.

    A message of ours that was sent twice, a line whose turn is missing, a turn whose lines
    are missing, or were answered in another one as well.

    Args:
      db: the database.
      since: look at lines received from then on, and their turns (ms); None looks at all.
      account: look only at this one.
    """
    return tuple(_contradictions(db, {"since": since or 0, "of": account}))


def _contradictions(db: Database, wanted: Mapping[str, object]) -> Iterator[str]:
    for of, message, times in db.execute(_SENT_TWICE, wanted):
        yield f"{of}: 消息 {message} 记了 {times} 次已发出 (a message of ours was sent twice)"
    for of, message, turn in db.execute(_TURN_MISSING, wanted):
        yield f"{of}: 消息 {message} 的处理记录 {turn} 不见了 (the turn of a line is missing)"
    for of, turn in db.execute(_LINES_MISSING, wanted):
        yield f"{of}: 处理记录 {turn} 没有对应的消息 (a turn without a line)"
