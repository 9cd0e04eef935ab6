"""A disk that is full, a file that cannot be written or is damaged: what the store then does."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import outcome
import pytest
import sqlalchemy as sa
import trio
from trio.testing import MockClock

from tests.app.program import until
from tests.store.samples import NOW, SHOP, arrival
from xybot.errors import ConfigError, StoreUnavailable
from xybot.store import inbox
from xybot.store.database import Database, Store, in_thread, inline, open_store

LINE = "一" * 10_000
"""Too long for what room is left on pages that are there already."""


async def say(store: Store, key: str, text: str = LINE) -> int:
    said = [arrival(f"{key}.PNM", chat=text)]
    return len(await store.transact(inbox.insert_new, SHOP, said, now=NOW))


async def driver_of(store: Store) -> sqlite3.Connection:
    """The store's own connection: what is said to it needs no transaction."""
    driver: sqlite3.Connection = await store.transact(lambda db: db.connection.dbapi_connection)
    return driver


def fill_up(driver: sqlite3.Connection) -> None:
    """Let the disk be full: the file gets no page more."""
    (pages,) = driver.execute("PRAGMA page_count").fetchone()
    driver.execute(f"PRAGMA max_page_count={pages}").close()


def free_up(driver: sqlite3.Connection) -> None:
    driver.execute("PRAGMA max_page_count=1000000").close()


def forbid(driver: sqlite3.Connection) -> None:
    driver.execute("PRAGMA query_only=ON").close()


def allow(driver: sqlite3.Connection) -> None:
    driver.execute("PRAGMA query_only=OFF").close()


Switch: TypeAlias = Callable[[sqlite3.Connection], None]
TROUBLES: dict[str, tuple[Switch, Switch]] = {
    "磁盘已满": (fill_up, free_up),
    "只读": (forbid, allow),
}


@pytest.mark.parametrize("words", TROUBLES)
async def test_it_tells_once_that_nothing_can_be_stored_and_once_that_it_can(
    autojump_clock: MockClock, tmp_path: Path, words: str
) -> None:
    begin, end = TROUBLES[words]
    told: list[str | None] = []
    async with open_store(tmp_path / "x.db", run=inline, tell=told.append) as store:
        assert await say(store, "0") == 1
        driver = await driver_of(store)
        for outage in range(2):
            begin(driver)
            for n in range(20):
                with pytest.raises(StoreUnavailable, match=words):
                    await say(store, f"{outage}.{n}")
                await trio.sleep(5)
            (reason,) = told[2 * outage :]
            assert reason is not None
            assert words in reason
            assert "\n" not in reason
            end(driver)
            assert await say(store, f"{outage}.0") == 1
            await trio.sleep(15)
            assert told[2 * outage + 1 :] == [None]


async def test_a_hundred_that_cannot_be_stored_are_told_as_one(tmp_path: Path) -> None:
    told: list[str | None] = []
    stored: list[int] = []

    async def until_stored(n: int) -> None:
        with pytest.raises(StoreUnavailable, match="磁盘已满"):
            await say(store, f"{n}")
        refused.append(n)
        await freed.wait()
        stored.append(await say(store, f"{n}"))

    async with open_store(tmp_path / "x.db", run=in_thread, tell=told.append) as store:
        driver, refused, freed = await driver_of(store), [], trio.Event()
        fill_up(driver)
        async with trio.open_nursery() as nursery:
            for n in range(100):
                nursery.start_soon(until_stored, n)
            await until(lambda: len(refused) == 100)
            free_up(driver)
            freed.set()
    assert stored == [1] * 100
    assert len(told) == 1


async def test_what_still_fits_on_a_full_disk_does_not_end_the_trouble(
    autojump_clock: MockClock,
) -> None:
    told: list[str | None] = []

    def rename(db: Database, name: str) -> None:
        db.exec_driver_sql("UPDATE inbox SET sender_name = ?", (name,))

    async with open_store(None, run=inline, tell=told.append) as store:
        await say(store, "0", "short")
        driver = await driver_of(store)
        fill_up(driver)
        for n in range(100):
            with pytest.raises(StoreUnavailable):
                await say(store, f"1.{n}")
            await trio.sleep(5)
            assert len(await store.transact(inbox.still_open, SHOP)) == 1
            await store.transact(rename, f"{n}")
            await trio.sleep(5)
        assert len(told) == 1
        with pytest.raises(StoreUnavailable):
            await say(store, "2")
        free_up(driver)
        await trio.sleep(3600)
        assert len(await store.transact(inbox.still_open, SHOP)) == 1
        assert len(told) == 1  # Nothing was written: who knows.
        await store.transact(rename, "小李")
        await trio.sleep(1)
    assert told[1:] == [None]


