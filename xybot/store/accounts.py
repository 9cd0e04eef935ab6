"""Which accounts there are, which should run, and what each needs to come back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from xybot.errors import Cause
from xybot.model import AccountId
from xybot.store.database import Database
from xybot.store.prepared import Prepared
from xybot.store.schema import accounts


@attrs.frozen
class Wanted:
    """An account that should run; another `version` of its settings means: start it anew."""

    id: AccountId
    version: str


@attrs.frozen
class Parked:
    """An account that would run, and waits for its seller."""

    id: AccountId
    reason: str
    """What it waits for, in words for the seller."""
    cause: Cause


@attrs.frozen
class Roster:
    """Every account of bot.toml that is switched on: it runs, or it is parked."""

    wanted: frozenset[Wanted]
    parked: frozenset[Parked]


@attrs.frozen(kw_only=True)
class Setting:
    """What bot.toml says of an account."""

    version: str
    """A fingerprint of all settings that a running account cannot take over."""
    pasted: str
    """A fingerprint of the cookie in bot.toml: a new one replaces the stored session."""


Settings: TypeAlias = Mapping[AccountId, Setting]

_UNPARKED: Final = {"parked": None, "parked_cause": None}
#: Asked every few seconds as long as the program runs; so without the sessions, which are long.
_ROSTER: Final = Prepared(
    sa.select(accounts.c.id, accounts.c.version, accounts.c.parked, accounts.c.parked_cause).where(
        accounts.c.wanted
    )
)


def configure(db: Database, settings: Settings) -> None:
    """Make the accounts of bot.toml the ones that are wanted; a changed one is unparked."""
    known = {row.id: row for row in db.execute(sa.select(accounts))}
    for id_ in known.keys() - settings.keys():
        gone = sa.update(accounts).where(accounts.c.id == id_)
        db.execute(gone.values(wanted=False, **_UNPARKED))
    for id_, setting in settings.items():
        row = known.get(id_)
        values: dict[str, object] = {"version": setting.version, "wanted": True}
        changed = row is None or row.version != setting.version
        if changed and not (row and row.parked_cause == Cause.PAUSED.value):
            values |= _UNPARKED
        if row is None or row.pasted != setting.pasted:
            values |= {"pasted": setting.pasted, "session_json": None}
        _upsert(db, id_, values)


def _upsert(db: Database, id_: AccountId, values: dict[str, object]) -> None:
    statement = insert(accounts).values(id=id_, **({"pasted": ""} | values))
    db.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


def roster(db: Database) -> Roster:
    """Return the accounts that are switched on, by whether they may run now."""
    rows = _ROSTER.rows(db, {})
    return Roster(
        wanted=frozenset(Wanted(row.id, row.version) for row in rows if row.parked is None),
        parked=frozenset(
            # A database from before the cause was stored has the words alone.
            Parked(row.id, row.parked, Cause(row.parked_cause or Cause.OTHER.value))
            for row in rows
            if row.parked is not None
        ),
    )


def park(db: Database, account: AccountId, reason: str, cause: Cause) -> None:
    """Take an account off line until its seller acts, restarts of the program included."""
    change = sa.update(accounts).where(accounts.c.id == account)
    db.execute(change.values(parked=reason, parked_cause=cause.value))


def pause(db: Database, account: AccountId, reason: str) -> bool:
    """Take an account off line because its seller wants it so; False when it does not run."""
    runs = (accounts.c.id == account, accounts.c.wanted, accounts.c.parked.is_(None))
    change = sa.update(accounts).where(*runs)
    return bool(db.execute(change.values(parked=reason, parked_cause=Cause.PAUSED.value)).rowcount)


def redial(db: Database, account: AccountId) -> bool:
    """Ask a running account to connect anew; False when it does not run."""
    runs = (accounts.c.id == account, accounts.c.wanted, accounts.c.parked.is_(None))
    change = sa.update(accounts).where(*runs).values(redials=accounts.c.redials + 1)
    return bool(db.execute(change).rowcount)


def redials(db: Database, account: AccountId) -> int:
    """Return how often an account was asked to connect anew."""
    query = sa.select(accounts.c.redials).where(accounts.c.id == account)
    return db.scalar(query) or 0


def resume(db: Database, account: AccountId) -> bool:
    """Let a parked account run again, just as it stopped; False when it is not parked."""
    parked = sa.update(accounts).where(accounts.c.id == account, accounts.c.parked.is_not(None))
    return bool(db.execute(parked.values(**_UNPARKED)).rowcount)


def session(db: Database, account: AccountId) -> str | None:
    """Return the session that was saved last (JSON, secret), or None."""
    query = sa.select(accounts.c.session_json).where(accounts.c.id == account)
    found: str | None = db.scalar(query)
    return found


def save_session(db: Database, account: AccountId, session_json: str) -> None:
    """Keep a session across restarts."""
    change = sa.update(accounts).where(accounts.c.id == account)
    db.execute(change.values(session_json=session_json))
