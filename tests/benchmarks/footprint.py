"""What the bot costs while nothing happens: memory, and the time to start."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any, Final

import msgspec
import trio
from botfolder import Where, bot_folder, said_by_bot
from children import open_bot, open_script, script, seconds_of
from report import Add, Plan, Row, progress

_SETTLES_IN: Final = 3
"""Seconds after the last account came on line until the memory is read."""
_ON_LINE_WITHIN: Final = 90


async def measure_memory(plan: Plan, add: Add) -> None:
    """Measure the resident set with so many idle accounts in one process."""
    first = 0.0
    for count in plan.accounts:
        megabytes, came = await _resident(count)
        note = f"on line after {came['seconds']:.1f} s"
        if came["on_line"] < count:
            note = f"only {came['on_line']} on line after {came['seconds']:.0f} s"
        first = first or megabytes
        if count > 1:
            note += f"; {1000 * (megabytes - first) / (count - 1):.0f} kB for each further one"
        add(Row(f"RSS MB, {count} idle accounts", f"{megabytes:.1f}", note))


async def _resident(count: int) -> tuple[float, dict[str, Any]]:
    ids = [f"shop-{n}" for n in range(count)]
    async with open_script("crowd.py") as crowd:
        ends = await crowd.told()
        logins = await crowd.ask("open", accounts=ids, chats=0)
        cookies = {id_: login["cookie"] for id_, login in logins.items()}
        with bot_folder(Where(**ends, cookies=cookies)) as folder:
            async with open_bot(folder) as bot:
                came = await crowd.ask("wait_on_line", accounts=ids, within=_ON_LINE_WITHIN)
                await trio.sleep(_SETTLES_IN)
                progress(f"{count} accounts: {bot.megabytes():.1f} MB, {came}")
                if said := said_by_bot(folder):
                    progress(f"the bot complained {said.count(chr(10))} times: {said[:300]}")
                return bot.megabytes(), came


async def measure_start(plan: Plan, add: Add) -> None:
    """Measure the time from the start of the process to the line `connected`."""
    async with open_script("crowd.py") as crowd:
        ends = await crowd.told()
        logins = await crowd.ask("open", accounts=["bot"], chats=0)
        where = Where(**ends, cookies={"bot": logins["bot"]["cookie"]})
        first, again = [], []
        for _ in range(plan.starts):
            with bot_folder(where) as folder:
                first.append(await seconds_to_connected(folder))
                again.append(await seconds_to_connected(folder))
            progress(f"connected after {first[-1]:.2f} s, with a database {again[-1]:.2f} s")
    add(Row("start to connected, s", f"{statistics.median(first):.2f}", "new data folder"))
    add(Row("start to connected again, s", f"{statistics.median(again):.2f}", "database is there"))


async def seconds_to_connected(folder: Path) -> float:
    """Start the bot, wait for its line, and end it."""
    began = time.perf_counter()
    async with open_bot(folder, level="info") as bot:
        with trio.fail_after(30):
            while True:
                line = msgspec.json.decode(await bot.line())
                if line.get("event") == "account.status.update" and line["new"] == "connected":
                    return time.perf_counter() - began


async def measure_help(plan: Plan, add: Add) -> None:
    """Measure `--help`, which must be under half a second."""
    for argv in (["xybot", "--help"], ["trio", "run", "xybot", "--help"]):
        taken = [await seconds_of([script(argv[0]), *argv[1:]]) for _ in range(plan.starts)]
        progress(f"{' '.join(argv)}: {', '.join(f'{each:.2f}' for each in taken)}")
        add(Row(f"{' '.join(argv)}, s", f"{statistics.median(taken):.2f}", "under 0.5"))
