"""Who is asked for a reply, in which order, and what is written down of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest

from tests.replies.samples import NOW, SHOP, line, loaded, means, rule, turn
from xybot.config import (
    AccountConfig,
    Ai,
    Config,
    Default,
    FollowUp,
    Guard,
    Haggle,
    ItemConfig,
    Replies,
    Webhook,
)
from xybot.errors import ConfigError, ReplyError, StoreUnavailable
from xybot.model import Decision, Image, ItemId, Pass, Reply, Text, Turn
from xybot.replies import gates
from xybot.replies.compose import Composer, Modes, composer
from xybot.replies.gates import Blacklist
from xybot.replies.source import Answer
from xybot.store.database import Store, inline, open_store

PHOTO = Image("https://img.alicdn.com/1.jpg")


@attrs.frozen
class Fixed:
    """Always says the same."""

    name: str
    says: Answer | Exception
    asked: list[Turn] = attrs.Factory(list)

    async def answer(self, turn: Turn) -> Answer:
        self.asked.append(turn)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


def reply(words: str, source: str) -> Reply:
    return Reply(contents=(Text(words),), source=source, because="because")


def asking(*sources: Fixed, expiry: float = 300, **more: Any) -> Composer:
    return Composer(sources=sources, expiry=expiry, **more)


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    async with open_store(None, run=inline) as opened:
        yield opened


async def test_the_first_reply_counts_and_nobody_is_asked_after_it() -> None:
    first, second = Fixed("a", Pass("no")), Fixed("b", reply("yes", "b"))
    third = Fixed("c", reply("me too", "c"))
    decision = await asking(first, second, third).decide(turn("在吗"), NOW)
    assert decision == Decision(reply=reply("yes", "b"), passed=(("a", "no"),))
    assert decision.why == "b: because"
    assert third.asked == []


async def test_without_a_reply_every_reason_is_told() -> None:
    decision = await asking(Fixed("a", Pass("no")), Fixed("b", Pass("never"))).decide(
        turn("在吗"), NOW
    )
    assert decision == Decision(reply=None, passed=(("a", "no"), ("b", "never")))
    assert decision.why == "a: no; b: never"


async def test_a_silent_reply_ends_the_search() -> None:
    silent = Reply(contents=(), source="a", because="x")
    later = Fixed("b", reply("yes", "b"))
    decision = await asking(Fixed("a", silent), later).decide(turn("在吗"), NOW)
    assert decision.reply == silent
    assert later.asked == []


async def test_a_source_that_is_broken_is_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    broken = Fixed("ai", ReplyError("HTTP 500"))
    decision = await asking(broken, Fixed("b", reply("yes", "b"))).decide(turn("在吗"), NOW)
    assert decision.reply == reply("yes", "b")
    assert decision.passed == (("ai", "出错 (failed): HTTP 500"),)
    assert "HTTP 500" in capsys.readouterr().out


async def test_any_other_error_is_not_swallowed() -> None:
    for error in (KeyError("bug"), StoreUnavailable("locked")):
        with pytest.raises(type(error)):
            await asking(Fixed("a", error)).decide(turn("在吗"), NOW)


async def test_only_the_part_that_is_not_too_old_is_answered() -> None:
    source = Fixed("a", Pass("no"))
    lines = [
        line("old", 1, sent_at=NOW - 300_001),
        line("just", 2, sent_at=NOW - 300_000),
        line("new", 3, sent_at=NOW),
        line("from a clock ahead", 4, sent_at=NOW + 60_000),
    ]
    await asking(source).decide(turn(*lines), NOW)
    (asked,) = source.asked
    assert asked.text == "just\nnew\nfrom a clock ahead"


async def test_a_turn_that_is_too_old_is_the_sellers() -> None:
    source = Fixed("a", reply("yes", "a"))
    asked = turn(line("在吗", sent_at=NOW - 90 * 60_000))
    decision = await asking(source).decide(asked, NOW)
    assert decision.reply is None
    ((gate, reason),) = decision.passed
    assert gate == "message_expiry"
    assert "90 min" in reason
    assert source.asked == []


def test_with_no_expiry_only_what_comes_this_moment_is_fresh() -> None:
    assert gates.fresh(turn("在吗"), NOW, 0) == turn("在吗")
    assert isinstance(gates.fresh(turn("在吗"), NOW + 1, 0), Pass)


CONFIG = Config(
    rules=(rule("邮", n=0), rule("邮", n=1, items=("81",))),
    default=Default(reply="稍等"),
)


def composed(config: Config, store: Store) -> Composer:
    return composer(loaded(config), means(store))


async def source_of(config: Config, store: Store, text: str, item: str = "81") -> str | None:
    decision = await composed(config, store).decide(turn(text, item=item), NOW)
    return decision.reply.source if decision.reply else None


async def test_the_order_is_that_of_the_settings(store: Store) -> None:
    assert await source_of(CONFIG, store, "包邮吗") == "item_rules"
    assert await source_of(CONFIG, store, "包邮吗", item="9") == "rules"
    assert await source_of(CONFIG, store, "在吗") == "default"
    for first in ("rules", "default"):
        order = Replies(order=(first, "item_rules"))
        assert await source_of(attrs.evolve(CONFIG, replies=order), store, "包邮吗") == first
    none = attrs.evolve(CONFIG, replies=Replies(order=()))
    assert await source_of(none, store, "包邮吗") is None


async def test_a_decision_names_all_who_passed(store: Store) -> None:
    config = attrs.evolve(CONFIG, default=None)
    decision = await composed(config, store).decide(turn("在吗"), NOW)
    assert [source for source, _ in decision.passed] == [
        "item_rules",
        "rules",
        "haggle",
        "default",
    ]
    assert all(reason for _, reason in decision.passed)


async def test_a_bad_pattern_makes_no_composer(store: Store) -> None:
    config = Config(rules=(rule("(", n=4, mode="regex"),))
    with pytest.raises(ConfigError, match=r"rules\[4\]"):
        composed(config, store)


async def becomes(config: Config, store: Store, text: str, account: str = SHOP) -> tuple[str, str]:
    decision = await composed(config, store).decide(turn(text, account=account), NOW)
    return decision.mode, decision.held


async def test_a_dry_run_is_for_everybody_an_account_or_a_source(store: Store) -> None:
    assert await becomes(CONFIG, store, "包邮吗") == ("send", "")
    everybody = attrs.evolve(CONFIG, replies=Replies(dry_run=True))
    mine = attrs.evolve(CONFIG, accounts=(AccountConfig(id=SHOP, dry_run=True),))
    rules = attrs.evolve(CONFIG, replies=Replies(dry_run_sources=("item_rules",)))
    for config in (everybody, mine, rules):
        mode, held = await becomes(config, store, "包邮吗")
        assert mode == "dry_run"
        assert "dry run" in held
    assert (await becomes(mine, store, "包邮吗", "shop-b"))[0] == "send"
    assert (await becomes(rules, store, "在吗"))[0] == "send"


async def test_drafts_are_for_everybody_an_account_or_a_source(store: Store) -> None:
    everybody = attrs.evolve(CONFIG, replies=Replies(drafts=True))
    mine = attrs.evolve(CONFIG, accounts=(AccountConfig(id=SHOP, drafts=True),))
    rules = attrs.evolve(CONFIG, replies=Replies(draft_sources=("item_rules",)))
    for config in (everybody, mine, rules):
        mode, held = await becomes(config, store, "包邮吗")
        assert mode == "draft"
        assert "approval" in held
    assert (await becomes(mine, store, "包邮吗", "shop-b"))[0] == "send"
    assert (await becomes(rules, store, "在吗"))[0] == "send"


async def test_a_dry_run_sends_nothing_even_where_drafts_are_wanted(store: Store) -> None:
    config = attrs.evolve(CONFIG, replies=Replies(dry_run=True, drafts=True))
    assert (await becomes(config, store, "在吗"))[0] == "dry_run"


async def test_what_the_guard_stops_is_a_draft_with_its_reason() -> None:
    source = Fixed("rules", reply("加我微信聊", "rules"))
    decision = await asking(source).decide(turn("在吗"), NOW)
    assert decision.mode == "draft"
    assert "WeChat" in decision.held
    assert decision.reply == reply("加我微信聊", "rules")


async def test_in_a_dry_run_one_reads_what_the_guard_would_have_stopped() -> None:
    source = Fixed("rules", reply("加我微信聊", "rules"))
    modes = Modes(settings=Replies(dry_run=True))
    decision = await asking(source, modes=modes).decide(turn("在吗"), NOW)
    assert decision.mode == "dry_run"
    assert "WeChat" in decision.held


async def test_what_is_said_unasked_is_judged_as_replies_are(store: Store) -> None:
    calm = composed(Config(), store)
    assert calm.judge(SHOP, "follow_up", ["谢谢"]) == ("send", "")
    mode, why = calm.judge(SHOP, "follow_up", ["谢谢，加我微信", "聊"])
    assert (mode, "WeChat" in why) == ("draft", True)
    quiet = composed(Config(accounts=(AccountConfig(id=SHOP, dry_run=True),)), store)
    assert quiet.judge(SHOP, "follow_up", ["谢谢"])[0] == "dry_run"


async def test_a_follow_up_that_the_guard_will_always_stop_is_told_at_load(store: Store) -> None:
    words = {"感谢": "订单 {order_id} 谢谢", "好评": "加我微信 {send_user_name}"}
    follow_ups = tuple(
        FollowUp(name=name, when="completed", text=text, where=name) for name, text in words.items()
    )
    (told,) = composed(Config(follow_ups=follow_ups), store).warnings
    assert told.startswith("好评: text: ")


async def test_a_rule_that_the_guard_will_always_stop_is_told_at_load(store: Store) -> None:
    config = Config(
        rules=(
            rule("在吗", n=0, reply="在的，{send_user_name}"),
            rule("电话", n=1, reply="打给我：13812345678"),
            rule("括号", n=2, reply="{{这里}}"),
        ),
        default=Default(reply="加薇聊"),
        items={ItemId("81"): ItemConfig(reply="看 abc.com", where="bot.d/items/81.toml")},
    )
    told = composed(config, store).warnings
    assert [each.split(":")[1] for each in told[:2]] == [" rules[1]", " rules[2]"]
    assert told[2].startswith("bot.d/items/81.toml: reply: ")
    assert told[3].startswith("default.reply: ")
    assert len(told) == 4
    none = attrs.evolve(config, guard=Guard(contacts=False))
    assert [each.split(":")[1] for each in composed(none, store).warnings] == [" rules[2]"]


async def test_a_reply_waits_as_long_as_it_takes_to_type_and_no_longer_than_allowed() -> None:
    several = Reply(contents=(Text("1234"), PHOTO, Text("x" * 50)), source="a", because="b")
    asked = turn("在吗")
    modes = Modes(settings=Replies(seconds_per_char=0.5, longest_delay=6))
    decision = await asking(Fixed("a", several), modes=modes).decide(asked, NOW)
    assert decision.delays == (2, 2.5, 6)
    assert (await asking(Fixed("a", several)).decide(asked, NOW)).delays == ()


async def test_a_gate_stops_before_any_source_is_asked() -> None:
    source = Fixed("a", reply("yes", "a"))
    composer = asking(source, gates=(Blacklist(frozenset({"小王"})),))
    decision = await composer.decide(turn("在吗"), NOW)
    assert decision.reply is None
    assert [gate for gate, _ in decision.passed] == ["blacklist"]
    assert source.asked == []


async def test_no_source_names_a_price_below_the_floor_of_haggling(store: Store) -> None:
    rules = (rule("便宜", n=0, reply="79元给您"), rule("多少", n=1, reply="80元"))
    config = Config(rules=rules, haggle=Haggle(enabled=True, floor=80))
    mode, held = await becomes(config, store, "便宜吗")
    assert mode == "draft"
    assert "floor" in held
    assert (await becomes(config, store, "多少钱"))[0] == "send"
    assert (await becomes(Config(rules=rules), store, "便宜吗"))[0] == "send"


async def test_a_source_with_a_setting_of_its_own_is_asked_when_it_has_one(store: Store) -> None:
    assert "webhook" not in [each.name for each in composed(Config(), store).sources]
    config = Config(webhook=Webhook(url="http://x"), ai=Ai(url="http://x/v1"))
    names = [each.name for each in composed(config, store).sources]
    assert names == ["item_rules", "rules", "haggle", "ai", "webhook", "default"]
