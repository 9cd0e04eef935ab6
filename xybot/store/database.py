"""A durable store in which one transaction is one plain function.

All writing goes through one worker thread: `transact` hands over a function and waits.
What waits is run together and committed once (a thread hop costs more than a row, a sync
more than a hundred), and nobody is answered before the commit.  If one function of such a
group raises, the group is rolled back and each function runs again alone; so a function
may run twice and must do nothing but read and write its database.

What only reads, and may take its time, has connections of its own (`read`): it sees what was
committed when it began, and neither waits for the writer nor holds it up.

A caller may be cancelled until its transaction begins.  From then on it is not
cancellable: it commits or rolls back whole, and the caller learns which.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, Final, Generic, ParamSpec, Protocol, TypeAlias, TypeVar

import attrs
import outcome
import trio
from sqlalchemy.engine import Connection, Engine, Transaction

from xybot.errors import StoreUnavailable
from xybot.store import opening, trouble
from xybot.store.trouble import Tell, Watch

P = ParamSpec("P")
T = TypeVar("T")
Database: TypeAlias = Connection
"""What a transaction function gets as its first argument."""

_MOST_AT_ONCE: Final = 512
_READERS: Final = 2
"""Transactions that only read, at the same time."""
_AGAIN: Final = 5.0
"""Seconds until what could not be stored is tried again."""
_CLOSED: Final = "数据库已关闭 (the store is closed)"


class Runner(Protocol):
    """Runs a blocking function: in a thread, or, in tests, right here."""

    def __call__(self, fn: Callable[[], T], /) -> Awaitable[T]:
        """Run `fn` to its end and return what it returned; not cancellable."""


async def in_thread(fn: Callable[[], T], /) -> T:
    """Run in a worker thread."""
    return await trio.to_thread.run_sync(fn)


async def abandonable(fn: Callable[[], T], /) -> T:
    """Run in a worker thread that nobody waits for any more once the caller is cancelled."""
    return await trio.to_thread.run_sync(fn, abandon_on_cancel=True)


async def inline(fn: Callable[[], T], /) -> T:
    """Run right here; for tests, whose mock clock does not wait for threads."""
    return fn()


@attrs.define(eq=False)
class _Job(Generic[T]):
    run: Callable[[Connection], T]
    task: trio.lowlevel.Task
    begun: bool = False
    wrote: bool = False


@attrs.define(eq=False)
class Store:
    """Made by `open_store`."""

    _db: Connection
    _run: Runner
    _path: Path | None
    _watch: Watch
    _readers: Engine | None
    """None: a database in memory, which has one connection."""
    _reading: trio.CapacityLimiter = attrs.field(
        factory=lambda: trio.CapacityLimiter(_READERS), init=False
    )
    _waiting: deque[_Job[Any]] = attrs.field(factory=deque, init=False)
    _work: trio.Event = attrs.field(factory=trio.Event, init=False)
    # A shield: whoever is cancelled along with the store may have something to put away.
    _writing: trio.CancelScope = attrs.field(
        factory=lambda: trio.CancelScope(shield=True), init=False
    )
    _closed: bool = attrs.field(default=False, init=False)

    async def transact(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn(db, *args)` as one transaction and return what it returned.

        Raises:
          StoreUnavailable: the database cannot be written just now; nothing was stored.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._closed:
            raise StoreUnavailable(_CLOSED)
        call: Callable[[Connection], T] = partial(_called, fn, args, kwargs)
        job = _Job(call, trio.lowlevel.current_task())
        self._waiting.append(job)
        self._work.set()

        def abort(_: object) -> trio.lowlevel.Abort:
            if job.begun:
                return trio.lowlevel.Abort.FAILED
            self._waiting.remove(job)
            return trio.lowlevel.Abort.SUCCEEDED

        result: T = await trio.lowlevel.wait_task_rescheduled(abort)
        return result

    async def insist(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a transaction again and again until it is stored; the store tells its troubles."""
        while True:
            try:
                return await self.transact(fn, *args, **kwargs)
            except StoreUnavailable:
                if self._closed:
                    raise
                await trio.sleep(_AGAIN)

    async def read(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn(db, *args)`, which only reads, beside the writer; for pages and lists.

        Raises:
          StoreUnavailable: the database cannot be read just now.
        """
        if self._readers is None:
            return await self.transact(fn, *args, **kwargs)
        if self._closed:
            raise StoreUnavailable(_CLOSED)
        call: Callable[[Connection], T] = partial(_called, fn, args, kwargs)
        # Nothing is half done when nobody waits for the end of it, and a shutdown must not.
        run = abandonable if self._run is in_thread else self._run
        async with self._reading:
            return await run(partial(_read, self._readers, call))

    async def _write(self) -> None:
        """Commit what waits, group by group, until the store is closed."""
        try:
            with self._writing:
                while True:
                    with trio.move_on_at(self._watch.calm_at):
                        await self._work.wait()
                    self._watch.look()
                    self._work = trio.Event()
                    while self._waiting:
                        await self._write_group()
        finally:
            self._closed = True
            while self._waiting:
                refusal = outcome.Error(StoreUnavailable(_CLOSED))
                trio.lowlevel.reschedule(self._waiting.popleft().task, refusal)

    async def _write_group(self) -> None:
        size = min(len(self._waiting), _MOST_AT_ONCE)
        jobs = [self._waiting.popleft() for _ in range(size)]
        for job in jobs:
            job.begun = True
        results: list[outcome.Outcome[Any]] = []
        try:
            results = await self._run(partial(_commit, self._db, jobs))
        finally:
            for job, result in zip(jobs, results, strict=False):
                trio.lowlevel.reschedule(job.task, result)
            for job in jobs[len(results) :]:  # The runner died: nobody knows what was stored.
                trio.lowlevel.reschedule(job.task, outcome.Error(StoreUnavailable("interrupted")))
        self._notice(jobs, results)

    def _notice(self, jobs: list[_Job[Any]], results: list[outcome.Outcome[Any]]) -> None:
        errors = (result.error for result in results if isinstance(result, outcome.Error))
        failed = [error for error in errors if isinstance(error, StoreUnavailable)]
        for error in failed:
            if isinstance(error, _Damaged):
                raise trouble.damaged(self._path, str(error))
            self._watch.failed(str(error), begun=not isinstance(error, _CannotBegin))
        if not failed:
            self._watch.committed(wrote=any(job.wrote for job in jobs))


def _read(readers: Engine, call: Callable[[Connection], T]) -> T:
    with _translated(StoreUnavailable), readers.connect() as db, db.begin():
        return call(db)


def _called(
    fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any], db: Connection
) -> T:
    return fn(db, *args, **kwargs)


class _CannotBegin(StoreUnavailable):
    """No transaction can begin, whatever it would do; finding out may take seconds."""


class _Damaged(StoreUnavailable):
    """The file is damaged: the program ends."""


def _commit(db: Connection, jobs: list[_Job[Any]]) -> list[outcome.Outcome[Any]]:
    """Run the jobs in one transaction; if any fails, each in one of its own."""
    if len(jobs) > 1:
        together = outcome.capture(_together, db, jobs)
        if isinstance(together, outcome.Value):
            return [outcome.Value(value) for value in together.value]
        if isinstance(together.error, _CannotBegin | _Damaged):
            return _refused(together.error, len(jobs))
    results: list[outcome.Outcome[Any]] = []
    for job in jobs:
        result = outcome.capture(_alone, db, job)
        if isinstance(result, outcome.Error) and isinstance(result.error, _CannotBegin | _Damaged):
            return results + _refused(result.error, len(jobs) - len(results))
        results.append(result)
    return results


def _refused(error: _CannotBegin | _Damaged, times: int) -> list[outcome.Outcome[Any]]:
    # Not the same error for all: each task that raises it adds to its traceback.
    return [outcome.Error(type(error)(str(error))) for _ in range(times)]


def _together(db: Connection, jobs: list[_Job[Any]]) -> list[Any]:
    with _translated(StoreUnavailable), _begun(db):
        return [_ran(db, job) for job in jobs]


def _alone(db: Connection, job: _Job[T]) -> T:
    with _translated(StoreUnavailable), _begun(db):
        return _ran(db, job)


def _ran(db: Connection, job: _Job[T]) -> T:
    driver: Any = db.connection.dbapi_connection
    changes = driver.total_changes
    value = job.run(db)
    job.wrote = driver.total_changes > changes
    return value


def _begun(db: Connection) -> Transaction:
    with _translated(_CannotBegin):
        return db.begin()


@contextmanager
def _translated(unavailable: type[StoreUnavailable]) -> Iterator[None]:
    """Turn trouble with the disk or the file into an error that says so; others travel."""
    try:
        yield
    except trouble.FAILURES as exc:
        if trouble.is_damage(exc):
            raise _Damaged(trouble.said(exc)) from exc
        if (words := trouble.that_may_pass(exc)) is not None:
            raise unavailable(f"数据库暂时无法写入 (cannot write the database): {words}") from exc
        raise


def _unheard(_reason: str | None) -> None:
    """Tell nobody: the callers of `transact` see for themselves."""


@asynccontextmanager
async def open_store(
    path: Path | None,
    *,
    run: Runner = in_thread,
    tell: Tell = _unheard,
    read_only: bool = False,
) -> AsyncIterator[Store]:
    """Open the database, bring its schema up to date, and close it on exit.

    Args:
      path: the SQLite file, made when it is not there; None is a database in memory.
      run: where the transactions run.
      tell: called once with the reason when something cannot be stored, and once with None
        when something was, and nothing failed for 15 s; must neither raise nor block.
      read_only: change nothing, not even the schema; another process may work on the file.

    Raises:
      ConfigError: the file cannot be opened, is damaged, belongs to another version of xybot
        or to another program; to be read only, also: there is none.  Within an exception
        group, and cancelling the block, when damage is found while the store is open.
    """
    engine = opening.engine(path, read_only=read_only)
    readers = opening.reading(path, connections=_READERS) if path else None
    try:
        db = await run(partial(opening.opened, engine, path, read_only=read_only))
        async with trio.open_nursery() as nursery:
            store = Store(db, run, path, Watch(tell), readers)
            nursery.start_soon(store._write, name="store writer")
            try:
                yield store
            finally:
                store._writing.cancel()
    finally:
        with trio.move_on_after(5, shield=True):
            if readers is not None:
                await run(readers.dispose)
            await run(engine.dispose)
