"""The facts of items: fetched when a buyer asks, kept, and never worth a delay or a loop."""

from __future__ import annotations

from functools import partial

import pytest
import trio

from tests.conftest import SHOP, Shop, clock_ms, open_shop
from xybot.errors import Cause
from xybot.model import AccountState, Decision, Item, Reply, Text, Turn
from xybot.store import accounts, items

DETAIL = "mtop.taobao.idle.pc.detail"
KEEP_ALIVE = "mtop.taobao.idlemessage.pc.loginuser.get"
HOUR, MINUTE = 3600, 60


async def titled(shop: Shop, turn: Turn, _now: int) -> Decision:
    """Answer with the title and the price of the item."""
    assert turn.item is not None
    item = await shop.facts.of(turn.account, turn.item)
    text = f"{item.title} {item.price}" if item is not None else "不清楚"
    reply = Reply(contents=(Text(text),), source="facts", because="it was asked")
    return Decision(reply=reply, passed=())


@pytest.fixture
async def asking(shop: Shop, nursery: trio.Nursery, autojump_clock) -> Shop:
    """A shop on line under its supervisor, whose answers need the facts."""
    shop.decide = partial(titled, shop)
    nursery.start_soon(shop.supervisor().run)
    await trio.sleep(5)
    return shop


async def test_facts_are_asked_for_once_an_hour(asking: Shop, autojump_clock) -> None:
    (thing,) = asking.platform.world.items.values()
    for n in range(5):
        asking.says("在吗", f"buyer {n}")
        await trio.sleep(10 * MINUTE)
    assert asking.heard == 5 * ["九成新蓝牙耳机 8800"]
    assert asking.sim.calls[DETAIL] == 1
    thing.price = "66"
    asking.says("多少钱")
    await trio.sleep(HOUR)
    assert asking.heard[-1] == "九成新蓝牙耳机 8800"
    asking.says("多少钱")
    await trio.sleep(MINUTE)
    assert asking.heard[-1] == "九成新蓝牙耳机 6600"
    assert asking.sim.calls[DETAIL] == 1 + 2  # By now the signature is stale, and made anew.


async def test_many_chats_about_an_item_ask_once(asking: Shop, autojump_clock) -> None:
    for n in range(30):
        asking.says("在吗", f"buyer {n}")
    await trio.sleep(MINUTE)
    assert asking.heard == 30 * ["九成新蓝牙耳机 8800"]
    assert asking.sim.calls[DETAIL] == 1


async def test_a_slow_platform_costs_three_seconds_and_not_again_for_minutes(
    asking: Shop, autojump_clock
) -> None:
    asking.faults.slow(4)
    began = trio.current_time()
    asking.says("在吗")
    await trio.sleep(30)
    assert asking.heard == ["不清楚"]
    # Pushing the line, falling silent, the patience with the platform, sending the answer.
    assert asking.heard_at[0] - began < 4 + 3 + 3 + 5
    asking.says("在吗", "小李")
    await trio.sleep(30)
    assert asking.sim.calls[DETAIL] == 1
    asking.faults.slow(0)
    await trio.sleep(5 * MINUTE)
    asking.says("在吗", "小张")
    await trio.sleep(30)
    assert asking.heard == ["不清楚", "不清楚", "九成新蓝牙耳机 8800"]


async def test_old_facts_are_better_than_none(asking: Shop, autojump_clock) -> None:
    asking.says("在吗")
    await trio.sleep(2 * HOUR)
    asking.faults.fail_calls(1)
    asking.says("在吗")
    await trio.sleep(MINUTE)
    assert asking.heard == 2 * ["九成新蓝牙耳机 8800"]
    assert asking.sim.calls[DETAIL] == 2


async def test_a_failure_is_not_repeated_at_every_line(asking: Shop, autojump_clock) -> None:
    asking.faults.fail_calls(100)
    for _ in range(4):
        asking.says("在吗")
        await trio.sleep(MINUTE)
    assert asking.heard == 4 * ["不清楚"]
    assert asking.sim.calls[DETAIL] == 1
    await trio.sleep(2 * MINUTE)
    asking.says("在吗")
    await trio.sleep(MINUTE)
    assert asking.sim.calls[DETAIL] == 2


async def test_an_item_that_is_gone_is_asked_for_once(asking: Shop, autojump_clock) -> None:
    chat = asking.platform.chat(asking.sim, "小王")
    asking.platform.world.items.clear()
    for _ in range(4):
        asking.platform.buyer_says(asking.sim, chat, "还在吗")
        await trio.sleep(10 * MINUTE)
    assert asking.heard == 4 * ["不清楚"]
    assert asking.sim.calls[DETAIL] == 1


async def test_a_line_that_comes_while_the_platform_is_asked_loses_nothing(
    asking: Shop, autojump_clock
) -> None:
    asking.faults.slow(2)
    asking.says("在吗")
    await trio.sleep(4)
    asking.says("还在吗")  # It arrives two seconds later, one second after the question.
    await trio.sleep(1.5)
    assert (asking.sim.calls[DETAIL], asking.heard) == (1, [])
    await trio.sleep(30)
    assert asking.heard == ["九成新蓝牙耳机 8800"]
    assert asking.sim.calls[DETAIL] == 2


async def test_a_login_that_dozes_is_woken_by_a_question(asking: Shop, autojump_clock) -> None:
    asking.faults.doze()
    asking.says("在吗")
    await trio.sleep(MINUTE)
    assert asking.heard == ["九成新蓝牙耳机 8800"]
    assert asking.sim.calls[KEEP_ALIVE] == 1


async def test_a_check_for_people_parks_the_account_at_once_and_nothing_more_is_asked(
    asking: Shop, autojump_clock
) -> None:
    asking.faults.demand_verification()
    for n in range(9):
        asking.says("在吗", f"buyer {n}")
    await trio.sleep(MINUTE)
    assert asking.status.state is AccountState.FAILED
    assert asking.status.cause is Cause.VERIFICATION_REQUIRED
    assert "xybot resume shop-a" in asking.status.reason
    assert not asking.platform.on_line(asking.sim)
    calls = asking.sim.calls.total()
    assert asking.sim.calls[DETAIL] == 1
    await trio.sleep(HOUR)
    assert asking.sim.calls.total() == calls
    assert asking.heard == []


async def test_after_the_check_the_lines_that_waited_are_answered(
    asking: Shop, autojump_clock
) -> None:
    asking.faults.demand_verification()
    asking.says("在吗")
    await trio.sleep(MINUTE)
    asking.faults.lift_verification()
    await asking.store.transact(accounts.resume, SHOP)
    await trio.sleep(MINUTE)
    assert asking.status.state is AccountState.CONNECTED
    assert asking.heard == ["九成新蓝牙耳机 8800"]


async def test_an_account_that_does_not_run_is_not_asked(autojump_clock) -> None:
    async with open_shop() as shop:
        (item,) = shop.platform.world.items
        assert await shop.facts.of(SHOP, item) is None
        told = Item(id=item, title="耳机")
        await shop.store.transact(items.keep, SHOP, item, told, now=clock_ms() - 9_000_000)
        assert await shop.facts.of(SHOP, item) == told
        assert shop.sim.calls.total() == 0
