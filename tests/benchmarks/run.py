"""Measures xybot, and prints one table: `python tests/benchmarks/run.py [--quick]`.

A script, not a test.  The platform is the simulator in a process of its own, or, with
`--config bot.toml`, the [platform] which that names: then messages must come from there.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

import attrs
import foreign
import trio
from audience import measure_stream
from botfolder import named_by
from footprint import measure_help, measure_memory, measure_start
from report import QUICK, Add, Plan, Row, progress, table
from rules import measure_rules
from sales import measure_sales
from throughput import measure_replies

_MEASURES: Final = {
    "replies": measure_replies,  # throughput, CPU and latency: one field, one run
    "stream": measure_stream,
    "sales": measure_sales,
    "memory": measure_memory,
    "start": measure_start,
    "help": measure_help,
    "rules": measure_rules,
}
_NAMES: Final = {"throughput": "replies", "cpu": "replies", "latency": "replies"}
_AT_MOST: Final = 900
"""Seconds after which whatever was measured has to do."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure xybot.")
    parser.add_argument("--config", type=Path, help="measure on the platform of this bot.toml")
    parser.add_argument("--quick", action="store_true", help="a few minutes instead of fifteen")
    names = [*_MEASURES, *_NAMES]
    parser.add_argument("--only", choices=names, action="append", help="may be repeated")
    parser.add_argument("--messages", type=int, help="how many messages each player answers")
    parser.add_argument("--window", type=int, help="how many are unanswered at any time")
    return parser.parse_args()


def _plan(words: argparse.Namespace) -> Plan:
    wanted = {"messages": words.messages, "window": words.window}
    given = {name: value for name, value in wanted.items() if value}
    return attrs.evolve(QUICK if words.quick else Plan(), **given)


async def _measure(words: argparse.Namespace, add: Add) -> None:
    plan = _plan(words)
    where = named_by(words.config) if words.config else None
    if where is not None:
        await foreign.measure_foreign(where, plan, add)
    only = {_NAMES.get(name, name) for name in words.only or _MEASURES}
    for name, measure in _MEASURES.items():
        if name in only and (where is None or name == "help"):
            progress(name)
            await measure(plan, add)


async def main() -> int:
    """Measure what was asked for and print it, whole or not."""
    words = _arguments()
    rows: list[Row] = []
    with trio.move_on_after(_AT_MOST) as bound:
        await _measure(words, rows.append)
    if bound.cancelled_caught:
        rows.append(Row("stopped", f"{_AT_MOST} s", "not everything was measured"))
    table(rows)
    return 1 if bound.cancelled_caught else 0


if __name__ == "__main__":
    sys.exit(trio.run(main))
