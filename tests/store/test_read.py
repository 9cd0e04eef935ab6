"""Reading beside the writer: what was committed, at once, and nothing can be spoilt by it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from tests.store.samples import NOW, SHOP, arrival
from xybot.errors import StoreUnavailable
from xybot.store import inbox
from xybot.store.database import Database, Store, inline, open_store

SOON = 5.0
"""Real seconds; whoever waits for the wrong one waits for longer than that."""


@pytest.fixture
async def filed(tmp_path: Path) -> AsyncIterator[Store]:
    """A database in a file, worked on by threads, as in the program."""
    async with open_store(tmp_path / "数据 100%.db") as store:
        await store.transact(put, "1.PNM")
        yield store


def put(db: Database, key: str) -> None:
    inbox.insert_new(db, SHOP, [arrival(key)], now=NOW)


def keys(db: Database) -> list[str]:
    return [message.id for message in inbox.still_open(db, SHOP)]


def after(db: Database, go: threading.Event, begun: threading.Event | None = None) -> list[str]:
    """Read, wait until somebody says go, and read again."""
    before = keys(db)
    if begun is not None:
        begun.set()
    assert go.wait(SOON)
    assert keys(db) == before
    return before


async def test_a_reader_sees_what_was_committed(filed: Store) -> None:
    assert await filed.read(keys) == ["1.PNM"]
    await filed.transact(put, "2.PNM")
    assert await filed.read(keys) == ["1.PNM", "2.PNM"]


async def test_what_is_given_to_read_is_given_to_its_function(filed: Store) -> None:
    def told(db: Database, one: int, *, two: str) -> tuple[int, int, str]:
        return (db.exec_driver_sql("SELECT 1").scalar_one(), one, two)

    assert await filed.read(told, 5, two="x") == (1, 5, "x")


async def test_a_reader_does_not_wait_for_the_writer_and_sees_nothing_half_done(
    filed: Store,
) -> None:
    begun, go = threading.Event(), threading.Event()

    def slowly(db: Database) -> None:
        put(db, "2.PNM")
        begun.set()
        assert go.wait(SOON)

    with trio.fail_after(SOON):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(filed.transact, slowly)
            await trio.to_thread.run_sync(begun.wait, SOON)
            assert await filed.read(keys) == ["1.PNM"]
            go.set()
    assert await filed.read(keys) == ["1.PNM", "2.PNM"]


async def test_the_writer_does_not_wait_for_a_reader_who_sees_one_moment(filed: Store) -> None:
    begun, go, seen = threading.Event(), threading.Event(), []

    async def read() -> None:
        seen.extend(await filed.read(after, go, begun))

    with trio.fail_after(SOON):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            await trio.to_thread.run_sync(begun.wait, SOON)
            await filed.transact(put, "2.PNM")
            go.set()
    assert seen == ["1.PNM"]
    assert await filed.read(keys) == ["1.PNM", "2.PNM"]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO uploads VALUES ('a', 'b', 'c', 1, 1, 1)",
        "DELETE FROM inbox",
        "CREATE TABLE mine (n)",
        "PRAGMA user_version=7",
    ],
)
async def test_a_reader_cannot_write(filed: Store, statement: str) -> None:
    def write(db: Database) -> None:
        db.exec_driver_sql(statement)

    with pytest.raises(StoreUnavailable, match="readonly"):
        await filed.read(write)
    assert await filed.read(keys) == ["1.PNM"]


async def test_a_reader_that_raises_is_heard_and_leaves_room_for_the_next(filed: Store) -> None:
    def fail(_: Database) -> None:
        raise ValueError("no")

    with trio.fail_after(SOON):
        for _ in range(5):
            with pytest.raises(ValueError, match="no"):
                await filed.read(fail)
        assert await filed.read(keys) == ["1.PNM"]


async def test_two_read_at_the_same_time(filed: Store) -> None:
    both = threading.Barrier(2)

    def meet(db: Database) -> None:
        keys(db)
        both.wait(SOON)

    with trio.fail_after(SOON):
        async with trio.open_nursery() as nursery:
            for _ in range(2):
                nursery.start_soon(filed.read, meet)
    assert not both.broken


async def test_many_that_want_to_read_all_do(filed: Store) -> None:
    seen = []

    async def read() -> None:
        seen.append(await filed.read(keys))

    with trio.fail_after(SOON):
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(read)
    assert seen == [["1.PNM"]] * 20


async def test_a_reader_who_is_cancelled_delays_nobody(filed: Store) -> None:
    begun, go = threading.Event(), threading.Event()
    with trio.fail_after(SOON):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(filed.read, after, go, begun)
            await trio.to_thread.run_sync(begun.wait, SOON)
            nursery.cancel_scope.cancel()
        # It is gone, although its thread still waits.
        assert not go.is_set()
        assert await filed.read(keys) == ["1.PNM"]
    go.set()


async def test_a_reader_who_is_cancelled_does_not_keep_the_store_open(tmp_path: Path) -> None:
    begun, go = threading.Event(), threading.Event()
    with trio.fail_after(SOON):
        async with open_store(tmp_path / "x.db") as store, trio.open_nursery() as nursery:
            nursery.start_soon(store.read, after, go, begun)
            await trio.to_thread.run_sync(begun.wait, SOON)
            nursery.cancel_scope.cancel()
    assert not go.is_set()
    go.set()


async def test_who_is_cancelled_before_there_is_room_reads_nothing(filed: Store) -> None:
    go, ran = threading.Event(), []

    def note(_: Database) -> None:
        ran.append(1)

    with trio.fail_after(SOON):
        async with trio.open_nursery() as nursery:
            for _ in range(2):
                begun = threading.Event()
                nursery.start_soon(filed.read, after, go, begun)
                await trio.to_thread.run_sync(begun.wait, SOON)
            with trio.move_on_after(0.05) as impatient:
                await filed.read(note)
            go.set()
    assert impatient.cancelled_caught
    assert ran == []


async def test_a_database_in_memory_is_read_as_well(store: Store) -> None:
    await store.transact(put, "1.PNM")
    assert await store.read(keys) == ["1.PNM"]


async def test_a_file_is_read_without_threads_under_the_mock_clock(
    autojump_clock, tmp_path: Path
) -> None:
    async with open_store(tmp_path / "x.db", run=inline) as store:
        await store.transact(put, "1.PNM")
        assert await store.read(keys) == ["1.PNM"]


async def test_who_only_reads_the_file_of_another_process_reads_beside_it(filed: Store) -> None:
    (path,) = await filed.read(lambda db: [row.file for row in _files(db)])
    async with open_store(Path(path), read_only=True) as other:
        await filed.transact(put, "2.PNM")
        assert await other.read(keys) == ["1.PNM", "2.PNM"]


def _files(db: Database):
    return db.exec_driver_sql("PRAGMA database_list").all()


async def test_readers_who_were_cancelled_leave_room_for_the_next(filed: Store) -> None:
    go = threading.Event()
    for _ in range(3):
        begun = threading.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(filed.read, after, go, begun)
            await trio.to_thread.run_sync(begun.wait, SOON)
            nursery.cancel_scope.cancel()
    with trio.fail_after(SOON):
        assert await filed.read(keys) == ["1.PNM"]
    go.set()


async def test_a_closed_store_is_not_read(tmp_path: Path) -> None:
    async with open_store(tmp_path / "x.db") as store:
        await store.transact(put, "1.PNM")
    with pytest.raises(StoreUnavailable):
        await store.read(keys)