async def test_a_lock_ends_with_the_first_transaction_that_begins(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    path, told = tmp_path / "x.db", []
    async with open_store(path, run=inline, tell=told.append) as store:
        (await driver_of(store)).execute("PRAGMA busy_timeout=0").close()
        with closing(sqlite3.connect(path, isolation_level=None)) as outside:
            outside.execute("BEGIN IMMEDIATE")
            for _ in range(2):
                with pytest.raises(StoreUnavailable, match="locked by another program"):
                    await say(store, "1")
            outside.execute("ROLLBACK")
        assert await store.transact(inbox.still_open, SHOP) == ()
        await trio.sleep(16)
    assert len(told) == 2
    assert told[1] is None


async def test_hours_of_trouble_leave_nothing_behind(autojump_clock: MockClock) -> None:
    told: list[str | None] = []
    async with open_store(None, run=inline, tell=told.append) as store:
        fill_up(await driver_of(store))
        for n in range(1000):
            with pytest.raises(StoreUnavailable):
                await say(store, f"{n}")
            await trio.sleep(10)
        assert len(store._waiting) == 0
        assert await store.transact(inbox.still_open, SHOP) == ()
    assert len(told) == 1


async def test_a_mistake_of_ours_is_no_trouble_with_the_disk() -> None:
    told: list[str | None] = []
    async with open_store(None, run=inline, tell=told.append) as store:
        with pytest.raises(sa.exc.OperationalError, match="no such table"):
            await store.transact(lambda db: db.exec_driver_sql("SELECT 1 FROM nowhere"))
    assert told == []


# Damage.


async def fill(path: Path, lines: int) -> None:
    """Make a database with so many lines of about a kilobyte, in an order that is not theirs."""
    keys = random.Random(lines).sample(range(10**6), lines)
    async with open_store(path, run=inline) as store:
        await store.transact(
            inbox.insert_new,
            SHOP,
            [arrival(f"{key}.PNM", name="小" * 300) for key in keys],
            now=NOW,
        )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of a few megabytes."""
    path = tmp_path_factory.mktemp("whole") / "x.db"
    trio.run(fill, path, 3000)
    return path


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoiled."""
    return shutil.copy(whole, tmp_path / "x.db")


def overwrite(path: Path, start: int, size: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(random.Random(start).randbytes(size))


def cut_off(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "garbage": lambda path: path.write_bytes(random.Random(1).randbytes(100_000)) and None,
    "another kind of file": lambda path: path.write_bytes(b"PK\x03\x04" * 5000) and None,
    "a few bytes": lambda path: path.write_bytes(b"SQLite") and None,
    "only its header": lambda path: cut_off(path, 100),
    "cut off in its first page": lambda path: cut_off(path, 3000),
    "cut off in the middle": lambda path: cut_off(path, path.stat().st_size // 2),
    "without its last page": lambda path: cut_off(path, path.stat().st_size - 4096),
    "overwritten at the start": lambda path: overwrite(path, 0, 64),
    "overwritten in its tables' names": lambda path: overwrite(path, 100, 2000),
    "overwritten in the middle": lambda path: overwrite(path, path.stat().st_size // 2, 65_536),
}


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_file_is_refused_with_what_can_be_done_and_left_as_it_is(
    path: Path, damage: str, read_only: bool
) -> None:
    DAMAGES[damage](path)
    spoiled = path.read_bytes()
    with pytest.raises(ConfigError) as caught:
        async with open_store(path, run=inline, read_only=read_only):
            raise AssertionError("it was opened")
    said = str(caught.value)
    assert said.startswith(f"{path}: 数据库打不开，文件已损坏 (the database is damaged)")
    assert all(word in said for word in ("备份", "-wal", "-shm", "令牌", "copy", "anew"))
    assert "\n" not in said
    assert path.read_bytes() == spoiled


def log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


async def test_a_log_that_is_garbage_is_passed_over(path: Path) -> None:
    log_of(path).write_bytes(random.Random(2).randbytes(100_000))
    async with open_store(path, run=inline) as store:
        assert len(await store.transact(inbox.still_open, SHOP)) == 3000


async def test_a_restored_copy_with_the_log_of_another_file_is_refused_and_stays_a_good_copy(
    path: Path, tmp_path: Path
) -> None:
    copy = path.read_bytes()
    (tmp_path / "later").mkdir()
    later = shutil.copy(path, tmp_path / "later" / "x.db")
    async with open_store(later, run=inline) as store:
        # Pages that the copy does not have are in the file, and their neighbours in the log.
        more = [arrival(f"later {n}", chat=f"c{n}") for n in range(2000)]
        await store.transact(inbox.insert_new, SHOP, more, now=NOW)
        (await driver_of(store)).execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        await store.transact(lambda db: db.exec_driver_sql("DELETE FROM inbox WHERE seq % 3 = 0"))
        shutil.copy(log_of(later), log_of(path))
    with pytest.raises(ConfigError, match="-wal"):
        async with open_store(path, run=inline):
            raise AssertionError("it was opened")
    assert path.read_bytes() == copy
    for ending in ("-wal", "-shm"):  # As the line says.
        path.with_name(f"{path.name}{ending}").unlink()
    async with open_store(path, run=inline) as store:
        assert len(await store.transact(inbox.still_open, SHOP)) == 3000


@pytest.mark.parametrize("run", [inline, in_thread])
async def test_damage_that_is_met_while_it_works_ends_the_program_and_leaves_nobody_waiting(
    path: Path, run: Callable[..., object]
) -> None:
    told: list[str | None] = []
    results: list[outcome.Outcome[int]] = []

    async def one(store: Store, n: int) -> None:
        with trio.CancelScope(shield=True):
            results.append(await outcome.acapture(say, store, f"{n}"))

    with trio.fail_after(10), pytest.raises(BaseExceptionGroup) as caught:  # noqa: PT012
        async with open_store(path, run=run, tell=told.append) as store, trio.open_nursery() as n:
            overwrite(path, 4096, path.stat().st_size - 4096)
            with closing(sqlite3.connect(path)) as outside:
                # What another process changed makes ours read everything anew.
                outside.execute("PRAGMA user_version=7")
            for key in range(20):
                n.start_soon(one, store, key)
            await trio.sleep_forever()
    assert caught.group_contains(ConfigError, match="文件已损坏")
    assert told == []
    assert len(results) == 20
    for result in results:
        with pytest.raises(StoreUnavailable):
            result.unwrap()
