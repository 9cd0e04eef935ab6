"""Numbers of the day, by account: how much came in, how quickly it was answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from statistics import median
from typing import Final

import attrs
import sqlalchemy as sa

from xybot.model import AccountId
from xybot.store.chatlist import SPOKEN
from xybot.store.database import Database
from xybot.store.schema import OPEN, UNSETTLED, inbox, outbox, turns

HOUR: Final = 3_600_000
"""Milliseconds."""


@attrs.frozen(kw_only=True)
class Numbers:
    """What a day was like for an account until now."""

    received: int = 0
    """Lines of people."""
    answered: int = 0
    """Turns with an answer that the platform has."""
    held: int = 0
    """Messages of which nobody can tell whether they arrived, of all days."""
    waiting: int = 0
    """Messages that wait to be said, of all days."""
    median: float | None = None
    """Seconds from a buyer's first line to the answer; None without any."""
    hours: Mapping[int, int] = attrs.Factory(dict)
    """Hour of the span -> lines of people; hours without any are left out."""


_SINCE: Final = inbox.c.received_at >= sa.bindparam("since")
_HOUR: Final = ((inbox.c.received_at - sa.bindparam("since")) // HOUR).label("hour")
_HEARD: Final = (
    sa.select(inbox.c.account, _HOUR, sa.func.count().label("lines"))
    .where(_SINCE, inbox.c.kind.in_(SPOKEN))
    .group_by(inbox.c.account, _HOUR)
)
_ANSWERED: Final = (
    sa.select(
        inbox.c.account,
        (sa.func.min(outbox.c.settled_at) - sa.func.min(inbox.c.received_at)).label("took"),
    )
    .join(outbox, outbox.c.turn == inbox.c.turn)
    .where(_SINCE, outbox.c.state == "sent")
    .group_by(inbox.c.account, inbox.c.turn)
)
_HELD: Final = (
    sa.select(outbox.c.account, sa.func.count().label("messages"))
    .where(outbox.c.state == "held")
    .group_by(outbox.c.account)
)
_WAITING: Final = (
    sa.select(outbox.c.account, sa.func.count().label("messages"))
    .where(UNSETTLED)
    .group_by(outbox.c.account)
)
_HITS: Final = (
    sa.select(turns.c.rule, sa.func.count().label("times"))
    .where(turns.c.rule.is_not(None), turns.c.decided_at >= sa.bindparam("since"))
    .group_by(turns.c.rule)
)


def numbers(db: Database, *, since: int) -> Mapping[AccountId, Numbers]:
    """Return the numbers since then (ms) of every account that has any."""
    asked = {"since": since}
    hours: defaultdict[AccountId, dict[int, int]] = defaultdict(dict)
    for row in db.execute(_HEARD, asked):
        hours[row.account][row.hour] = row.lines
    took: defaultdict[AccountId, list[float]] = defaultdict(list)
    for row in db.execute(_ANSWERED, asked):
        took[row.account].append(max(0, row.took) / 1000)
    held = {row.account: row.messages for row in db.execute(_HELD)}
    waiting = {row.account: row.messages for row in db.execute(_WAITING)}
    return {
        account: Numbers(
            received=sum(hours[account].values()),
            answered=len(took[account]),
            held=held.get(account, 0),
            waiting=waiting.get(account, 0),
            median=median(took[account]) if took[account] else None,
            hours=hours[account],
        )
        for account in {*hours, *took, *held, *waiting}
    }


@attrs.frozen(kw_only=True)
class Depth:
    """How much of an account waits for something, at this moment."""

    open: int = 0
    """Lines of people without an outcome."""
    queued: int = 0
    """Messages of ours that are to be said."""
    sending: int = 0
    """Messages whose answer is awaited, or was lost."""
    held: int = 0
    """Messages of which nobody can tell whether they arrived."""
    drafts: int = 0
    """Messages that wait for the seller."""


_OPEN: Final = (
    sa.select(inbox.c.account, sa.func.count().label("lines")).where(OPEN).group_by(inbox.c.account)
)
_STATES: Final = (
    sa.select(outbox.c.account, outbox.c.state, sa.func.count().label("messages"))
    .where(outbox.c.state.in_(("queued", "sending", "held", "draft")))
    .group_by(outbox.c.account, outbox.c.state)
)


def depths(db: Database) -> Mapping[AccountId, Depth]:
    """Return what waits, of every account where something does."""
    found: defaultdict[AccountId, dict[str, int]] = defaultdict(dict)
    for row in db.execute(_OPEN):
        found[row.account]["open"] = row.lines
    for row in db.execute(_STATES):
        name = "drafts" if row.state == "draft" else row.state
        found[row.account][name] = row.messages
    return {account: Depth(**counts) for account, counts in found.items()}


def hits(db: Database, *, since: int) -> Mapping[str, int]:
    """Return how often each rule has answered since then (ms), by its fingerprint."""
    return {row.rule: row.times for row in db.execute(_HITS, {"since": since})}
