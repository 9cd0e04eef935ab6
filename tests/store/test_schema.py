"""What the tables are: those of a new database, and of one that the migrations brought here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from xybot.store import migrate, opening, schema
from xybot.store.database import Database, Store, inline, open_store

#: What makes a difference in the text of a table, and no pragma tells of.
UNTOLD = re.compile(r"\b(AUTOINCREMENT|CHECK|COLLATE|GENERATED|DEFERRABLE|CONFLICT)\b")


def contents(db: Database) -> dict[str, object]:
    """Everything in a database, however it came to be: made at once, or column by column."""

    def ask(question: str, *names: str) -> list[tuple[object, ...]]:
        answer = db.connection.dbapi_connection.execute(question, names)
        return sorted(answer.fetchall(), key=repr)

    found: dict[str, object] = {}
    for kind, name, sql in ask("SELECT type, name, sql FROM sqlite_schema"):
        if kind != "table":  # An index; nobody makes views or triggers.
            found[name] = re.sub(r"[\s\"]+", " ", sql or "made by SQLite").strip()
            continue
        columns = 'name, type, "notnull", dflt_value, pk, hidden'
        found[name] = {
            "columns": ask(f"SELECT {columns} FROM pragma_table_xinfo(?)", name),
            "indexes": ask(
                'SELECT name, "unique", origin, partial FROM pragma_index_list(?)', name
            ),
            "of": ask(
                "SELECT each.name, seqno, it.name, desc, coll, key"
                " FROM pragma_index_list(?) AS each, pragma_index_xinfo(each.name) AS it",
                name,
            ),
            "keys": ask(
                'SELECT seq, "table", "from", "to", on_update, on_delete, match'
                " FROM pragma_foreign_key_list(?)",
                name,
            ),
            "kind": ask("SELECT type, wr, strict FROM pragma_table_list WHERE name = ?", name),
            "words": sorted(UNTOLD.findall(sql.upper())),
            "rows": ask(f"SELECT * FROM {name}"),
        }
    return found


@contextmanager
def migrated(path: Path, to: str = "head") -> Iterator[sa.Connection]:
    """Give a database that the migrations made, step by step."""
    engine = opening.engine(path, read_only=False)
    try:
        with engine.connect() as db:
            migrate.upgrade(db, to)
            yield db
    finally:
        engine.dispose()


async def test_the_migrations_make_the_tables_of_the_schema(store: Store, tmp_path: Path) -> None:
    with migrated(tmp_path / "x.db") as db:
        assert compare_metadata(MigrationContext.configure(db), schema.metadata) == []
        # Alembic does not compare everything, partial indexes for one.
        step_by_step = contents(db)
    assert await store.transact(contents) == step_by_step
    assert step_by_step.keys() > schema.metadata.tables.keys()


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE accounts ADD COLUMN more TEXT",
        "ALTER TABLE gaps DROP COLUMN late",
        "ALTER TABLE inbox ADD COLUMN more INTEGER REFERENCES gaps (id)",
        "DROP INDEX inbox_open",
        "CREATE INDEX inbox_more ON inbox (account)",
        "INSERT INTO accounts (id, version, wanted, pasted) VALUES ('a', '', 1, '')",
        "DROP TABLE pauses",
        "CREATE TABLE more (id)",
        *(
            f"DROP TABLE items; CREATE TABLE items (account TEXT NOT NULL, item TEXT NOT NULL,"
            f" facts_json TEXT, fetched_at {fetched_at}, PRIMARY KEY ({key}))"
            for fetched_at, key in (
                ("BIGINT", "account, item"),
                ("BIGINT NOT NULL DEFAULT 0", "account, item"),
                ("BIGINT NOT NULL CHECK (fetched_at > 0)", "account, item"),
                ("BIGINT NOT NULL UNIQUE", "account, item"),
                ("BIGINT NOT NULL", "item, account"),
                ("BIGINT NOT NULL", "account COLLATE NOCASE, item"),
            )
        ),
        "DROP INDEX inbox_open; CREATE INDEX inbox_open ON inbox (account, seq)",
        "DROP TABLE events; CREATE TABLE events (id INTEGER NOT NULL PRIMARY KEY,"
        " account TEXT NOT NULL, name TEXT NOT NULL, body_json TEXT NOT NULL, at BIGINT NOT NULL)",
    ],
)
async def test_a_migration_that_makes_it_otherwise_would_be_found(
    store: Store, change: str
) -> None:
    def make_otherwise(db: Database) -> None:
        for statement in change.split("; "):
            db.exec_driver_sql(statement)

    before = await store.transact(contents)
    await store.transact(make_otherwise)
    assert await store.transact(contents) != before


def steps() -> list[str]:
    config = Config()
    config.set_main_option("script_location", str(migrate.MIGRATIONS))
    return [step.revision for step in ScriptDirectory.from_config(config).walk_revisions()]


@pytest.mark.parametrize("version", steps())
async def test_a_database_of_any_version_is_brought_up_to_date(
    tmp_path: Path, store: Store, version: str
) -> None:
    path = tmp_path / "x.db"
    with migrated(path, version):
        pass
    async with open_store(path, run=inline) as opened:
        assert await opened.transact(contents) == await store.transact(contents)


def test_the_tables_are_made_whole_or_not_at_all(tmp_path: Path) -> None:
    engine = opening.engine(tmp_path / "x.db", read_only=False)
    with engine.connect() as db:
        db.connection.dbapi_connection.execute("PRAGMA max_page_count = 30")
        with pytest.raises(sa.exc.OperationalError, match="full"):
            schema.create(db)
        assert contents(db) == {}
    engine.dispose()


def test_head_is_the_newest_migration() -> None:
    assert steps()[0] == schema.HEAD
