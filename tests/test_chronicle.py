"""What happened is stored with what made it happen, and told only when both are there."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tests.conftest import EPOCH, SHOP, clock_ms
from tests.store.notes import make_notes, note, note_and_fail, notes
from xybot.chronicle import KEPT, Chronicle, open_chronicle
from xybot.errors import StoreUnavailable
from xybot.events import Event, EventFeed, Quarantined
from xybot.store import events as recording
from xybot.store.database import Database, Store, inline, open_store

DAY = 86_400


def event(n: int) -> Event:
    return Quarantined(account=SHOP, reason=str(n))


@attrs.define(eq=False)
class Desk:
    """A chronicle, and who listens to it."""

    chronicle: Chronicle
    told: list[Event] = attrs.Factory(list)

    async def recorded(self) -> list[str]:
        return await recorded(self.chronicle.store)

    async def note(self, n: int) -> int:
        """A transaction that means an event."""
        return await self.chronicle.transact(lambda n: [event(n)], note, n)


async def recorded(store: Store) -> list[str]:
    """The reasons of the events in the store."""
    rows = await store.transact(recording.after, 0, most=100_000)
    return [row.body.partition('"reason":"')[2].rstrip('"}') for row in rows]


@asynccontextmanager
async def open_desk(store: Store) -> AsyncIterator[Desk]:
    told: list[Event] = []
    async with open_chronicle(store, EventFeed(told.append), clock_ms) as chronicle:
        yield Desk(chronicle, told)


@pytest.fixture
async def desk(autojump_clock) -> AsyncIterator[Desk]:
    """A chronicle on a database in memory, under the mock clock."""
    async with open_store(None, run=inline) as store, open_desk(store) as desk:
        await store.transact(make_notes)
        yield desk


# Events that a transaction means.


async def test_an_event_is_a_row_of_the_transaction_that_means_it(
    autojump_clock, desk: Desk
) -> None:
    await trio.sleep(5)
    assert await desk.note(7) == 7
    assert await desk.chronicle.insist(lambda n: [event(n), event(-n)], note, n=8) == 8
    store = desk.chronicle.store
    assert await store.transact(notes) == [7, 8]
    assert await desk.recorded() == ["7", "8", "-8"]
    assert desk.told == [event(7), event(8), event(-8)]
    (first, *_) = await store.transact(recording.after, 0, most=9)
    assert (first.account, first.name, first.at) == (SHOP, event(7).name, EPOCH + 5000)


async def test_a_transaction_that_means_nothing_stores_no_event(autojump_clock, desk: Desk) -> None:
    await desk.chronicle.transact(lambda _: (), note, 7)
    assert await desk.chronicle.store.transact(notes) == [7]
    assert (await desk.recorded(), desk.told, desk.chronicle.newest) == ([], [], 0)


async def test_where_the_function_raises_neither_it_nor_its_event_is_there(
    autojump_clock, desk: Desk
) -> None:
    with pytest.raises(ValueError, match="no 7"):
        await desk.chronicle.transact(lambda n: [event(n)], note_and_fail, 7)
    assert await desk.chronicle.store.transact(notes) == []
    assert (await desk.recorded(), desk.told) == ([], [])


async def test_where_its_meaning_cannot_be_told_it_has_not_happened(
    autojump_clock, desk: Desk
) -> None:
    def mistaken(n: int) -> list[Event]:
        raise ValueError(f"what is {n}?")

    with pytest.raises(ValueError, match="what is 7"):
        await desk.chronicle.transact(mistaken, note, 7)
    assert await desk.chronicle.store.transact(notes) == []


async def test_what_runs_twice_because_another_failed_is_told_and_stored_once(
    autojump_clock, desk: Desk
) -> None:
    async def fail() -> None:
        with pytest.raises(ValueError, match="no 99"):
            await desk.chronicle.transact(lambda n: [event(n)], note_and_fail, 99)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(fail)
        for n in range(5):
            nursery.start_soon(desk.note, n)
    assert sorted(await desk.recorded()) == [str(n) for n in range(5)]
    assert len(desk.told) == 5


async def test_an_event_is_told_after_the_commit_and_not_before(
    autojump_clock, tmp_path: Path
) -> None:
    path, seen = tmp_path / "x.db", []
    with closing(sqlite3.connect(path)) as outsider:

        def tell(_: Event) -> None:
            seen.append([n for (n,) in outsider.execute("SELECT n FROM note")])
            seen.append([n for (n,) in outsider.execute("SELECT count(*) FROM events")])

        async with (
            open_store(path, run=inline) as store,
            open_chronicle(store, EventFeed(tell), clock_ms) as chronicle,
        ):
            await store.transact(make_notes)
            await chronicle.transact(lambda n: [event(n)], note, 7)
    assert seen == [[7], [1]]


async def test_a_store_that_cannot_be_written_stores_and_tells_nothing(
    autojump_clock, tmp_path: Path
) -> None:
    async with open_store(tmp_path / "x.db", run=inline) as store, open_desk(store) as desk:
        await store.transact(make_notes)
        await store.transact(_hurry)
        with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable):
                await desk.note(7)
            assert desk.told == []
            async with trio.open_nursery() as nursery:
                nursery.start_soon(desk.chronicle.insist, lambda n: [event(n)], note, 8)
                await trio.sleep(12)
                assert desk.told == []
                other.execute("ROLLBACK")
        assert (await desk.recorded(), desk.told) == (["8"], [event(8)])


def _hurry(db: Database) -> None:
    db.exec_driver_sql("PRAGMA busy_timeout=5")


# Events that no transaction means.


async def test_a_note_is_told_at_once_and_stored_a_moment_later(autojump_clock, desk: Desk) -> None:
    desk.chronicle.note(event(1))
    desk.chronicle.note(event(2))
    assert desk.told == [event(1), event(2)]
    assert await desk.recorded() == []
    await wait_all_tasks_blocked()
    assert await desk.recorded() == ["1", "2"]
    assert desk.chronicle.newest == 2


async def test_a_note_has_the_time_at_which_it_was_made(autojump_clock, tmp_path: Path) -> None:
    async with open_store(tmp_path / "x.db", run=inline) as store, open_desk(store) as desk:
        await store.transact(_hurry)
        with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await trio.sleep(3)
            desk.chronicle.note(event(1))
            await trio.sleep(20)
            other.execute("ROLLBACK")
        await trio.sleep(20)
        (row,) = await store.transact(recording.after, 0, most=9)
        assert row.at == EPOCH + 3000


async def test_what_is_noted_last_of_all_is_stored_once_at_the_end(autojump_clock) -> None:
    async with open_store(None, run=inline) as store:
        async with open_desk(store) as desk:
            desk.chronicle.note(event(1))
            await wait_all_tasks_blocked()
            desk.chronicle.note(event(2))
        assert await recorded(store) == ["1", "2"]


async def test_what_is_noted_while_everything_ends_is_stored(autojump_clock) -> None:
    async with open_store(None, run=inline) as store:
        with pytest.RaisesGroup(ValueError):
            async with open_desk(store) as desk:
                desk.chronicle.note(event(1))
                raise ValueError("a bug")
        with trio.move_on_after(5):
            async with open_desk(store) as desk:
                try:
                    await trio.sleep_forever()
                finally:
                    desk.chronicle.note(event(2))
        assert await recorded(store) == ["1", "2"]


async def _keep_open(
    closed: trio.Event, *, task_status: trio.TaskStatus[Store] = trio.TASK_STATUS_IGNORED
) -> None:
    async with open_store(None, run=inline) as store:
        task_status.started(store)
        await closed.wait()


async def test_a_store_that_is_closed_before_the_end_does_not_break_the_end(
    autojump_clock, nursery: trio.Nursery
) -> None:
    closed = trio.Event()
    store = await nursery.start(_keep_open, closed)
    async with open_desk(store) as desk:
        closed.set()
        await trio.sleep(1)
        desk.chronicle.note(event(1))
        with pytest.raises(StoreUnavailable):
            await desk.note(7)
        await trio.sleep(2 * 3600)
        desk.chronicle.note(event(2))
    assert desk.told == [event(1), event(2)]


async def test_a_store_that_cannot_be_written_delays_the_end_by_seconds_only(
    autojump_clock, tmp_path: Path
) -> None:
    async with open_store(tmp_path / "x.db", run=inline) as store:
        await store.transact(_hurry)
        with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as other:
            async with open_desk(store) as desk:
                other.execute("BEGIN IMMEDIATE")
                desk.chronicle.note(event(1))
                await trio.sleep(1)
                ends_at = trio.current_time()
            assert trio.current_time() - ends_at < 5
            other.execute("ROLLBACK")


# Waiting for more.


async def test_one_waits_until_there_is_more_than_one_has(autojump_clock, desk: Desk) -> None:
    woken: list[tuple[int, float]] = []

    async def wait(id_: int) -> None:
        await desk.chronicle.wait_beyond(id_)
        woken.append((id_, trio.current_time()))

    begun = trio.current_time()
    async with trio.open_nursery() as nursery:
        for id_ in (0, 1):
            nursery.start_soon(wait, id_)
        await trio.sleep(10)
        assert woken == []
        await desk.note(1)
        await trio.sleep(10)
        desk.chronicle.note(event(2))
    assert woken == [(0, begun + 10), (1, begun + 20)]
    with trio.fail_after(0):
        await desk.chronicle.wait_beyond(1)
    with trio.move_on_after(100) as patience:
        await desk.chronicle.wait_beyond(2)
    assert patience.cancelled_caught


async def test_after_a_restart_one_knows_what_there_is(autojump_clock) -> None:
    async with open_store(None, run=inline) as store:
        async with open_desk(store) as desk:
            for n in range(3):
                desk.chronicle.note(event(n))
        async with open_desk(store) as desk:
            assert desk.chronicle.newest == 3
            with trio.fail_after(0):
                await desk.chronicle.wait_beyond(2)


# Forgetting.


async def test_events_are_kept_for_seven_days(autojump_clock, desk: Desk) -> None:
    assert KEPT == 7 * DAY * 1000
    for n in range(10):
        desk.chronicle.note(event(n))
        await trio.sleep(DAY)
    # The first is now ten days old, the last one day.
    assert await desk.recorded() == [str(n) for n in range(3, 10)]
    await trio.sleep(3 * DAY + 3700)
    assert await desk.recorded() == [str(n) for n in range(7, 10)]
    await trio.sleep(30 * DAY)
    assert await desk.recorded() == []
    desk.chronicle.note(event(99))
    await wait_all_tasks_blocked()
    assert desk.chronicle.newest == 11


async def test_very_many_old_events_are_forgotten_at_the_start(autojump_clock) -> None:
    async with open_store(None, run=inline) as store:
        async with open_desk(store) as desk:
            for n in range(11_000):
                desk.chronicle.note(event(n))
        await trio.sleep(8 * DAY)
        async with open_desk(store) as desk:
            desk.chronicle.note(event(-1))
            await wait_all_tasks_blocked()
            assert await desk.recorded() == ["-1"]
