"""The seller's own hand: what they write themselves keeps the bot out of that chat."""

from __future__ import annotations

import trio

from tests.conftest import Shop, echo
from xybot.accounts.chat import Patience
from xybot.events import ChatPaused, ChatResumed, ReplySkipped


async def test_a_line_of_the_seller_drops_the_turn_and_pauses_that_chat_only(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.says("在吗", buyer="小王")
    shop.says("在吗?", buyer="阿杰")
    await trio.sleep(1)
    shop.platform.seller_says(shop.sim, "小王", "在的，我来说")
    await trio.sleep(10)
    assert shop.heard == ["在吗?"]
    shop.says("好的", buyer="小王")
    await trio.sleep(10)
    assert shop.heard == ["在吗?"]
    assert (
        "seller answers by hand" in [e.why for e in shop.events if isinstance(e, ReplySkipped)][-1]
    )
    assert len([e for e in shop.events if isinstance(e, ChatPaused)]) == 1
    assert None not in [row.outcome for row in await shop.books()]


async def test_the_bot_speaks_again_when_the_pause_is_over(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.platform.seller_says(shop.sim, "小王", "我来")
    await trio.sleep(601)
    shop.says("在吗")
    await trio.sleep(10)
    assert shop.heard == ["在吗"]


async def test_a_pause_survives_a_restart(autojump_clock, shop: Shop) -> None:
    with trio.move_on_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shop.run)
            await trio.sleep(1)
            shop.platform.seller_says(shop.sim, "小王", "我来")
    with trio.move_on_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shop.run)
            await trio.sleep(1)
            shop.says("在吗")
    assert shop.heard == []


async def test_our_own_echo_never_pauses_not_even_when_its_answer_was_lost(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.faults.lose_answers(1)
    for n in range(3):
        shop.says(f"第{n}次")
        await trio.sleep(60)
    assert shop.heard == ["第0次", "第1次", "第2次"]
    assert not [e for e in shop.events if isinstance(e, ChatPaused)]


async def test_a_pause_of_zero_is_none(autojump_clock, open_for_business: Shop) -> None:
    shop = open_for_business
    shop.patience = Patience(manual_pause=0)
    shop.platform.seller_says(shop.sim, "小王", "我来")
    await trio.sleep(1)
    shop.says("在吗")
    await trio.sleep(10)
    assert shop.heard == ["在吗"]


async def test_the_toggle_word_switches_the_bot_off_in_a_chat_and_on_again(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.patience = Patience(toggle_word="。")
    shop.says("在吗")
    await trio.sleep(1)
    shop.platform.seller_says(shop.sim, "小王", "。")
    await trio.sleep(24 * 3600)
    shop.says("还在吗")
    shop.says("你好", buyer="阿杰")
    await trio.sleep(60)
    assert shop.heard == ["你好"]
    shop.platform.seller_says(shop.sim, "小王", "。")
    await trio.sleep(1)
    shop.says("有人吗")
    await trio.sleep(10)
    assert shop.heard == ["你好", "有人吗"]
    assert [e.until for e in shop.events if isinstance(e, ChatPaused)] == [None]
    assert len([e for e in shop.events if isinstance(e, ChatResumed)]) == 1


async def test_the_toggle_word_ends_an_ordinary_pause_at_once(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.patience = Patience(toggle_word="。")
    shop.platform.seller_says(shop.sim, "小王", "我来")
    await trio.sleep(10)
    shop.platform.seller_says(shop.sim, "小王", "。")
    await trio.sleep(1)
    shop.says("在吗")
    await trio.sleep(10)
    assert shop.heard == ["在吗"]


async def test_a_bot_that_was_switched_off_stays_off_over_a_restart(
    autojump_clock, shop: Shop
) -> None:
    shop.patience = Patience(toggle_word="。")
    with trio.move_on_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shop.run)
            await trio.sleep(1)
            shop.platform.seller_says(shop.sim, "小王", "。")
    with trio.move_on_after(4000):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shop.run)
            await trio.sleep(3600)
            shop.says("在吗")
    assert shop.heard == []


async def test_the_seller_who_writes_during_the_thought_stops_it(
    autojump_clock, open_for_business: Shop
) -> None:
    shop, finished = open_for_business, []

    async def slow(turn, now):
        await trio.sleep(20)
        finished.append(turn)
        return await echo(turn, now)

    shop.decide = slow
    shop.says("在吗")
    await trio.sleep(10)
    shop.platform.seller_says(shop.sim, "小王", "在的")
    await trio.sleep(60)
    assert finished == []
    assert shop.heard == []
