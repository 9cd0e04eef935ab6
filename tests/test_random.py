"""Two hundred random stories: whatever happens, no line is lost and none is answered twice.

A story is made by its seed: buyers, the seller's own hand, faults of every kind, restarts,
stretches off line.  A story that fails names its seed; `told(seed, folder)` tells it again.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import attrs
import pytest
import trio
import trio._core._run
from trio.testing import MockClock

from tests.conftest import new_platform
from tests.story import LATENCY, LONG, PATIENCE, Fate, Story, reckon
from xybot.simulator.faults import Faults

BUYERS: Final = ("小王", "阿杰", "柚子", "老周", "Lily")
ENOUGH: Final = 300
"""Quiet seconds after which everything must be settled."""
Strike = Callable[[Faults, random.Random], object]
STRIKES: Final[dict[str, Strike]] = {
    "slow": lambda it, rng: it.slow(rng.choice((LATENCY, 0.5, 3, 12))),
    "no_vulcan": lambda it, rng: it.no_vulcan(on=rng.random() < 0.5),
    "slow_orders": lambda it, rng: it.slow_orders(rng.choice((0, 3, 12))),
    "late_orders": lambda it, rng: it.late_orders(rng.choice((0, 5))),
    "forget_backlog": lambda it, rng: it.forget_backlog(rng.choice((1, 2))),
}
"""What needs more than a number of times."""


def misfortunes() -> list[str]:
    return sorted(name for name in vars(Faults) if not name.startswith("_") and name != "calm")


def strike(name: str, faults: Faults, rng: random.Random) -> None:
    if name in STRIKES:
        STRIKES[name](faults, rng)
    elif "times" in inspect.signature(getattr(faults, name)).parameters:
        getattr(faults, name)(rng.randint(1, 3))
    else:
        getattr(faults, name)()


async def soon(rng: random.Random, mean: float) -> None:
    """Sleep a while, and then stop in the middle of whatever happens at that moment."""
    await trio.sleep(rng.expovariate(1 / mean))
    for _ in range(rng.randrange(30)):
        await trio.lowlevel.checkpoint()


async def buyers(story: Story, rng: random.Random) -> None:
    for n in range(rng.randint(5, 40)):
        await soon(rng, rng.choice((0.2, 2, 10, 60, 100)))
        word = f"{LONG}{n}" if rng.random() < 0.2 else f"w{n}"
        story.buyer_says(rng.choice(BUYERS), word)


async def seller(story: Story, rng: random.Random) -> None:
    for n in range(rng.randint(0, 3)):
        await soon(rng, 120)
        story.seller_says(rng.choice(BUYERS), f"我来{n}")


async def misfortune(story: Story, rng: random.Random) -> None:
    kinds, mean = rng.sample(misfortunes(), rng.randint(1, 12)), rng.choice((3, 20, 60))
    while True:
        await soon(rng, mean)
        strike(rng.choice(kinds), story.faults, rng)
        if rng.random() < 0.3:  # Nothing that lasts may last for ever.
            await soon(rng, 10)
            story.calm()


async def lives(story: Story, rng: random.Random) -> None:
    """Run the bot, again and again, on the same database."""
    while True:
        with trio.move_on_after(rng.choice((5, 60, 600, 6000)) * rng.random()):
            async with story.bot():
                await trio.sleep_forever()
        await trio.sleep(rng.choice((0, 5, 60, 400)) * rng.random())


@attrs.frozen
class Told:
    """What there is to know of a story that is over."""

    wrong: list[str]
    fates: list[Fate]
    heard: list[object]
    events: list[object]


async def live(seed: int, folder: Path) -> Told:
    rngs = seeded(seed)
    platform = new_platform(seed, echo=next(rngs).choice(("after", "before", "never")))
    story = Story(platform=platform, path=folder / "xybot.db")
    async with trio.open_nursery() as nursery:
        for task in (misfortune, lives):
            nursery.start_soon(task, story, next(rngs))
        async with trio.open_nursery() as people:
            people.start_soon(buyers, story, next(rngs))
            people.start_soon(seller, story, next(rngs))
        nursery.cancel_scope.cancel()
    story.calm()
    async with story.bot() as shop:
        await trio.sleep(ENOUGH)
        story.buyer_says("新来的", "z")
        await trio.sleep(20)
        fates, wrong = await reckon(story, shop)
    return Told(wrong, fates, list(story.sim.heard), story.events)


def seeded(seed: int) -> Iterator[random.Random]:
    """Yield one source of chance for each who acts: none of them disturbs another."""
    source = random.Random(seed)
    while True:
        yield random.Random(source.getrandbits(64))


def told(seed: int, folder: Path) -> Told:
    # pytest-trio has Trio draw lots for the order of its tasks from here, and from nowhere else.
    folder.mkdir(exist_ok=True)
    trio._core._run._r.seed(seed)
    return trio.run(live, seed, folder, clock=MockClock(autojump_threshold=0))


@pytest.mark.parametrize(
    "seed", [*range(30), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(30, 200))]
)
def test_in_a_random_story_every_line_is_answered_once_or_has_its_reason(
    seed: int, tmp_path: Path
) -> None:
    story = told(seed, tmp_path)
    assert story.wrong == [], f"seed {seed}"
    assert story.fates[-1].reason == "", f"seed {seed}: after all that, the bot is silent"


@pytest.mark.parametrize("seed", [3, 44, 84])
def test_the_same_seed_tells_the_same_story(seed: int, tmp_path: Path) -> None:
    first, second = told(seed, tmp_path / "first"), told(seed, tmp_path / "second")
    assert first.heard == second.heard
    assert first.events == second.events
    assert told(seed + 1, tmp_path / "other").heard != first.heard


def test_a_line_that_is_too_late_is_stored_so_whatever_came_after_it() -> None:
    async def story() -> list[Fate]:
        story = Story(platform=new_platform())
        story.buyer_says("小王", "old")
        await trio.sleep(PATIENCE.message_expiry)
        story.buyer_says("小王", "new")
        async with story.bot() as shop:
            await trio.sleep(20)
            return (await reckon(story, shop))[0]

    old, new = trio.run(story, clock=MockClock(autojump_threshold=0))
    assert new.reason == ""
    assert old.reason.startswith("late")
