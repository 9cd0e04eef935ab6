"""What the bot's answers cost while hundreds follow the stream of events."""

from __future__ import annotations

import statistics
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

import attrs
import trio
from botfolder import TOKEN
from children import Child, open_script
from report import Add, Plan, Row, progress
from throughput import BOT, Burst, Field, open_field, percentiles

_LISTENERS: Final = 500
_MESSAGES: Final = 4800
"""At the most: each is sent to all, and they have to catch up."""
_SETTLES_IN: Final = 3.0
"""Seconds until all have come or gone."""
_CATCHES_UP_WITHIN: Final = 60.0
_ALONE, _HEARD = "alone", "heard"


async def measure_stream(plan: Plan, add: Add) -> None:
    """Measure the same bursts with and without listeners, in turns."""
    async with open_field() as field, open_script("listeners.py") as listeners:
        audience = Audience(field, listeners)
        await field.burst(BOT, 300, plan.window)
        await _pace(audience, plan, add)
        await _throttle(audience, plan, add)


@attrs.define(eq=False)
class Audience:
    """A field, and those who may come to listen."""

    field: Field
    listeners: Child
    events: int = 0
    """How many each of them was sent."""
    caught_up: list[float] = attrs.Factory(list)
    """Seconds from the end of what was measured until all of them knew all of it."""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Have them there for as long as the block runs."""
        port = self.field.port
        await trio.sleep(_SETTLES_IN)  # All are to begin at the same event.
        await self.listeners.ask("open", port=port, token=TOKEN, count=_LISTENERS)
        await trio.sleep(_SETTLES_IN)
        yield
        began = trio.current_time()
        with trio.move_on_after(_CATCHES_UP_WITHIN):
            await self._wait_all_told()
        self.caught_up.append(trio.current_time() - began - _SETTLES_IN)
        told = await self.listeners.ask("close")
        self.events += told["most"]
        await trio.sleep(_SETTLES_IN)

    async def _wait_all_told(self) -> None:
        before = None
        while True:
            told = await self.listeners.ask("told")
            if told == before and told["least"] == told["most"]:
                return
            before = told
            await trio.sleep(_SETTLES_IN)


async def _throttle(audience: Audience, plan: Plan, add: Add) -> None:
    """As fast as it goes."""
    done: dict[str, list[Burst]] = {_ALONE: [], _HEARD: []}
    count = min(plan.messages, _MESSAGES) // plan.rounds
    for n in range(plan.rounds):
        done[_ALONE].append(await audience.field.burst(BOT, count, plan.window))
        async with audience.listening():
            done[_HEARD].append(await audience.field.burst(BOT, count, plan.window))
        for who, bursts in done.items():
            progress(f"round {n + 1}: {who:<5} {bursts[-1]}")
    note = f"at least 0.9; all know all {max(audience.caught_up):.0f} s later"
    fewer = _ratios(done, lambda each: each.replies / each.seconds)
    add(Row(f"replies/s, {_LISTENERS} listen : none", f"{fewer:.2f}", note))
    more = _ratios(done, lambda each: each.client_cpu / each.replies)
    add(Row(f"CPU a reply, {_LISTENERS} listen : none", f"{more:.2f}", "as fast as it goes"))


def _ratios(done: Mapping[str, list[Burst]], of: Callable[[Burst], float]) -> float:
    """Return the median of the rounds' ratios: both of a round had the same neighbours."""
    pairs = zip(done[_HEARD], done[_ALONE], strict=True)
    return statistics.median(of(heard) / of(alone) for heard, alone in pairs)


async def _pace(audience: Audience, plan: Plan, add: Add) -> None:
    """At an even pace, which leaves time to listen."""
    alone = await audience.field.rate(BOT, plan.pace_seconds)
    async with audience.listening():
        heard = await audience.field.rate(BOT, plan.pace_seconds)
    told = f"; {audience.events / heard.replies:.1f} events a reply to each"
    for who, burst, more in ((_ALONE, alone, ""), (_HEARD, heard, told)):
        progress(f"100/s: {who:<5} {burst}")
        p50, p99 = percentiles([1000 * wait for wait in burst.waits])
        note = f"CPU {1000 * burst.client_cpu / burst.replies:.2f} ms a reply{more}"
        add(Row(f"latency at 100/s, {who}: p50 / p99 ms", f"{p50:.1f} / {p99:.1f}", note))
