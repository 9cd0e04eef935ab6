"""What is found while a doubtful send is looked up goes the way of everything that is found."""

from __future__ import annotations

import pytest
import trio

from tests.conftest import Shop


@pytest.mark.parametrize("seconds", range(14))
async def test_a_line_that_only_the_look_up_of_a_send_finds_is_answered(
    autojump_clock, open_for_business: Shop, seconds: int
) -> None:
    shop, faults = open_for_business, open_for_business.faults
    shop.says("在吗")
    await trio.sleep(2)
    faults.mute()
    await trio.sleep(2)
    # The answer never got there; on the next line, which is slow, its chat is read.
    faults.cut()
    faults.unmute()
    faults.slow(2)
    while not shop.platform.on_line(shop.sim):
        await trio.sleep(0.1)
    await trio.sleep(seconds)
    faults.swallow_pushes(1)
    shop.says("还在吗")
    await trio.sleep(30)
    faults.slow(0)
    await trio.sleep(1200)
    assert sorted(line for text in shop.heard for line in text.split("+")) == ["在吗", "还在吗"]
