"""Somebody else's platform: the messages come from there; we count in the bot's own store."""

from __future__ import annotations

import time
from typing import Final

import msgspec
import trio
from botfolder import Where, books, bot_folder, said_by_bot
from children import open_bot, open_script
from footprint import seconds_to_connected
from report import Add, Plan, Row, progress
from throughput import percentiles

_TICK: Final = 1.0


async def measure_foreign(where: Where, plan: Plan, add: Add) -> None:
    """Answer whatever comes for a while; a bare echo beside it, on loopback."""
    with bot_folder(where) as folder:
        taken = await seconds_to_connected(folder)
    add(Row("start to connected, s", f"{taken:.2f}", "new data folder"))
    echo = await _echo(plan)
    with bot_folder(where) as folder:
        async with open_bot(folder) as bot:
            since, cpu = time.time_ns() // 1_000_000, bot.cpu()
            progress(f"answering what {where.websocket} brings, {plan.listen_seconds:.0f} s")
            with trio.move_on_after(plan.listen_seconds):
                while True:
                    await trio.sleep(_TICK)
                    bot.cpu()  # It raises when the bot has ended.
            used, megabytes = bot.cpu() - cpu, bot.megabytes()
        found, said = books(folder, since_ms=since), said_by_bot(folder)
    rate = found.sent / found.seconds if found.seconds else 0.0
    p50, p99 = percentiles([float(each) for each in found.latencies_ms])
    add(Row("replies/s, durable, debounce 0", f"{rate:.1f}", f"{found.sent} replies"))
    add(Row("bare echo/s, on loopback", f"{echo:.0f}", "1 frame each way"))
    add(Row("replies : bare echo", f"{rate / echo:.2f}", "bounded by how much that platform says"))
    add(Row("latency p50 / p99 ms", f"{p50:.0f} / {p99:.0f}", "from arrival to accepted, stored"))
    add(Row("CPU ms per reply", f"{1000 * used / max(found.sent, 1):.2f}", "start included"))
    add(Row(f"RSS MB, {len(where.cookies)} accounts", f"{megabytes:.1f}"))
    if said:
        add(Row("the bot complained", said[:2000]))


async def _echo(plan: Plan) -> float:
    async with open_script("echo.py", "server") as server:
        url = (await server.told())["url"]
        async with open_script("echo.py", "client", url):
            await server.ask("burst", count=300, window=plan.window)
            told = await server.ask("burst", count=plan.messages, window=plan.window)
    progress(f"echo: {msgspec.json.encode(told).decode()}")
    seconds: float = told["seconds"]
    return plan.messages / seconds
