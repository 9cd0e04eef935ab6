"""What is printed: progress as it goes, and one table in the end."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TypeAlias

import attrs


@attrs.frozen(kw_only=True)
class Plan:
    """How much is measured."""

    messages: int = 20_000
    rounds: int = 4
    window: int = 64
    pace_seconds: float = 20
    accounts: tuple[int, ...] = (1, 100, 1000)
    starts: int = 5
    orders: int = 1000
    listen_seconds: float = 60
    """How long messages of a foreign platform are counted."""


QUICK = Plan(
    messages=2400,
    rounds=3,
    pace_seconds=4,
    accounts=(1, 100),
    starts=2,
    orders=200,
    listen_seconds=20,
)


@attrs.frozen
class Row:
    """One number, and what belongs to it."""

    name: str
    value: str
    note: str = ""


Add: TypeAlias = Callable[[Row], None]
"""Where a measure puts its rows, as soon as it has them."""


def progress(words: str) -> None:
    """Say what is going on."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def table(rows: Iterable[Row]) -> None:
    """Print the rows, with the machine they came from."""
    lines = [_machine(), *rows]
    first = max(len(row.name) for row in lines)
    second = max(len(row.value) for row in lines)
    sys.stdout.write("\n")
    for row in lines:
        line = f"| {row.name:<{first}} | {row.value:>{second}} | {row.note}".rstrip()
        sys.stdout.write(f"{line} |\n")
        if row is lines[0]:
            sys.stdout.write(f"|{'-' * (first + 2)}|{'-' * (second + 1)}:|---|\n")
    sys.stdout.flush()


def _machine() -> Row:
    load = os.getloadavg()[0]
    who = f"{os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}, "
    who += f"trio {version('trio')}, {platform.system()} {platform.machine()}"
    return Row("measured", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", who)
