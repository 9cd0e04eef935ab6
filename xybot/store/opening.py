"""Opening a database file: to work with it, or only to read it while another process works."""

from __future__ import annotations

import importlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import QueuePool, StaticPool

from xybot.errors import ConfigError
from xybot.store import schema, trouble

_LOCK_TIMEOUT: Final = 5.0
"""Seconds to wait for a lock that another process has."""
_CHECKED_UP_TO: Final = 128_000_000
"""Bytes.  A larger file is not read through at the start: 0.1 s from memory, 1 s from a disk."""


class _Dialect(SQLiteDialect_pysqlite):
    """That of any engine is as good as another's: what one has compiled, all may run."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Dialect)

    def __hash__(self) -> int:
        return hash(_Dialect)


sa.dialects.registry.register("sqlite.xybot", __name__, _Dialect.__name__)
#: A statement costs a millisecond to compile, and we have some hundred: no need to forget any.
_compiled: Final[dict[Any, Any]] = {}


def _engine(connect: Callable[[], sqlite3.Connection], **pool: Any) -> Engine:  # noqa: ANN401
    # An error that shows the values of its statement would show cookies and codes.
    return sa.create_engine(
        "sqlite+xybot://",
        creator=connect,
        execution_options={"compiled_cache": _compiled},
        hide_parameters=True,
        **pool,
    )


def engine(path: Path | None, *, read_only: bool) -> Engine:
    """Return an engine with one connection that is not open yet; None is in memory."""
    made = _engine(partial(_connect, path, read_only), poolclass=StaticPool)
    # A writer says at once that it is one, so that it never has to upgrade.
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"
    sa.event.listen(made, "begin", lambda db: db.connection.dbapi_connection.execute(begin))
    return made


def reading(path: Path, *, connections: int) -> Engine:
    """Return an engine for connections that only read, beside the one that writes.

    So many are kept for the next reader.
    """
    connect = partial(_connect, path, True)
    # Those whom nobody waits for any more may still be reading: no most.
    made = _engine(connect, poolclass=QueuePool, pool_size=connections, max_overflow=-1)
    sa.event.listen(made, "begin", lambda db: db.connection.dbapi_connection.execute("BEGIN"))
    return made


def _connect(path: Path | None, read_only: bool) -> sqlite3.Connection:
    dbapi = sqlite3.connect(
        _uri(path, "rw" if read_only else "rwc") if path else ":memory:",
        uri=True,
        timeout=_LOCK_TIMEOUT,
        isolation_level=None,
        check_same_thread=False,
    )
    writing = ("synchronous=FULL", "foreign_keys=ON")
    try:
        # Not by mode=ro: that cannot clean up after a process that was killed.
        for pragma in ("query_only=ON",) if read_only else writing:
            dbapi.execute(f"PRAGMA {pragma}").close()
    except sqlite3.Error:
        dbapi.close()
        raise
    return dbapi


def _uri(path: Path, mode: str) -> str:
    return f"{path.absolute().as_uri()}?mode={mode}"


def opened(engine: Engine, path: Path | None, *, read_only: bool) -> Connection:
    """Connect, and make sure that the database is whole and of our version.

    Raises:
      ConfigError: it is not; or, to be read only, there is none.
    """
    with _refusal(path):
        if path:
            _check(path, needed=read_only)
        db = engine.connect()
        version = _version(db, path)
    if version is not None and version > schema.HEAD:
        raise ConfigError(
            f"{path}: 数据库版本 {version} 比本程序的 {schema.HEAD} 新，请升级 xybot "
            f"(the database is of version {version}, newer than {schema.HEAD}: upgrade xybot)"
        )
    if read_only and version != schema.HEAD:
        raise _no_database(path) if version is None else _older(path, version)
    if not read_only:
        with _refusal(path):
            _take_over(db, version)
    return db


def _take_over(db: Connection, version: str | None) -> None:
    driver: Any = db.connection.dbapi_connection
    driver.execute("PRAGMA journal_mode=WAL").close()
    if version is None:
        schema.create(db)
    elif version != schema.HEAD:
        # Alembic costs a quarter of a second and ten megabytes: only when there is work for it.
        importlib.import_module("xybot.store.migrate").upgrade(db)


@contextmanager
def _refusal(path: Path | None) -> Iterator[None]:
    """Say in one line what is wrong with the file; a mistake of ours travels."""
    try:
        yield
    except trouble.FAILURES as exc:
        if trouble.is_damage(exc):
            raise trouble.damaged(path, trouble.said(exc)) from exc
        if (words := trouble.that_may_pass(exc)) is not None:
            raise _cannot_open(path, words) from exc
        raise
    except OSError as exc:
        raise _cannot_open(path, str(exc.strerror)) from exc


def _check(path: Path, *, needed: bool) -> None:
    """Read a file through, if there is one, without touching it.

    Closing the only connection that may write would put the -wal file into it, and that may be
    the very damage: one that was left beside a restored copy.
    """
    if needed and not path.exists():
        raise _no_database(path)
    if not path.is_file() or path.stat().st_size > _CHECKED_UP_TO:
        return
    try:
        with closing(sqlite3.connect(_uri(path, "ro"), uri=True, timeout=_LOCK_TIMEOUT)) as dbapi:
            (found,) = dbapi.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as exc:
        if not trouble.is_damage(exc):
            return  # Whoever may write either meets it again or can mend it.
        raise trouble.damaged(path, str(exc)) from exc
    if found != "ok":
        raise trouble.damaged(path, found)


def _version(db: Connection, path: Path | None) -> str | None:
    with db.begin():
        tables = sa.inspect(db).get_table_names()
        if "alembic_version" in tables:
            found: str | None = db.scalar(sa.text("SELECT version_num FROM alembic_version"))
            return found
    if tables:
        raise ConfigError(f"{path}: 不是 xybot 的数据库 (the database of another program)")
    return None


def _cannot_open(path: Path | None, words: str) -> ConfigError:
    return ConfigError(f"{path}: 数据库打不开 (cannot open the database): {words}")


def _no_database(path: Path | None) -> ConfigError:
    return ConfigError(f"{path}: 没有数据库，请先运行 xybot (no database: run xybot first)")


def _older(path: Path | None, version: str) -> ConfigError:
    return ConfigError(
        f"{path}: 数据库版本 {version} 比本程序的 {schema.HEAD} 旧，请先用本程序运行一次 xybot "
        f"(the database is of version {version}, older than {schema.HEAD}: run this xybot once)"
    )
