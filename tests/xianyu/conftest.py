from __future__ import annotations

import random

import pytest
import trio

from xybot.simulator import Platform
from xybot.simulator.world import SimAccount


def now_ms() -> int:
    """A date that goes with trio's clock."""
    return 1_790_000_000_000 + int(trio.current_time() * 1000)


# A test on the mock clock must name `autojump_clock` itself: pytest-trio looks nowhere else.
@pytest.fixture
async def platform() -> Platform:
    return Platform(now_ms=now_ms, rng=random.Random(1))


@pytest.fixture
async def account(platform: Platform) -> SimAccount:
    return platform.add_account("shop-a")
