"""Times at which an account was not on line, and what became of what was said in them."""

from __future__ import annotations

from collections import Counter
from typing import Final

import attrs
import sqlalchemy as sa

from xybot.model import AccountId
from xybot.store.database import Database
from xybot.store.prepared import Prepared
from xybot.store.schema import accounts, gaps, inbox, outbox


@attrs.frozen(kw_only=True)
class Gap:
    """From the last moment that is known to be complete to the line's return; platform's ms."""

    id: int
    began_at: int
    ended_at: int
    cause: str
    """A word of `errors.Cause`."""
    because: str
    """The same for the seller."""


@attrs.frozen(kw_only=True)
class Ended:
    """How a line ended."""

    at: int | None
    """When it was last known to work (ms); None when that was in an earlier run."""
    cause: str
    """A word of `errors.Cause`."""
    because: str
    """The same for the seller."""


@attrs.frozen(kw_only=True)
class Report:
    """What became of the buyers' lines of a gap."""

    gap: Gap
    recovered: int
    """All of them; the sum of the others."""
    answered: int
    late: int
    """Too old to answer when we saw them: for the seller."""
    skipped: int
    """Not answered for another reason, which is stored."""
    unaccounted: int
    """Without an outcome when the report was made."""


_CAUGHT_UP_TO: Final = Prepared(
    sa.select(accounts.c.caught_up_to).where(accounts.c.id == sa.bindparam("of"))
)
_CAUGHT_UP: Final = Prepared(
    sa.update(accounts)
    .where(accounts.c.id == sa.bindparam("of"))
    .values(caught_up_to=sa.bindparam("until"))
)


def _replies(*states: str) -> sa.Exists:
    """Whether a line's reply has a message in one of these states."""
    mine = (outbox.c.turn == inbox.c.turn, outbox.c.state.in_(states))
    return sa.select(outbox.c.seq).where(*mine).exists()


_UNSAID: Final = ("refused", "held", "dropped", "draft", "dry_run")
#: What became of a line: of an answer, the worst that became of its messages.
_BECAME: Final = sa.case(
    (inbox.c.outcome.is_(None) | _replies("queued", "sending"), "unaccounted"),
    (inbox.c.outcome == "late", "late"),
    ((inbox.c.outcome == "answered") & ~_replies(*_UNSAID), "answered"),
    else_="skipped",
)


@attrs.frozen(kw_only=True)
class Listed:
    """An outage as it stands in the list; `report` is None until its lines have outcomes."""

    account: AccountId
    gap: Gap
    report: Report | None


def listed(
    db: Database, account: AccountId | None, *, before: int | None = None, most: int = 50
) -> tuple[Listed, ...]:
    """Return outages of an account, or of all, the last first; before one, if it is given."""
    query = sa.select(gaps).order_by(gaps.c.id.desc()).limit(most)
    if account is not None:
        query = query.where(gaps.c.account == account)
    if before is not None:
        query = query.where(gaps.c.id < before)
    return tuple(_listed(row) for row in db.execute(query))


def _listed(row: sa.Row[tuple[object, ...]]) -> Listed:
    gap, report = _gap(row), None
    if row.reported_at is not None:
        report = Report(
            gap=gap,
            recovered=row.recovered,
            answered=row.answered,
            late=row.late,
            skipped=row.skipped,
            unaccounted=row.unaccounted,
        )
    return Listed(account=row.account, gap=gap, report=report)


def dialling(db: Database, account: AccountId, *, now: int) -> None:
    """Note that an account dials; who cannot store this must not ask for messages."""
    db.execute(sa.update(accounts).where(accounts.c.id == account).values(dialled_at=now))


def caught_up_to(db: Database, account: AccountId) -> int | None:
    """Return since when the inbox may lack something (platform's ms); None at the first start."""
    return next((row.caught_up_to for row in _CAUGHT_UP_TO.rows(db, {"of": account})), None)


def caught_up(db: Database, account: AccountId, until: int) -> None:
    """Note that everything said before `until` is in the inbox."""
    _CAUGHT_UP.run(db, {"of": account, "until": until})


def close_gap(db: Database, account: AccountId, ended: Ended, *, now: int) -> Gap | None:
    """Record that an account is back on line; None when it was never there before.

    Args:
      db: the database.
      account: whose line it is.
      ended: how its last line ended.
      now: when it came back (ms).
    """
    began = caught_up_to(db, account) if ended.at is None else ended.at
    if began is None:
        return None
    values = {
        "began_at": min(began, now),
        "ended_at": now,
        "cause": ended.cause,
        "because": ended.because,
    }
    insert = sa.insert(gaps).values(account=account, **values).returning(*gaps.c)
    return _gap(db.execute(insert).one())


def has_open_lines(db: Database, account: AccountId) -> bool:
    """Tell whether a gap that nobody reported has lines without an outcome."""
    lines = sa.select(inbox.c.seq).join(gaps, inbox.c.gap == gaps.c.id)
    mine = (gaps.c.account == account, gaps.c.reported_at.is_(None), _BECAME == "unaccounted")
    return db.scalar(lines.where(*mine).limit(1)) is not None


def report(db: Database, account: AccountId, *, now: int) -> tuple[Report, ...]:
    """Report, once, on each gap of an account, the oldest first."""
    unreported = (gaps.c.account == account, gaps.c.reported_at.is_(None))
    rows = db.execute(sa.select(gaps).where(*unreported).order_by(gaps.c.id)).all()
    return tuple(_reported(db, row, now) for row in rows)


def _reported(db: Database, row: sa.Row[tuple[object, ...]], now: int) -> Report:
    lines = sa.select(_BECAME.label("became")).where(inbox.c.gap == row.id)
    became = Counter(db.execute(lines).scalars())
    counts = {name: became[name] for name in ("answered", "late", "skipped", "unaccounted")}
    counts["recovered"] = sum(counts.values())
    done = sa.update(gaps).where(gaps.c.id == row.id)
    db.execute(done.values(reported_at=now, **counts))
    return Report(gap=_gap(row), **counts)


def _gap(row: sa.Row[tuple[object, ...]]) -> Gap:
    return Gap(
        id=row.id,
        began_at=row.began_at,
        ended_at=row.ended_at,
        cause=row.cause,
        because=row.because,
    )
