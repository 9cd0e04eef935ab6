"""Which accounts there are, which should run, and what each needs to come back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from xybot.model import AccountId
from xybot.store.database import Database
from xybot.store.schema import accounts


@attrs.frozen
class Wanted:
    """An account that should run; another `version` of its settings means: start it anew."""

    id: AccountId
    version: str


@attrs.frozen(kw_only=True)
class Setting:
    """What bot.toml says of an account."""

    version: str
    """A fingerprint of all settings that a running account cannot take over."""
    pasted: str
    """A fingerprint of the cookie in bot.toml: a new one replaces the stored session."""


Settings: TypeAlias = Mapping[AccountId, Setting]


def configure(db: Database, settings: Settings) -> None:
    """Make the accounts of bot.toml the ones that are wanted; a changed one is unparked."""
    known = {row.id: row for row in db.execute(sa.select(accounts))}
    for id_ in known.keys() - settings.keys():
        gone = sa.update(accounts).where(accounts.c.id == id_)
        db.execute(gone.values(wanted=False, parked=None))
    for id_, setting in settings.items():
        row = known.get(id_)
        values: dict[str, object] = {"version": setting.version, "wanted": True}
        if row is None or row.version != setting.version:
            values["parked"] = None
        if row is None or row.pasted != setting.pasted:
            values |= {"pasted": setting.pasted, "session_json": None}
        _upsert(db, id_, values)


def _upsert(db: Database, id_: AccountId, values: dict[str, object]) -> None:
    statement = insert(accounts).values(id=id_, **({"pasted": ""} | values))
    db.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


def wanted(db: Database) -> frozenset[Wanted]:
    """Return the accounts that should run now: wanted, and not parked."""
    query = sa.select(accounts.c.id, accounts.c.version).where(
        accounts.c.wanted, accounts.c.parked.is_(None)
    )
    return frozenset(Wanted(row.id, row.version) for row in db.execute(query))


def park(db: Database, account: AccountId, reason: str) -> None:
    """Take an account off line until its seller acts."""
    db.execute(sa.update(accounts).where(accounts.c.id == account).values(parked=reason))


def unpark_all(db: Database) -> None:
    """Try every account again: starting the program is the seller's word for it."""
    db.execute(sa.update(accounts).values(parked=None))


def session(db: Database, account: AccountId) -> str | None:
    """Return the session that was saved last (JSON, secret), or None."""
    query = sa.select(accounts.c.session_json).where(accounts.c.id == account)
    found: str | None = db.scalar(query)
    return found


def save_session(db: Database, account: AccountId, session_json: str) -> None:
    """Keep a session across restarts."""
    change = sa.update(accounts).where(accounts.c.id == account)
    db.execute(change.values(session_json=session_json))
