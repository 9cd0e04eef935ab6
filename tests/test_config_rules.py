"""Promises of `[[rules]]` in bot.toml: what they may say, and how a mistake is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from xybot.config import Loaded, Rule, load
from xybot.errors import ConfigError

RULE = '[[rules]]\nkeywords = ["x"]\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bot.d").mkdir()
    (tmp_path / "pic").mkdir()
    (tmp_path / "pic" / "menu.jpg").write_bytes(b"\xff\xd8")
    return tmp_path


def load_text(folder: Path, text: str, more: str = "") -> Loaded:
    (folder / "bot.toml").write_text(text, encoding="utf-8")
    (folder / "bot.d" / "more.toml").write_text(more, encoding="utf-8")
    return load(folder / "bot.toml")


def only_rule(folder: Path, text: str) -> Rule:
    (found,) = load_text(folder, RULE + text).config.rules
    return found


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('reply = "在的"', ("在的",)),
        ('reply = ["在的", "直接拍"]', ("在的", "直接拍")),
        ('reply = ""', ("",)),
        ('reply = ""\nhand_over = true', ("",)),
        ("hand_over = true", ()),
        ('image = "pic/menu.jpg"', ()),
    ],
)
def test_a_reply_is_one_text_or_several_or_something_else_is_said(
    folder: Path, written: str, read: tuple[str, ...]
) -> None:
    assert only_rule(folder, written).reply == read


def test_hours_are_one_span_or_several(folder: Path) -> None:
    one, two = 'hours = "22:00-08:00"\n', 'hours = ["22:00-08:00", "12:00-13:00"]\n'
    assert only_rule(folder, one + 'reply = ""').hours == ("22:00-08:00",)
    assert only_rule(folder, two + 'reply = ""').hours == ("22:00-08:00", "12:00-13:00")


def test_a_picture_starts_at_the_folder_of_bot_toml_and_is_watched(folder: Path) -> None:
    more = RULE + 'image = "pic/menu.jpg"'
    loaded = load_text(folder, "", more)
    assert loaded.config.rules[0].image == str(folder / "pic" / "menu.jpg")
    assert folder / "pic" / "menu.jpg" in loaded.files


def test_a_picture_of_the_platform_stays_an_address(folder: Path) -> None:
    address = "https://img.alicdn.com/imgextra/i1/menu.jpg?x=1"
    loaded = load_text(folder, f'{RULE}image = "{address}"')
    assert loaded.config.rules[0].image == address
    assert not any("menu" in file.name for file in loaded.files)


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ("", "rules[0].reply: 第 1 条：缺少这一项"),
        ("reply = []", "rules[0].reply: 第 1 条：缺少这一项"),
        ('reply = ["在的", " "]', "rules[0].reply: 第 1 条：不能有空的"),
        ('reply = ["在的", 5]', "rules[0].reply[1]: 第 1 条：应为字符串"),
        ("reply = 5", "rules[0].reply: 第 1 条：应为字符串或数组，现在是整数"),
        ('reply = ["在的", "{price}"]', "rules[0].reply: 第 1 条：未知的变量 {price}"),
        ('reply = ""\nhours = 8', "rules[0].hours: 第 1 条：应为字符串或数组"),
        ('reply = ""\ntitles = [" "]', "rules[0].titles: 第 1 条：不能有空的"),
        ('reply = ""\ntitles = "耳机"', "rules[0].titles: 第 1 条：应为数组"),
        ('reply = ""\npriority = "1"', "rules[0].priority: 第 1 条：应为整数"),
        ('reply = ""\nhand_over = 1', "rules[0].hand_over: 第 1 条：应为 true 或 false"),
        ('image = "http://img.alicdn.com/1.jpg"', "rules[0].image: 第 1 条：网址要以 https://"),
        ('image = "https://example.com/1.jpg"', "rules[0].image: 第 1 条：网址要以 https://"),
        ('image = "https://alicdn.com.example.com/1.jpg"', "rules[0].image: 第 1 条：网址"),
        ('image = "https://x@img.alicdn.com@b.example/1"', "rules[0].image: 第 1 条：网址"),
        ('image = "ftp://img.alicdn.com/1.jpg"', "rules[0].image: 第 1 条：网址"),
        ('image = "pic/gone.jpg"', "rules[0].image（第 1 条）: 找不到图片 "),
        ('image = "pic"', "rules[0].image（第 1 条）: 找不到图片 "),
        ('image = "a\\u0000b\\nc"', "rules[0].image（第 1 条）: 找不到图片 "),
        (f'image = "{"x" * 5000}"', "rules[0].image（第 1 条）: 找不到图片 "),
    ],
)
def test_a_mistake_in_a_rule_is_told_with_its_key(folder: Path, written: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(folder, RULE + written)
    assert str(caught.value).startswith(f"bot.toml: {line}")
    assert "\n" not in str(caught.value)


def test_a_missing_picture_names_the_file_that_wants_it(folder: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(folder, RULE + "reply = ''", RULE + 'image = "gone.png"')
    assert str(caught.value).startswith("bot.d/more.toml: rules[0].image（第 1 条）: 找不到图片 ")
