"""Opening a database, whatever is there."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.store.samples import NOW, SHOP, arrival
from tests.store.test_schema import migrated
from xybot.errors import ConfigError, StoreUnavailable
from xybot.store import inbox, schema
from xybot.store.database import Database, inline, open_store


async def refusal(path: Path, *, read_only: bool = False) -> str:
    with pytest.raises(ConfigError) as caught:
        async with open_store(path, run=inline, read_only=read_only):
            raise AssertionError("it was opened")
    return str(caught.value)


async def test_what_was_stored_is_there_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "数据 100%.db"
    async with open_store(path) as store:
        await store.transact(inbox.insert_new, SHOP, [arrival("1.PNM")], now=NOW)
    assert os.listdir(tmp_path) == [path.name]  # Nothing of SQLite's stays beside it.
    async with open_store(path) as store:
        (message,) = await store.transact(inbox.still_open, SHOP)
        assert message.id == "1.PNM"


async def test_a_file_that_is_no_database_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_text("Dear diary,\n" * 500)
    said = await refusal(path)
    assert "\n" not in said
    assert str(path) in said
    assert "file is not a database" in said
    assert path.read_text() == "Dear diary,\n" * 500


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with open_store(path, run=inline):
        pass
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
    said = await refusal(path)
    assert "9999" in said
    assert "\n" not in said
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)


async def test_a_path_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "x.db", tmp_path / "none" / "x.db", tmp_path):
        said = await refusal(path)
        assert "\n" not in said
        assert str(path) in said


async def test_the_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE accounts (mine)")
    whole = path.read_bytes()
    assert "another program" in await refusal(path)
    assert path.read_bytes() == whole


async def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.touch()
    async with open_store(path, run=inline) as store:
        assert await store.transact(inbox.insert_new, SHOP, [arrival("1.PNM")], now=NOW)


async def test_to_be_read_only_there_must_be_a_database(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    for prepare in (lambda: None, path.touch):
        prepare()
        said = await refusal(path, read_only=True)
        assert f"{path}: 没有数据库" in said
    assert path.read_bytes() == b""


@pytest.mark.parametrize(("version", "word"), [("0000", "older"), ("9999", "newer")])
async def test_a_reader_refuses_another_version_and_migrates_nothing(
    tmp_path: Path, version: str, word: str
) -> None:
    path = tmp_path / "x.db"
    async with open_store(path, run=inline):
        pass
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE alembic_version SET version_num = ?", (version,))
    said = await refusal(path, read_only=True)
    assert version in said
    assert schema.HEAD in said
    assert word in said
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT version_num FROM alembic_version").fetchone() == (version,)


async def test_a_reader_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with open_store(path, run=inline):
        pass
    async with open_store(path, run=inline, read_only=True) as store:
        with pytest.raises(StoreUnavailable, match="readonly"):
            await store.transact(inbox.insert_new, SHOP, [arrival("1.PNM")], now=NOW)
        assert await store.transact(inbox.still_open, SHOP) == ()
    assert os.listdir(tmp_path) == [path.name]


_READ = """
import sys, trio
from pathlib import Path
from xybot.store import inbox
from xybot.store.database import open_store

async def main():
    async with open_store(Path(sys.argv[1]), read_only=True) as store:
        print(*(message.id for message in await store.transact(inbox.still_open, "shop-a")))

trio.run(main)
"""


async def test_another_process_reads_while_one_writes(tmp_path: Path) -> None:
    path = tmp_path / "数据 100%?.db"
    command = [sys.executable, "-c", _READ, str(path)]
    async with open_store(path) as store:
        await store.transact(inbox.insert_new, SHOP, [arrival("1.PNM")], now=NOW)

        def insert_while_it_reads(db: Database) -> str:
            inbox.insert_new(db, SHOP, [arrival("2.PNM")], now=NOW)
            return subprocess.run(
                command, capture_output=True, text=True, check=True, timeout=30
            ).stdout

        assert await store.transact(insert_while_it_reads) == "1.PNM\n"
        assert [m.id for m in await store.transact(inbox.still_open, SHOP)] == ["1.PNM", "2.PNM"]


async def test_a_reader_sees_what_a_killed_process_had_stored(tmp_path: Path) -> None:
    path, killed = tmp_path / "x.db", tmp_path / "killed.db"
    async with open_store(path, run=inline) as store:
        await store.transact(inbox.insert_new, SHOP, [arrival("1.PNM")], now=NOW)
        for ending in ("", "-wal"):
            shutil.copy(f"{path}{ending}", f"{killed}{ending}")
    async with open_store(killed, run=inline, read_only=True) as store:
        assert [m.id for m in await store.transact(inbox.still_open, SHOP)] == ["1.PNM"]


_OPEN = """
import sys, trio
from pathlib import Path
from xybot.store.database import open_store

async def main():
    async with open_store(Path(sys.argv[1])):
        print("alembic" in sys.modules)

trio.run(main)
"""


def test_only_an_older_database_costs_alembic(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _OPEN, str(tmp_path / "x.db")]

    def loaded() -> str:
        return subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=30
        ).stdout

    assert loaded() == "False\n"
    assert loaded() == "False\n"
    command[-1] = str(tmp_path / "old.db")
    with migrated(tmp_path / "old.db", "0001"):
        pass
    assert loaded() == "True\n"
    assert loaded() == "False\n"
