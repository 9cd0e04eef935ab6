"""What a transaction promises, whoever fails, is cancelled or dies around it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import attrs
import outcome
import pytest
import sqlalchemy as sa
import trio
import trio.lowlevel
from trio.testing import wait_all_tasks_blocked

from tests.store.notes import make_notes, note, note_and_fail, notes
from xybot.errors import StoreUnavailable
from xybot.store.database import Database, Store, in_thread, inline, open_store

T = TypeVar("T")


def hurry(db: Database) -> None:
    db.exec_driver_sql("PRAGMA busy_timeout=50")


@contextmanager
def outsider(path: Path) -> Iterator[sqlite3.Connection]:
    """Another connection to the file, as another process would have."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as db:
        yield db


def seen_from_outside(db: sqlite3.Connection) -> list[int]:
    return [n for (n,) in db.execute("SELECT n FROM note ORDER BY n")]


@attrs.define(eq=False)
class Gate:
    """Runs what it is given once it is open; counts, and dies when told to."""

    opened: trio.Event = attrs.Factory(trio.Event)
    runs: int = 0
    deaths: list[BaseException] = attrs.Factory(list)

    def __attrs_post_init__(self) -> None:
        self.opened.set()

    def close(self) -> None:
        self.opened, self.runs = trio.Event(), 0

    async def __call__(self, fn: Callable[[], T], /) -> T:
        self.runs += 1
        if not self.opened.is_set():
            with trio.CancelScope(shield=True):
                await self.opened.wait()
        if self.deaths:
            raise self.deaths.pop()
        return fn()


@pytest.fixture
async def noted(store: Store) -> Store:
    await store.transact(make_notes)
    return store


async def test_what_a_function_did_is_stored_and_what_it_returned_comes_back(noted: Store) -> None:
    assert await noted.transact(note, 7) == 7
    assert await noted.transact(note, n=8) == 8
    assert await noted.transact(notes) == [7, 8]


async def test_a_function_that_raises_stores_nothing(noted: Store) -> None:
    with pytest.raises(ValueError, match="no 7"):
        await noted.transact(note_and_fail, 7)
    assert await noted.transact(notes) == []


async def test_one_that_fails_does_not_hurt_the_others_of_its_group(noted: Store) -> None:
    results: dict[int, outcome.Outcome[int]] = {}

    async def one(n: int) -> None:
        function = note_and_fail if n % 7 == 3 else note
        results[n] = await outcome.acapture(noted.transact, function, n)

    async with trio.open_nursery() as nursery:
        for n in range(50):
            nursery.start_soon(one, n)
    good = [n for n in range(50) if n % 7 != 3]
    assert [n for n, result in sorted(results.items()) if result == outcome.Value(n)] == good
    assert await noted.transact(notes) == good
    for n in set(range(50)) - set(good):
        with pytest.raises(ValueError, match=f"no {n}"):
            results[n].unwrap()


async def test_nobody_is_answered_before_the_commit(tmp_path: Path) -> None:
    path = tmp_path / "x.db"

    async def one(store: Store, n: int) -> None:
        await store.transact(note, n)
        assert n in seen_from_outside(outside)

    async with open_store(path, run=in_thread) as store:
        await store.transact(make_notes)
        with outsider(path) as outside:
            async with trio.open_nursery() as nursery:
                for n in range(100):
                    nursery.start_soon(one, store, n)


async def test_two_hundred_tasks_share_a_few_commits(tmp_path: Path) -> None:
    path, commits = tmp_path / "x.db", []

    async with open_store(path, run=in_thread) as store:
        await store.transact(make_notes)
        engine = await store.transact(lambda db: db.engine)
        sa.event.listen(engine, "commit", commits.append)
        async with trio.open_nursery() as nursery:
            for n in range(200):
                nursery.start_soon(store.transact, note, n)
        assert await store.transact(notes) == list(range(200))
    assert len(commits) <= 20
    with outsider(path) as outside:
        assert seen_from_outside(outside) == list(range(200))


async def test_cancelled_while_it_waits_it_never_runs() -> None:
    gate = Gate()
    async with open_store(None, run=gate) as store:
        await store.transact(make_notes)
        gate.close()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(store.transact, note, 1)
            await wait_all_tasks_blocked()
            with trio.CancelScope() as scope:
                nursery.start_soon(_cancel_when_blocked, scope)
                await store.transact(note, 2)
            assert scope.cancelled_caught
            gate.opened.set()
        assert await store.transact(notes) == [1]


