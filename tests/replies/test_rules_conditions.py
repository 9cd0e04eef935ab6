"""For whom and when a rule is: priority, titles of items, hours."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from tests.replies.rulebook import World, at, bound, general
from tests.replies.samples import rule, said, turn
from xybot.errors import ConfigError
from xybot.model import Reply
from xybot.replies.rules import general_rules


@pytest.fixture
def world() -> World:
    world = World()
    world.sells("81", "索尼降噪耳机 WH-1000XM5")
    world.sells("82", "二手手机 iPhone 15")
    return world


async def test_a_higher_priority_is_asked_first_and_equals_keep_their_order() -> None:
    rules = general([rule("在", n=0), rule("在", n=1, priority=5), rule("在", n=2, priority=5)])
    assert await said(rules, turn("在吗")) == "reply 1"
    below = general([rule("在", n=0, priority=-1), rule("在", n=1)])
    assert await said(below, turn("在吗")) == "reply 1"


@pytest.mark.parametrize("title", ["耳机", " 耳机 ", "wh-1000xm5", r"/WH-\d+/", "/^索尼.*xm5$/"])
async def test_a_rule_may_be_for_items_with_such_a_title(world: World, title: str) -> None:
    rules = world.bound(rule("在吗", titles=(title,)))
    assert rules.name == "item_rules"
    assert await said(rules, turn("在吗", item="81")) == "reply 0"
    assert await said(rules, turn("在吗", item="82")) is None


async def test_titles_and_ids_of_items_add_to_each_other(world: World) -> None:
    rules = world.bound(rule("在吗", items=("82", "83"), titles=("耳机", "电脑")))
    assert await said(rules, turn("在吗", item="81")) == "reply 0"
    assert await said(rules, turn("在吗", item="82")) == "reply 0"
    assert await said(rules, turn("在吗", item="84")) is None
    assert world.asked == ["81", "84"]


async def test_an_item_that_nobody_knows_has_no_title(world: World) -> None:
    rules = world.bound(rule("在吗", titles=("/.*/",)))
    assert await said(rules, turn("在吗", item="99")) is None
    assert await said(rules, turn("在吗", item=None)) is None


async def test_a_title_is_asked_for_once_and_only_when_it_decides(world: World) -> None:
    rules = world.bound(
        rule("邮", n=0, items=("82",)),
        rule("邮", n=1, titles=("电脑",)),
        rule("邮", n=2, titles=("耳机",), accounts=("shop-b",)),
        rule("邮", n=3, titles=("耳机",), reply="{item_title}"),
    )
    assert await said(rules, turn("在吗", item="81")) is None
    assert await said(rules, turn("包邮吗", item="82")) == "reply 0"
    assert world.asked == []
    assert await said(rules, turn("包邮吗", item="81")) == "索尼降噪耳机 WH-1000XM5"
    assert world.asked == ["81"]


@pytest.mark.parametrize(
    ("hours", "clock", "answers"),
    [
        ("09:00-18:00", "08:59", False),
        ("09:00-18:00", "09:00", True),
        ("09:00-18:00", "17:59", True),
        ("09:00-18:00", "18:00", False),
        ("22:00-08:00", "22:00", True),
        ("22:00-08:00", "00:00", True),
        ("22:00-08:00", "07:59", True),
        ("22:00-08:00", "08:00", False),
        ("22:00-08:00", "21:59", False),
        ("9:30 ～ 24：00", "23:59", True),
        ("9:30 ～ 24：00", "00:00", False),
        (("12:00-13:00", "22:00-08:00"), "12:30", True),
        (("12:00-13:00", "22:00-08:00"), "03:00", True),
        (("12:00-13:00", "22:00-08:00"), "15:00", False),
        ((), "15:00", True),
    ],
)
async def test_a_rule_keeps_its_hours_by_the_sellers_clock(
    world: World, hours: str | tuple[str, ...], clock: str, answers: bool
) -> None:
    world.now = at(clock)
    rules = world.general(rule("在吗", n=0, hours=hours), rule("在吗", n=1))
    assert await said(rules, turn("在吗")) == ("reply 0" if answers else "reply 1")


@pytest.fixture
def in_new_york() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "America/New_York"
    time.tzset()
    yield
    del os.environ["TZ"]
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.skipif(os.name != "posix", reason="only POSIX can move a process")
@pytest.mark.usefixtures("in_new_york")
async def test_the_clock_is_that_of_the_machine_unless_told_otherwise(world: World) -> None:
    world.now = at("23:00")  # 10:00 in New York.
    night = rule("在吗", hours="22:00-08:00", reply="{time}")
    here, china = general_rules([night], world.means), world.general(night)
    assert await said(here, turn("在吗")) is None
    assert await said(china, turn("在吗")) == "23:00"


@pytest.mark.parametrize(
    ("key", "values", "wrong"),
    [
        ("hours", ("09:00-10:00", "22:00"), "hours[1]: "),
        ("hours", ("24:00-08:00",), "hours[0]: "),
        ("hours", ("08:00-24:01",), "hours[0]: "),
        ("hours", ("08:60-09:00",), "hours[0]: "),
        ("hours", ("08:00-08:00",), "hours[0]: "),
        ("hours", ("",), "hours[0]: "),
        ("titles", ("耳机", "/(/"), "titles[1]: "),
        ("titles", ("//",), "titles[0]: "),
    ],
)
def test_hours_and_titles_that_are_none_are_refused_by_their_key(
    key: str, values: tuple[str, ...], wrong: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        bound([rule("x", items=("1",), where="bot.toml: rules[3]（第 4 条）", **{key: values})])
    assert str(caught.value).startswith(f"bot.toml: rules[3].{wrong[:-2]}（第 4 条）: ")


def test_all_that_is_wrong_with_the_rules_is_told_at_once() -> None:
    rules = [
        rule("fine", "(a", n=0, mode="expression"),
        rule("(", "[", n=1, mode="regex", hours="?"),
    ]
    with pytest.raises(ConfigError) as caught:
        general(rules)
    keys = (
        "rules[0].keywords[1]",
        "rules[1].keywords[0]",
        "rules[1].keywords[1]",
        "rules[1].hours[0]",
    )
    assert all(key in str(caught.value) for key in keys)
    assert "\n" not in str(caught.value)


async def test_the_reason_names_the_rule_and_the_keyword_as_written(world: World) -> None:
    rules = world.general(rule("x", "（在吗｜有货）＆！二手", mode="expression"))
    answer = await rules.answer(turn("在吗"))
    assert isinstance(answer, Reply)
    assert answer.because == "bot.toml: rules[0] “（在吗｜有货）＆！二手”"
