"""Cut the line right after every single transaction; nothing is lost or said twice.

The twin of test_crash.py: there the process dies, here it lives on and only the line is gone,
so nothing but the running program can hand on what it had just stored.
"""

from __future__ import annotations

import random

import attrs
import trio
from trio.testing import MockClock

from tests.conftest import new_platform, open_shop
from xybot.simulator.faults import Faults
from xybot.simulator.platform import Platform
from xybot.store.database import inline


@attrs.define
class Cutter:
    """Runs transactions, and cuts the line after the nth."""

    n: int
    faults: Faults
    seen: int = 0

    async def __call__(self, fn, /):
        self.seen += 1
        result = await inline(fn)
        if self.seen == self.n:
            self.faults.cut()
            await trio.sleep(0.5)  # A slow disk: the line is known to be gone before the commit is.
        return result


async def buyers(platform: Platform) -> None:
    sim = next(iter(platform.world.accounts.values()))
    await trio.sleep(2)
    platform.buyer_says(sim, "小王", "a")
    await trio.sleep(1)
    platform.buyer_says(sim, "小王", "b")
    platform.buyer_says(sim, "阿杰", "c")
    await trio.sleep(20)
    platform.buyer_says(sim, "柚子", "d")


async def story(n: int) -> tuple[int, list[str], int]:
    platform = new_platform(seed=random.Random(n).randrange(1000))
    sim = platform.add_account("shop-a")
    cutter = Cutter(n, platform.faults(sim))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(buyers, platform)
        with trio.move_on_after(200):
            async with open_shop(platform=platform, run=cutter) as shop:
                await shop.run()
    said = sorted(line for _, _, text in platform.heard(sim) for line in text.split("+"))
    return cutter.seen, said, len(platform.unacknowledged(sim))


def test_a_line_cut_after_any_transaction_loses_no_answer_and_doubles_none() -> None:
    n, seen = 0, 1
    while n < seen:
        n += 1
        clock = MockClock(autojump_threshold=0)
        seen, said, unacknowledged = trio.run(story, n, clock=clock)
        assert said == ["a", "b", "c", "d"], f"cut after transaction {n}"
        assert unacknowledged == 0, f"cut after transaction {n}"
    assert n > 10, "the story has too few transactions to prove anything"