async def test_cancelled_after_it_began_it_commits_and_the_caller_gets_the_result() -> None:
    gate, told = Gate(), []
    async with open_store(None, run=gate) as store:
        await store.transact(make_notes)
        gate.close()
        async with trio.open_nursery() as nursery:
            with trio.CancelScope() as scope:
                nursery.start_soon(_cancel_when_blocked, scope, gate)
                told.append(await store.transact(note, 1))
        assert scope.cancel_called
        assert told == [1]
        assert await store.transact(notes) == [1]


async def _cancel_when_blocked(scope: trio.CancelScope, gate: Gate | None = None) -> None:
    await wait_all_tasks_blocked()
    scope.cancel()
    await wait_all_tasks_blocked()
    if gate is not None:
        gate.opened.set()


async def test_a_caller_that_is_cancelled_already_stores_nothing(noted: Store) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        await noted.transact(note, 1)
    assert scope.cancelled_caught
    assert await noted.transact(notes) == []


@pytest.mark.parametrize("run", [inline, in_thread])
async def test_what_is_put_away_in_a_shield_is_stored_though_all_is_cancelled(
    tmp_path: Path, run: Callable[..., object]
) -> None:
    path, told = tmp_path / "x.db", []
    with trio.fail_after(10), trio.CancelScope() as everything:
        async with open_store(path, run=run) as store:
            await store.transact(make_notes)
            try:
                everything.cancel()
                await trio.sleep_forever()
            finally:
                with trio.move_on_after(5, shield=True):
                    told.append(await store.transact(note, 1))
    assert told == [1]
    with outsider(path) as outside:
        assert seen_from_outside(outside) == [1]


class Death(BaseException):
    """What no code catches."""


async def test_a_runner_that_dies_leaves_nobody_hanging() -> None:
    gate, results = Gate(), []

    async def one(store: Store, n: int) -> None:
        with trio.CancelScope(shield=True):
            results.append(await outcome.acapture(store.transact, note, n))

    with trio.fail_after(10), pytest.raises(BaseExceptionGroup) as caught:  # noqa: PT012
        async with open_store(None, run=gate) as store, trio.open_nursery() as nursery:
            await store.transact(make_notes)
            gate.close()
            nursery.start_soon(one, store, 1)
            await wait_all_tasks_blocked()
            for n in (2, 3):  # These wait for their turn.
                nursery.start_soon(one, store, n)
            await wait_all_tasks_blocked()
            gate.deaths.append(Death())
            gate.opened.set()
            with trio.CancelScope(shield=True):
                await wait_all_tasks_blocked()
                await one(store, 4)  # And this comes too late.
            await trio.sleep_forever()
    assert caught.group_contains(Death)
    assert len(results) == 4
    for result in results:
        with pytest.raises(StoreUnavailable):
            result.unwrap()


async def test_a_locked_database_is_not_available_and_then_it_is_again(tmp_path: Path) -> None:
    path, results = tmp_path / "x.db", []

    async def one(store: Store, n: int) -> None:
        results.append(await outcome.acapture(store.transact, note, n))

    async with open_store(path, run=in_thread) as store:
        await store.transact(make_notes)
        await store.transact(hurry)
        with outsider(path) as outside:
            outside.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable, match="database is locked"):
                await store.transact(note, 1)
            outside.execute("ROLLBACK")
        assert await store.transact(note, 1) == 1
        assert await store.transact(notes) == [1]


async def test_a_lock_is_waited_for_once_however_many_wait_behind_it(tmp_path: Path) -> None:
    path, results = tmp_path / "x.db", []

    async def one(store: Store, n: int) -> None:
        results.append(await outcome.acapture(store.transact, note, n))

    async with open_store(path, run=in_thread) as store:
        await store.transact(make_notes)
        await store.transact(hurry)
        with outsider(path) as outside:
            outside.execute("BEGIN IMMEDIATE")
            began = trio.current_time()
            async with trio.open_nursery() as nursery:
                for n in range(200):
                    nursery.start_soon(one, store, n)
            # 200 times the busy timeout are ten seconds, in which nobody can be cancelled.
            assert trio.current_time() - began < 2
        assert len(results) == 200
        assert all(isinstance(result.error, StoreUnavailable) for result in results)
        assert len({id(result.error) for result in results}) == 200
        assert await store.transact(notes) == []


async def test_a_lock_that_ends_in_time_is_not_noticed(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with open_store(path, run=in_thread) as store:
        await store.transact(make_notes)
        with outsider(path) as outside:
            outside.execute("BEGIN IMMEDIATE")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(store.transact, note, 1)
                await trio.sleep(0.1)
                outside.execute("ROLLBACK")
            assert seen_from_outside(outside) == [1]
