"""What becomes of a reply: said at once, as if typed, by approval, or not at all."""

from __future__ import annotations

import random

import attrs
import pytest
import trio

from tests.conftest import SHOP, Shop, clock_ms, new_platform, open_shop
from xybot.accounts.chat import Patience
from xybot.config import AccountConfig, Config, Default, Loaded, Replies, Rule
from xybot.egress import Outside
from xybot.events import (
    ChatLimited,
    ChatPaused,
    ChatResumed,
    ReplyDrafted,
    ReplyDropped,
    ReplyRehearsed,
    ReplySkipped,
)
from xybot.model import Decision, Reply, Text, Turn
from xybot.replies.compose import composer
from xybot.replies.source import Means
from xybot.store import books, drafts

RULES = (Rule(keywords=("在吗",), reply="在的，亲"), Rule(keywords=("微信",), reply="加我微信"))


def with_settings(shop: Shop, **replies) -> None:
    """Let the real sources answer."""
    config = Config(rules=RULES, default=Default(reply="稍等", once=False))
    use(shop, attrs.evolve(config, replies=Replies(**replies)))


def use(shop: Shop, config: Config) -> None:
    loaded = Loaded(config=config, folder=shop.pictures, cookies={}, warnings=(), files=())
    means = Means(store=shop.store, facts=shop.facts.of, outside=Outside(), now_ms=clock_ms)
    shop.decide = composer(loaded, means).decide


def of(shop: Shop, kind: type) -> list:
    return [event for event in shop.events if isinstance(event, kind)]


async def fates(shop: Shop) -> dict[str, int]:
    (day,) = await shop.store.transact(books.balance)
    assert day.balances
    return {"answered": day.answered, "waiting": day.waiting, **day.skipped}


