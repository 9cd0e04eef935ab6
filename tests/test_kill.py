"""Kill the process of the bot at any transaction, with SIGKILL; nothing is lost or said twice.

The slow and real variant of `test_crash.py`: a process, a file, ports.  An undisturbed run
tells how many points there are; what happens between two of them is up to the machine.
"""

from __future__ import annotations

import itertools
import random
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import attrs
import pytest
import trio

from tests.app.program import ROOT, Program, running, until
from tests.app.world import World, now_ms
from xybot.simulator import Platform, open_platform
from xybot.simulator.desk import Settings
from xybot.simulator.world import SimAccount
from xybot.store import books
from xybot.store.database import open_store

#: Answers with the buyer's own lines.
ECHO: dict[str, object] = {"keywords": ["."], "mode": "regex", "reply": "{send_message}"}
WITHIN = 90
"""Seconds that anything may take: other programs want the processor too."""
AT_ONCE = 3


@attrs.define(eq=False)
class Story:
    """What happens in the shop, whoever may be killed meanwhile."""

    world: World
    sim: SimAccount
    told: trio.Event = attrs.Factory(trio.Event)

    @property
    def answered(self) -> list[str]:
        return sorted(line for text in self.world.heard(self.sim) for line in text.split("\n"))

    async def tell(self) -> None:
        platform, sim = self.world.platform, self.sim
        faults = platform.faults(sim)
        await until(lambda: platform.on_line(sim), WITHIN)
        platform.buyer_says(sim, "小王", "a")
        faults.duplicate(1)
        faults.drop_acks(1)
        platform.buyer_says(sim, "小王", "b")
        platform.buyer_says(sim, "阿杰", "c")
        await until(lambda: set(self.answered) >= {"a", "b", "c"}, WITHIN)
        platform.buyer_says(sim, "柚子", "x")
        platform.seller_says(sim, "柚子", "我来")
        await until(lambda: not platform.unacknowledged(sim), WITHIN)
        faults.lose_answers(1)
        platform.buyer_says(sim, "阿杰", "d")
        await until(lambda: "d" in self.answered, WITHIN)
        faults.cut()
        platform.buyer_says(sim, "柚子", "y")
        platform.buyer_says(sim, "小王", "e")
        await until(lambda: "e" in self.answered, WITHIN)
        await until(lambda: not platform.unacknowledged(sim), WITHIN)
        await self.until_settled()
        self.told.set()

    async def until_settled(self) -> None:
        """Wait until nothing waits in the database of the bot."""
        with trio.fail_after(WITHIN):
            while any(day.waiting for day in await self.days()):
                await trio.sleep(0.1)

    async def days(self) -> tuple[books.Day, ...]:
        async with open_store(self.world.folder / "xybot.db", read_only=True) as store:
            assert await store.transact(books.contradictions) == ()
            return await store.transact(books.balance)

    async def live(self, *fate: str) -> Program:
        """Run the bot until it dies, or has no part in the story any more."""
        command = (sys.executable, "-m", "tests.mortal", str(self.world.bot_toml), *fate)
        async with running(*command, cwd=ROOT) as bot, trio.open_nursery() as nursery:
            nursery.start_soon(self._end, nursery.cancel_scope)
            await bot.process.wait()
            assert fate, f"it died by itself:\n{bot.output}"
            assert bot.process.returncode == -signal.SIGKILL, bot.output
            nursery.cancel_scope.cancel()
        return bot

    async def _end(self, scope: trio.CancelScope) -> None:
        await self.told.wait()
        scope.cancel()


@asynccontextmanager
async def open_story(folder: Path) -> AsyncIterator[Story]:
    """Open a platform that hides no mistake, with a shop of ours."""
    settings = Settings(same_uuid_once=False, redeliver_after=0.5)
    platform = Platform(now_ms=now_ms, rng=random.Random(7), settings=settings)
    async with open_platform(platform) as endpoints:
        timing: dict[str, object] = {"debounce": 0.2, "send_pace": 0}
        world = World(platform, endpoints, folder, rules=[ECHO], timing=timing)
        story = Story(world, world.open_account("shop-a"))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(story.tell, name="story")
            yield story


async def points(folder: Path) -> int:
    """Return how many transactions the story takes when nobody is killed."""
    folder.mkdir()
    async with open_story(folder) as story:
        bot = await story.live()
    await check(story, "never killed")
    return sum(line.startswith("transaction ") for line in bot.lines)


async def killed(folder: Path, moment: str, n: int) -> bool:
    """Tell the story to a bot that is killed there, and to the one that is started after it."""
    folder.mkdir()
    async with open_story(folder) as story:
        await story.live(moment, str(n))
        died = not story.told.is_set()
        if died:
            await story.live()
    await check(story, f"killed {moment} transaction {n}")
    return died


async def check(story: Story, when: str) -> None:
    assert story.answered == ["a", "b", "c", "d", "e"], when
    assert story.world.platform.unacknowledged(story.sim) == (), when
    with closing(sqlite3.connect(story.world.folder / "xybot.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)], when
        unsettled = "SELECT state FROM outbox WHERE state NOT IN ('sent', 'dropped')"
        assert db.execute(unsettled).fetchall() == [], when
    days = await story.days()
    assert sum(day.answered for day in days) == 5, when
    assert sum(day.received for day in days) == 7, when
    assert all(day.balances and not day.waiting and not day.held for day in days), when


async def kill_at(folder: Path, where: list[tuple[str, int]]) -> int:
    """Kill a bot at each of these points, a few bots at a time; return how many died of it."""
    limit, deaths = trio.CapacityLimiter(AT_ONCE), []

    async def one(moment: str, n: int) -> None:
        async with limit:
            deaths.append(await killed(folder / f"{moment}-{n}", moment, n))

    async with trio.open_nursery() as nursery:
        for moment, n in where:
            nursery.start_soon(one, moment, n)
    return sum(deaths)


async def test_a_killed_process_loses_no_answer_and_doubles_none(tmp_path: Path) -> None:
    rng, count, parts = random.Random(9), await points(tmp_path / "alive"), 6
    # One point of each part of the story; its very end may come a transaction sooner.
    steps = [1 + count * part // (parts + 1) for part in range(parts + 1)]
    where = [
        (rng.choice(("before", "after")), rng.randrange(here, there))
        for here, there in itertools.pairwise(steps)
    ]
    assert await kill_at(tmp_path, where) == len(where)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_process_killed_at_any_transaction_loses_no_answer_and_doubles_none(
    tmp_path: Path, moment: str
) -> None:
    count = await points(tmp_path / "alive")
    assert count > 20, "the story has too few transactions to prove anything"
    died = await kill_at(tmp_path, [(moment, n) for n in range(1, count + 1)])
    # No two runs take the same number: what waits together is committed together.
    assert died > count * 0.8
