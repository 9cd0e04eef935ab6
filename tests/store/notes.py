"""A table of numbers: the least that transactions can be about."""

from __future__ import annotations

from xybot.store.database import Database


def make_notes(db: Database) -> None:
    db.exec_driver_sql("CREATE TABLE note (n INTEGER PRIMARY KEY)")


def note(db: Database, n: int) -> int:
    db.exec_driver_sql("INSERT INTO note VALUES (?)", (n,))
    return n


def note_and_fail(db: Database, n: int) -> int:
    note(db, n)
    raise ValueError(f"no {n}")


def notes(db: Database) -> list[int]:
    return list(db.exec_driver_sql("SELECT n FROM note ORDER BY n").scalars())
