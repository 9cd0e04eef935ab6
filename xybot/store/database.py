"""A durable store in which one transaction is one plain function.

All writing goes through one worker thread: `transact` hands over a function and waits.
What waits is run together and committed once (a thread hop costs more than a row, a sync
more than a hundred), and nobody is answered before the commit.  If one function of such a
group raises, the group is rolled back and each function runs again alone; so a function
may run twice and must do nothing but read and write its database.

A caller may be cancelled until its transaction begins.  From then on it is not
cancellable: it commits or rolls back whole, and the caller learns which.
"""

from __future__ import annotations

import importlib
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, Final, Generic, ParamSpec, Protocol, TypeAlias, TypeVar

import attrs
import outcome
import sqlalchemy as sa
import trio
from sqlalchemy.engine import Connection, Engine, Transaction
from sqlalchemy.pool import StaticPool

from xybot.errors import ConfigError, StoreUnavailable
from xybot.store import schema

P = ParamSpec("P")
T = TypeVar("T")
Database: TypeAlias = Connection
"""What a transaction function gets as its first argument."""

_MOST_AT_ONCE: Final = 512
_UNAVAILABLE = (sa.exc.OperationalError, sqlite3.OperationalError)
"""What SQLAlchemy says, and what the driver says to `prepared` statements."""
_CLOSED: Final = "数据库已关闭 (the store is closed)"


class Runner(Protocol):
    """Runs a blocking function: in a thread, or, in tests, right here."""

    def __call__(self, fn: Callable[[], T], /) -> Awaitable[T]:
        """Run `fn` to its end and return what it returned; not cancellable."""


async def in_thread(fn: Callable[[], T], /) -> T:
    """Run in a worker thread."""
    return await trio.to_thread.run_sync(fn)


async def inline(fn: Callable[[], T], /) -> T:
    """Run right here; for tests, whose mock clock does not wait for threads."""
    return fn()


@attrs.define(eq=False)
class _Job(Generic[T]):
    run: Callable[[Connection], T]
    task: trio.lowlevel.Task
    begun: bool = False


@attrs.define(eq=False)
class Store:
    """Made by `open_store`."""

    _db: Connection
    _run: Runner
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

    async def _write(self) -> None:
        """Commit what waits, group by group, until the store is closed."""
        try:
            with self._writing:
                while True:
                    await self._work.wait()
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


def _called(
    fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any], db: Connection
) -> T:
    return fn(db, *args, **kwargs)


class _CannotBegin(StoreUnavailable):
    """No transaction can begin, whatever it would do; finding out may take seconds."""


def _commit(db: Connection, jobs: list[_Job[Any]]) -> list[outcome.Outcome[Any]]:
    """Run the jobs in one transaction; if any fails, each in one of its own."""
    if len(jobs) > 1:
        together = outcome.capture(_together, db, jobs)
        if isinstance(together, outcome.Value):
            return [outcome.Value(value) for value in together.value]
        if isinstance(together.error, _CannotBegin):
            return _refused(together.error, len(jobs))
    results: list[outcome.Outcome[Any]] = []
    for job in jobs:
        result = outcome.capture(_alone, db, job)
        if isinstance(result, outcome.Error) and isinstance(result.error, _CannotBegin):
            return results + _refused(result.error, len(jobs) - len(results))
        results.append(result)
    return results


def _refused(error: _CannotBegin, times: int) -> list[outcome.Outcome[Any]]:
    # Not the same error for all: each task that raises it adds to its traceback.
    return [outcome.Error(StoreUnavailable(str(error))) for _ in range(times)]


def _together(db: Connection, jobs: list[_Job[Any]]) -> list[Any]:
    with _begun(db):
        return [job.run(db) for job in jobs]


def _alone(db: Connection, job: _Job[T]) -> T:
    try:
        with _begun(db):
            return job.run(db)
    except _UNAVAILABLE as exc:
        raise StoreUnavailable(_cannot_write(exc)) from exc


def _begun(db: Connection) -> Transaction:
    try:
        return db.begin()
    except _UNAVAILABLE as exc:
        raise _CannotBegin(_cannot_write(exc)) from exc


def _cannot_write(exc: Exception) -> str:
    said = exc.orig if isinstance(exc, sa.exc.OperationalError) else exc
    return f"数据库暂时无法写入 (the database cannot be written): {said}"


@asynccontextmanager
async def open_store(path: Path | None, *, run: Runner = in_thread) -> AsyncIterator[Store]:
    """Open the database, bring its schema up to date, and close it on exit.

    Args:
      path: the SQLite file, made when it is not there; None is a database in memory.
      run: where the transactions run.

    Raises:
      ConfigError: the file cannot be opened, or belongs to a newer version of xybot.
    """
    engine = _engine(path)
    try:
        db = await run(partial(_opened, engine, path))
        async with trio.open_nursery() as nursery:
            store = Store(db, run)
            nursery.start_soon(store._write, name="store writer")
            try:
                yield store
            finally:
                store._writing.cancel()
    finally:
        with trio.move_on_after(5, shield=True):
            await run(engine.dispose)


def _engine(path: Path | None) -> Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path) if path else None),
        poolclass=StaticPool,
        connect_args={"check_same_thread": False},
    )
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(
        engine, "begin", lambda db: db.connection.dbapi_connection.execute("BEGIN IMMEDIATE")
    )
    return engine


def _prepare(dbapi: Any, _record: object) -> None:  # noqa: ANN401  # sqlite3's own connection
    dbapi.isolation_level = None  # We say BEGIN ourselves, so that a writer never has to upgrade.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
        dbapi.execute(f"PRAGMA {pragma}").close()


def _opened(engine: Engine, path: Path | None) -> Connection:
    try:
        db = engine.connect()
        version = _version(db)
    except sa.exc.DatabaseError as exc:
        raise ConfigError(f"{path}: 数据库打不开 (cannot open the database): {exc.orig}") from exc
    if version is not None and version > schema.HEAD:
        raise ConfigError(
            f"{path}: 数据库版本 {version} 比本程序的 {schema.HEAD} 新，请升级 xybot "
            f"(the database is of version {version}, newer than {schema.HEAD}: upgrade xybot)"
        )
    if version != schema.HEAD:
        # Alembic costs a quarter of a second and ten megabytes: only when there is work for it.
        importlib.import_module("xybot.store.migrate").upgrade(db)
    return db


def _version(db: Connection) -> str | None:
    with db.begin():
        if not sa.inspect(db).has_table("alembic_version"):
            return None
        found: str | None = db.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return found
