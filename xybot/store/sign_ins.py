"""Browsers that are signed in, by a hash of what their cookie holds."""

from __future__ import annotations

import sqlalchemy as sa

from xybot.store.database import Database
from xybot.store.schema import sign_ins


def keep(db: Database, id_: str, token: str, *, until: int, now: int) -> None:
    """Remember a sign-in until then (ms), and forget those that are over.

    Args:
      db: the database.
      id_: a hash of what the cookie holds.
      token: the fingerprint of the token that was shown.
      until: when it ends.
      now: milliseconds.
    """
    db.execute(sa.delete(sign_ins).where(sign_ins.c.until <= now))
    db.execute(sa.insert(sign_ins).values(id=id_, token=token, until=until))


def token_of(db: Database, id_: str, *, now: int) -> str | None:
    """Return the fingerprint of the token of a sign-in, None when it is unknown or over."""
    query = sa.select(sign_ins.c.token).where(sign_ins.c.id == id_, sign_ins.c.until > now)
    found: str | None = db.scalar(query)
    return found


def forget(db: Database, id_: str) -> None:
    """Sign a browser out."""
    db.execute(sa.delete(sign_ins).where(sign_ins.c.id == id_))