async def test_a_dry_run_decides_and_stores_and_sends_nothing(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    with_settings(shop, dry_run=True)
    shop.says("在吗")
    await trio.sleep(600)
    assert shop.heard == []
    (event,) = of(shop, ReplyRehearsed)
    assert event.text == "在的，亲"
    assert await fates(shop) == {"answered": 0, "waiting": 0, "dry run": 1}


async def test_an_account_on_dry_run_is_silent_while_another_speaks(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    config = Config(rules=RULES, accounts=(AccountConfig(id=SHOP, dry_run=True),))
    use(shop, config)
    shop.says("在吗")
    await trio.sleep(60)
    assert shop.heard == []
    use(shop, attrs.evolve(config, accounts=(AccountConfig(id="shop-b", dry_run=True),)))
    shop.says("在吗")
    await trio.sleep(60)
    assert shop.heard == ["在的，亲"]


async def test_a_draft_is_said_when_the_seller_approves_it(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    with_settings(shop, drafts=True)
    shop.says("在吗")
    await trio.sleep(3600)
    assert shop.heard == []
    assert len(of(shop, ReplyDrafted)) == 1
    assert (await fates(shop))["waiting"] == 1
    (draft,) = await shop.store.transact(drafts.waiting)
    assert await shop.store.transact(drafts.approve, SHOP, draft.outgoing.uuid, now=clock_ms())
    shop.says("在吗", buyer="阿杰")  # Whatever rings next lets it out.
    with_settings(shop)
    await trio.sleep(20)
    assert shop.heard == ["在的，亲", "在的，亲"]
    assert (await fates(shop))["answered"] == 2


async def test_a_draft_outlives_a_new_connection(autojump_clock, open_for_business: Shop) -> None:
    shop = open_for_business
    with_settings(shop, drafts=True)
    shop.says("在吗")
    await trio.sleep(3600)
    shop.faults.cut()
    await trio.sleep(60)
    assert len(await shop.store.transact(drafts.waiting)) == 1
    assert of(shop, ReplyDropped) == []


async def test_what_the_guard_stops_waits_for_the_seller_and_the_buyer_hears_nothing(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    with_settings(shop)
    shop.says("有微信吗")
    await trio.sleep(60)
    assert shop.heard == []
    (event,) = of(shop, ReplyDrafted)
    assert "WeChat" in event.held


async def test_two_bots_that_answer_each_other_fall_silent_and_the_seller_is_told_once(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    with_settings(shop, chat_limit=5)
    shop.patience = Patience(debounce=0)
    for _ in range(40):
        shop.says("在吗")
        await trio.sleep(10)
    assert len(shop.heard) == 5
    assert len(of(shop, ChatLimited)) == 1
    assert len(of(shop, ReplySkipped)) == 35
    await trio.sleep(3600)
    shop.says("在吗")
    await trio.sleep(10)
    assert len(shop.heard) == 6


async def test_somebody_on_the_blacklist_hears_nothing(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    with_settings(shop, blacklist=("小王",))
    shop.says("在吗")
    shop.says("在吗", buyer="阿杰")
    await trio.sleep(20)
    assert len(shop.heard) == 1
    (event,) = of(shop, ReplySkipped)
    assert "blacklist" in event.why


async def test_a_reply_comes_as_late_as_it_takes_to_type(
    autojump_clock, open_for_business: Shop
) -> None:
    shop, began = open_for_business, trio.current_time()
    with_settings(shop, seconds_per_char=1.5)
    shop.says("在吗")
    shop.says("hello", buyer="阿杰")
    await trio.sleep(60)
    assert shop.heard == ["稍等", "在的，亲"]
    assert shop.heard_at[0] - began == pytest.approx(3 + 2 * 1.5, abs=0.2)
    assert shop.heard_at[1] - began == pytest.approx(3 + 4 * 1.5, abs=0.2)


async def test_no_reply_is_later_than_the_longest_delay(
    autojump_clock, open_for_business: Shop
) -> None:
    shop, began = open_for_business, trio.current_time()
    with_settings(shop, seconds_per_char=100, longest_delay=7)
    shop.says("在吗")
    await trio.sleep(60)
    assert shop.heard_at[0] - began == pytest.approx(3 + 7, abs=0.2)


async def test_the_sellers_own_line_wins_over_a_reply_that_is_being_typed(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    with_settings(shop, seconds_per_char=3, longest_delay=60)
    shop.says("在吗")
    await trio.sleep(8)
    shop.platform.seller_says(shop.sim, "小王", "在的，我来说")
    await trio.sleep(100)
    assert shop.heard == []
    assert len(of(shop, ReplyDropped)) == 1


async def test_a_reply_that_is_being_typed_survives_a_cut_and_is_said_once(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    with_settings(shop, seconds_per_char=3, longest_delay=60)
    shop.says("在吗")
    await trio.sleep(8)
    shop.faults.cut()
    await trio.sleep(100)
    assert shop.heard == ["在的，亲"]


async def handing_over(turn: Turn, _now: int) -> Decision:
    reply = Reply(contents=(Text("请稍等，马上来人"),), source="rules", because="x", hand_over=True)
    return Decision(reply=reply, passed=())


async def test_a_chat_that_was_handed_over_is_the_sellers_until_they_give_it_back(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.patience = Patience(toggle_word="。")
    shop.decide = handing_over
    shop.says("我要投诉")
    await trio.sleep(10)
    assert shop.heard == ["请稍等，马上来人"]
    (event,) = of(shop, ChatPaused)
    assert event.until is None
    assert event.why
    await trio.sleep(80_000)
    shop.says("人呢")
    await trio.sleep(10)
    assert len(shop.heard) == 1
    assert "given back" in of(shop, ReplySkipped)[-1].why
    shop.platform.seller_says(shop.sim, "小王", "。")
    await trio.sleep(10)
    assert len(of(shop, ChatResumed)) == 1
    shop.says("好了吗")
    await trio.sleep(10)
    assert len(shop.heard) == 2


async def test_a_chat_that_was_handed_over_stays_so_after_a_restart(autojump_clock) -> None:
    async with open_shop(platform=new_platform()) as shop:
        shop.decide = handing_over
        for words in ("我要投诉", "人呢"):
            with trio.move_on_after(20):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(shop.run)
                    await trio.sleep(1)
                    shop.says(words)
        assert shop.heard == ["请稍等，马上来人"]


async def test_typing_delays_of_many_chats_keep_the_order_within_each(
    autojump_clock, open_for_business: Shop
) -> None:
    shop, rng = open_for_business, random.Random(7)
    shop.patience = Patience(debounce=0)

    async def echo_slowly(turn: Turn, _now: int) -> Decision:
        said = Reply(contents=(Text(turn.text),), source="echo", because="x")
        return Decision(reply=said, passed=(), delays=(rng.random() * 30,))

    shop.decide = echo_slowly
    for n in range(60):
        shop.says(f"{n % 6}:{n}", buyer=f"buyer {n % 6}")
        await trio.sleep(rng.random() * 3)
    await trio.sleep(100)
    assert len(shop.heard) == 60
    for chat in range(6):
        mine = [int(text.split(":")[1]) for text in shop.heard if text.startswith(f"{chat}:")]
        assert mine == sorted(mine)
