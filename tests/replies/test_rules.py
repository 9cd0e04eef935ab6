"""Keyword rules: which of them answers, and with what."""

from __future__ import annotations

import attrs
import pytest

from tests.replies.rulebook import bound, general
from tests.replies.samples import line, rule, said, turn
from xybot.errors import ConfigError
from xybot.model import Image, Pass, Reply, Text


@pytest.mark.parametrize(
    ("keyword", "mode", "text", "matches"),
    [
        ("包邮", "contains", "请问包邮吗", True),
        ("包邮", "contains", "包 邮", False),
        ("Hello", "contains", "oh hELLO there", True),
        (" 包邮 ", "contains", "包邮吗", True),
        ("STRASSE", "contains", "straße 1", True),
        (".*", "contains", "whatever", False),
        ("{x}", "contains", "a {x} b", True),
        ("在吗", "exact", "在吗", True),
        ("在吗", "exact", " 在吗 \r", True),
        ("在吗", "exact", "在吗？", False),
        ("OK", "exact", "ok", True),
        ("便宜|少点", "regex", "能不能少点", True),
        (r"^\d+元?$", "regex", "88元", True),
        (r"^\d+元?$", "regex", "给88元", False),
        ("hello", "regex", "HELLO", True),
        (r"包\s*邮", "regex", "包 邮", True),
        ("👑", "regex", "我是👑", True),
        ("包邮", "regex", "\ud800包邮", True),
        ("(在吗 | 有货) & !二手", "expression", "请问有货吗", True),
        ("(在吗 | 有货) & !二手", "expression", "二手的有货吗", False),
        ("OK", "expression", "ok!", True),
    ],
)
async def test_how_a_keyword_matches(keyword: str, mode: str, text: str, matches: bool) -> None:
    rules = general([rule(keyword, mode=mode)])
    assert await said(rules, turn(text)) == ("reply 0" if matches else None)


async def test_any_line_of_a_turn_and_any_keyword_of_a_rule_will_do() -> None:
    rules = general([rule("一", "在吗", mode="exact")])
    assert await said(rules, turn("你好", "在吗", "包邮吗")) == "reply 0"
    assert await said(rules, turn("你好\n在吗")) == "reply 0"
    assert await said(rules, turn("你好在吗")) is None
    contains = general([rule("好\n在")])
    assert await said(contains, turn("你好", "在吗")) == "reply 0"


async def test_the_first_rule_of_the_file_answers_and_says_why() -> None:
    written = [rule("x", n=0), rule("邮", "包邮", n=1), rule("包邮", n=2)]
    answer = await general(written).answer(turn("包邮吗"))
    assert answer == Reply(
        contents=(Text("reply 1"),),
        source="rules",
        because="bot.toml: rules[1] “邮”",
        rule=written[1].fingerprint,
    )


def test_a_rule_keeps_its_fingerprint_where_it_stands_and_changes_it_with_what_it_says() -> None:
    one, moved, other = rule("邮", n=0), rule("邮", n=7), rule("包邮", n=0)
    assert one.reply != moved.reply  # The samples number their replies.
    same = attrs.evolve(moved, reply=one.reply, line=9, priority=3)
    assert same.fingerprint == one.fingerprint
    assert other.fingerprint != one.fingerprint


async def test_rules_for_items_and_general_ones_are_two_sources() -> None:
    both = [rule("在吗", n=0), rule("在吗", n=1, items=("81", "82"))]
    for_items, for_all = bound(both), general(both)
    assert (for_items.name, for_all.name) == ("item_rules", "rules")
    assert await said(for_items, turn("在吗", item="82")) == "reply 1"
    assert await said(for_items, turn("在吗", item="83")) is None
    assert await said(for_items, turn("在吗", item=None)) is None
    assert await said(for_all, turn("在吗", item="82")) == "reply 0"


async def test_the_item_is_that_of_the_newest_line_that_names_one() -> None:
    rules = bound([rule("在吗", items=("82",))])
    lines = (line("在吗", 1, item="81"), line("这个", 2, item="82"), line("呢", 3, item=None))
    assert await said(rules, turn(*lines)) == "reply 0"


async def test_a_rule_of_some_accounts_is_not_for_the_others() -> None:
    rules = general([rule("在吗", n=0, accounts=("shop-b",)), rule("在吗", n=1)])
    assert await said(rules, turn("在吗", account="shop-b")) == "reply 0"
    assert await said(rules, turn("在吗")) == "reply 1"


async def test_a_rule_without_a_reply_is_silent_and_the_last_word() -> None:
    rules = general([rule("广告", n=0, reply=""), rule("广告", n=1)])
    answer = await rules.answer(turn("看我的广告"))
    assert isinstance(answer, Reply)
    assert answer.contents == ()
    assert answer.because == "bot.toml: rules[0] “广告”"


async def test_pictures_match_nothing_and_words_beside_them_do() -> None:
    rules = general([rule(".*", mode="regex")])
    picture = Image("https://img.example/在吗.jpg")
    assert isinstance(await rules.answer(turn(picture)), Pass)
    assert await said(rules, turn(picture, "在吗")) == "reply 0"


async def test_a_buyer_cannot_put_places_into_a_reply() -> None:
    template = "您好{send_user_name}({send_user_id})，“{send_message}” {item_id} {{x}}"
    rules = general([rule("x", reply=template)])
    asked = "x {send_user_id} {{item_id}} {0} {self.__class__} %s"
    assert await said(rules, turn(asked)) == f"您好小王(2201)，“{asked}” 81 {{x}}"


@pytest.mark.parametrize("pattern", ["(", "[a", "*", r"(?=x)", r"\1", "a{1001}"])
def test_a_pattern_that_is_none_is_refused_by_the_name_of_its_rule(pattern: str) -> None:
    rules = [rule("fine", n=0), rule("fine", pattern, n=1, mode="regex")]
    with pytest.raises(ConfigError) as caught:
        general(rules)
    said = str(caught.value)
    assert said.startswith("bot.toml: rules[1].keywords[1]: ")
    assert repr(pattern) in said
    assert "\n" not in said
