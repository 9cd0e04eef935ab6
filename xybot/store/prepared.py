"""Statements of the hot path: compiled once, then run on the driver itself.

Executing through SQLAlchemy costs five to ten times what SQLite needs for a small statement
(134 µs against 19 µs for an insert; tests/benchmarks), and an answered message takes ten of
them.  So the statements that every message meets are still written in SQLAlchemy Core, for
both of its databases, but run without its machinery, inside the transaction that it began.
All others are executed as usual.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, cast

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

Values: TypeAlias = Mapping[str, object]


class Row(Protocol):
    """A row; its columns are its attributes."""

    def __getattr__(self, column: str) -> Any:  # noqa: ANN401  # as the column was declared
        """Return the value of a column."""


@attrs.define(eq=False)
class Prepared:
    """One statement; its bind parameters are given by name at every use."""

    _statement: ClauseElement
    _sql: str | None = attrs.field(default=None, init=False)
    _names: Sequence[str] = attrs.field(default=(), init=False)
    _fixed: Values = attrs.field(factory=dict, init=False)
    _make: Callable[..., Any] | None = attrs.field(default=None, init=False)

    def run(self, db: Connection, values: Values) -> int | None:
        """Execute once, and return the key of the row that was inserted, if one was."""
        key: int | None = self._execute(db, values).lastrowid
        return key

    def many(self, db: Connection, rows: Iterable[Values]) -> int:
        """Execute for each of the rows, and return how many rows of the table that touched."""
        sql = self._compiled(db)
        touched: int = (
            _driver(db).executemany(sql, [self._arguments(values) for values in rows]).rowcount
        )
        return touched

    def rows(self, db: Connection, values: Values) -> list[Row]:
        """Execute, and return all rows."""
        cursor = self._execute(db, values)
        found = cursor.fetchall()
        if self._make is None:
            columns = [column[0] for column in cursor.description]
            self._make = namedtuple("Row", columns)  # type: ignore[misc]  # known when it has run
        make = cast("Callable[..., Row]", self._make)
        return [make(*row) for row in found]

    def exists(self, db: Connection, values: Values) -> bool:
        """Execute, and tell whether there is a row."""
        return self._execute(db, values).fetchone() is not None

    def _execute(self, db: Connection, values: Values) -> Any:  # noqa: ANN401  # DB-API cursor
        sql = self._compiled(db)
        return _driver(db).execute(sql, self._arguments(values))

    def _arguments(self, values: Values) -> list[object]:
        return [values[name] if name in values else self._fixed[name] for name in self._names]

    def _compiled(self, db: Connection) -> str:
        if self._sql is None:
            compiled = cast("SQLCompiler", self._statement.compile(dialect=db.dialect))
            self._names, self._fixed = tuple(compiled.positiontup or ()), compiled.params
            self._sql = str(compiled)
        return self._sql


def parameters(table: sa.Table, *left_out: str) -> dict[str, sa.BindParameter[Any]]:
    """Return a parameter for each column of an insert, by name, but for those left out."""
    return {
        column.name: sa.bindparam(column.name) for column in table.c if column.name not in left_out
    }


def _driver(db: Connection) -> Any:  # noqa: ANN401  # the driver's own connection
    return db.connection.dbapi_connection
