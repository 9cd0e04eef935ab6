"""The clock of the machine jumps; buyers do not notice."""

from __future__ import annotations

import pytest
import trio

from tests.accounts.test_catchup import as_in_the_shop
from tests.conftest import EPOCH, clock_ms, new_platform, open_shop
from xybot.accounts.clock import PlatformClock
from xybot.events import AccountStatus, ReplyDropped, ReplySkipped
from xybot.model import AccountState

HOUR = 3_600_000
TOKEN = "mtop.taobao.idlemessage.pc.login.token"


@pytest.mark.parametrize("by", [HOUR, -HOUR])
@pytest.mark.parametrize("after", [0.0, 1.0, 3.02, 20.0])
async def test_a_clock_that_jumps_an_hour_loses_doubles_and_delays_nothing(
    autojump_clock, by: int, after: float
) -> None:
    jumped = 0

    def ours() -> int:
        return clock_ms() + jumped

    async with open_shop(platform=new_platform(echo="never"), now_ms=ours) as shop:
        as_in_the_shop(shop)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shop.run)
            await trio.sleep(1)
            shop.faults.lose_answers(1)
            shop.says("在吗")
            await trio.sleep(after)
            jumped = by
            await trio.sleep(60)
            shop.says("有货吗", "阿杰")
            await trio.sleep(10)
            shop.faults.cut()
            shop.says("还在吗", "柚子")
            await trio.sleep(60)
            assert sorted(shop.heard) == sorted(["在吗", "有货吗", "还在吗"])
            assert not [e for e in shop.events if isinstance(e, ReplyDropped | ReplySkipped)]
            assert shop.status.state is AccountState.CONNECTED
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize("by", [HOUR, -HOUR])
async def test_a_pause_by_hand_lasts_as_long_as_it_should_though_the_clock_jumps(
    autojump_clock, by: int
) -> None:
    jumped = 0

    async with (
        open_shop(now_ms=lambda: clock_ms() + jumped) as shop,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(shop.run)
        await trio.sleep(1)
        shop.platform.seller_says(shop.sim, "小王", "我来")
        await trio.sleep(1)
        jumped = by
        await trio.sleep(300)
        shop.says("在吗")
        await trio.sleep(10)
        assert shop.heard == []
        await trio.sleep(300)
        shop.says("还在吗")
        await trio.sleep(10)
        assert shop.heard == ["还在吗"]
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("by", [HOUR, -HOUR])
async def test_a_clock_that_jumps_makes_no_call_for_a_token(autojump_clock, by: int) -> None:
    jumped = 0

    async with (
        open_shop(now_ms=lambda: clock_ms() + jumped) as shop,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(shop.run)
        await trio.sleep(60)
        jumped = by
        for _ in range(5):
            shop.faults.cut()
            await trio.sleep(60)
        assert shop.sim.calls[TOKEN] == 1
        assert len(shop.connects) == 6
        assert [e.new for e in shop.events if isinstance(e, AccountStatus)][-1] is (
            AccountState.CONNECTED
        )
        nursery.cancel_scope.cancel()


async def test_a_platform_that_is_a_day_off_is_not_believed(autojump_clock) -> None:
    clock = PlatformClock(clock_ms)
    clock.set(EPOCH + 25 * HOUR)
    assert clock.now_ms() == clock_ms()
    clock.set(EPOCH + 23 * HOUR)
    await trio.sleep(10)
    assert clock.now_ms() == EPOCH + 23 * HOUR + 10_000
