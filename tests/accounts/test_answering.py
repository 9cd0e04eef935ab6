"""Buyers write, the shop answers: once, in time, and with a stored reason."""

from __future__ import annotations

import attrs
import pytest
import trio

from tests.conftest import EPOCH, SHOP, Shop, clock_ms, echo
from xybot.accounts.chat import Patience
from xybot.events import MessageReceived, Quarantined, ReplySent, ReplySkipped, SendRefused
from xybot.model import Decision, Reply, Text
from xybot.store import inbox


async def test_a_buyer_is_answered_after_the_quiet_time(
    autojump_clock, open_for_business: Shop
) -> None:
    shop, before = open_for_business, trio.current_time()
    shop.says("在吗")
    await trio.sleep(10)
    assert shop.heard == ["在吗"]
    assert shop.heard_at[0] - before == pytest.approx(3, abs=0.1)


async def test_five_short_lines_get_one_answer_with_all_of_them(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    for word in ("are", "you", "still", "selling", "this"):
        shop.says(word)
        await trio.sleep(2)
    await trio.sleep(10)
    assert shop.heard == ["are+you+still+selling+this"]


async def test_a_buyer_who_never_stops_typing_is_answered_all_the_same(
    autojump_clock,
    open_for_business: Shop,
) -> None:
    shop, before = open_for_business, trio.current_time()
    shop.patience = Patience(debounce=3, debounce_max=10)
    for _ in range(12):
        shop.says("x")
        await trio.sleep(2)
    await trio.sleep(20)
    assert sum(text.count("x") for text in shop.heard) == 12
    assert shop.heard_at[0] - before == pytest.approx(10, abs=0.5)


async def test_without_debounce_every_line_is_answered_at_once(
    autojump_clock, open_for_business: Shop
) -> None:
    shop, before = open_for_business, trio.current_time()
    shop.patience = Patience(debounce=0)
    shop.says("a")
    await trio.sleep(1)
    shop.says("b")
    await trio.sleep(1)
    assert shop.heard == ["a", "b"]
    assert shop.heard_at[0] - before == pytest.approx(0, abs=0.1)


async def test_a_line_during_the_search_for_a_reply_starts_it_over(
    autojump_clock,
    open_for_business: Shop,
) -> None:
    shop, asked = open_for_business, []

    async def slow(turn, now):
        asked.append(len(turn.messages))
        await trio.sleep(5)
        return await echo(turn, now)

    shop.decide = slow
    shop.says("a")
    await trio.sleep(4)
    shop.says("b")
    await trio.sleep(20)
    assert asked == [1, 2]
    assert shop.heard == ["a+b"]


async def test_two_chats_do_not_wait_for_each_other(
    autojump_clock, open_for_business: Shop
) -> None:
    shop, before = open_for_business, trio.current_time()
    shop.says("a", buyer="小王")
    await trio.sleep(2)
    shop.says("b", buyer="阿杰")
    await trio.sleep(10)
    assert [round(at - before) for at in shop.heard_at] == [3, 5]


async def test_the_messages_of_a_long_reply_arrive_in_their_order(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business

    async def chatty(_turn, _now):
        contents = tuple(Text(f"第{n}条") for n in range(8))
        return Decision(reply=Reply(contents=contents, source="t", because="t"), passed=())

    shop.decide = chatty
    shop.says("a")
    await trio.sleep(10)
    assert shop.heard == [f"第{n}条" for n in range(8)]


async def test_all_messages_of_one_frame_are_answered(
    autojump_clock, shop: Shop, nursery: trio.Nursery
) -> None:
    for n in range(30):  # While nobody is on line, what waits is bundled into one frame.
        shop.says(f"line {n}", buyer=f"buyer {n}")
    nursery.start_soon(shop.run)
    await trio.sleep(20)
    assert sorted(shop.heard) == sorted(f"line {n}" for n in range(30))
    assert shop.platform.unacknowledged(shop.sim) == ()


async def test_every_turn_has_a_stored_decision_with_its_reasons(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business

    async def silent(_turn, _now):
        return Decision(reply=None, passed=(("rules", "nothing matched"), ("default", "none")))

    shop.says("a")
    await trio.sleep(5)
    shop.decide = silent
    shop.says("b")
    await trio.sleep(5)
    answered, skipped = [row for row in await shop.books() if row.kind == "text"]
    assert (answered.outcome, answered.why) == ("answered", "echo: it was said")
    assert answered.replies == (Text("a"),)
    assert (skipped.outcome, skipped.replies) == ("skipped", ())
    assert skipped.why == "rules: nothing matched; default: none"
    assert [e.why for e in shop.events if isinstance(e, ReplySkipped)] == [skipped.why]


async def test_a_silent_rule_is_no_message_and_is_told_apart_from_no_match(
    autojump_clock,
    open_for_business: Shop,
) -> None:
    shop = open_for_business

    async def hush(_turn, _now):
        return Decision(reply=Reply(contents=(), source="rules", because="广告"), passed=())

    shop.decide = hush
    shop.says("加微信")
    await trio.sleep(5)
    assert shop.heard == []
    assert [row.outcome for row in await shop.books() if row.kind == "text"] == ["silent"]


async def test_only_people_are_answered(autojump_clock, open_for_business: Shop) -> None:
    shop, asked = open_for_business, []

    async def listening(turn, now):
        asked.append(turn.text)
        return await echo(turn, now)

    shop.decide = listening
    platform, sim = shop.platform, shop.sim
    platform.tip(sim, "小王", "不想宝贝被砍价?")
    order = platform.buyer_orders(sim, "小王")
    platform.buyer_pays(sim, order)
    platform.buyer_types(sim, "小王", started=True)
    platform.seller_says(sim, "小王", "我自己来")
    shop.faults.damaged_entry()
    shop.faults.garbage()
    await trio.sleep(20)
    assert asked == []
    assert shop.heard == []
    outcomes = {row.kind: row.outcome for row in await shop.books()}
    assert outcomes["own"] == "own"
    assert outcomes["tip"] == "not a person: tip"
    assert outcomes["card"] == "not a person: card"
    assert outcomes["garbage"] == "undecodable: not a frame"
    assert outcomes["undecodable"].startswith("undecodable: ")
    assert None not in outcomes.values()
    assert len([e for e in shop.events if isinstance(e, Quarantined)]) == 2
    assert platform.unacknowledged(sim) == ()


async def test_our_own_echo_is_not_answered_and_not_taken_for_a_buyer(
    autojump_clock,
    open_for_business: Shop,
) -> None:
    shop = open_for_business
    shop.says("在吗")
    await trio.sleep(60)
    assert shop.heard == ["在吗"]
    assert len([e for e in shop.events if isinstance(e, MessageReceived)]) == 1


async def test_a_poisonous_chat_stops_no_other(autojump_clock, open_for_business: Shop) -> None:
    shop = open_for_business

    async def picky(turn, now):
        if turn.text == "poison":
            raise ValueError("bug")
        return await echo(turn, now)

    shop.decide = picky
    shop.says("poison", buyer="小王")
    shop.says("a", buyer="阿杰")
    await trio.sleep(10)
    assert shop.heard == ["a"]
    assert len(shop.connects) == 1
    failed = next(row for row in await shop.books() if row.outcome == "failed")
    assert "ValueError: bug" in failed.why
    shop.says("still there?", buyer="小王")
    await trio.sleep(10)
    assert shop.heard == ["a", "still there?"]


async def test_a_refused_message_is_told_with_the_reason_and_not_tried_again(
    autojump_clock,
    open_for_business: Shop,
) -> None:
    shop = open_for_business
    shop.faults.refuse_sends()
    shop.says("在吗")
    await trio.sleep(120)
    assert shop.heard == []
    refused = [e for e in shop.events if isinstance(e, SendRefused)]
    assert len(refused) == 1
    assert "CSI_FORBID" in refused[0].reason


async def test_flow_control_means_the_same_message_a_little_later(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.faults.busy(2)
    shop.says("在吗")
    await trio.sleep(30)
    assert shop.heard == ["在吗"]
    assert len([e for e in shop.events if isinstance(e, ReplySent)]) == 1


async def test_what_an_earlier_run_took_in_is_answered_by_the_next(
    autojump_clock, shop: Shop
) -> None:
    async def never(_turn, _now):
        await trio.sleep_forever()

    shop.decide = never
    with trio.move_on_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shop.run)
            await trio.sleep(1)
            shop.says("在吗")
    assert shop.platform.unacknowledged(shop.sim) == ()  # stored and acknowledged, not answered
    shop.decide = echo
    with trio.move_on_after(10):
        await shop.run()
    assert shop.heard == ["在吗"]
    assert await shop.store.transact(inbox.still_open, SHOP) == ()


async def test_a_message_of_100_kb_with_emoji_and_nul_is_answered_as_it_is(
    autojump_clock,
    open_for_business: Shop,
) -> None:
    shop = open_for_business
    text = "👩‍👩‍👧‍👦\0" + "长" * 33_000
    shop.says(text)
    await trio.sleep(10)
    assert shop.heard == [text]


async def test_a_message_is_measured_by_the_clock_of_the_platform(
    autojump_clock, shop: Shop, nursery
) -> None:
    asked = []

    async def listening(turn, now):
        asked.append(now - turn.last.sent_at)
        return await echo(turn, now)

    shop.decide = listening
    # Our own clock is an hour fast; the platform's is right.
    fast = attrs.evolve(shop.platform, now_ms=lambda: clock_ms() - 3_600_000)
    shop.platform, shop.sim = fast, fast.add_account(SHOP)
    nursery.start_soon(shop.run)
    await trio.sleep(1)
    shop.says("在吗")
    await trio.sleep(10)
    assert len(asked) == 1
    assert 0 <= asked[0] < 10_000
    assert clock_ms() - round(1000 * trio.current_time()) == EPOCH
