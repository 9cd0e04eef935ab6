"""Promises of `[[follow_ups]]` in bot.toml: what may be said, and how a mistake is told."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from tests.test_config_goods import SHIPPED, load_text, mistake
from xybot.config import Config, FollowUp
from xybot.config.shown import shown
from xybot.reload import changed

THANKS = '[[follow_ups]]\nname = "感谢"\nwhen = "completed"\ntext = "谢谢"\n'
TABLE = "follow_ups[0]（第 1 条）"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bot.d" / "items").mkdir(parents=True)
    return tmp_path


def test_by_default_nothing_is_said() -> None:
    assert Config().follow_ups == ()


def test_what_is_not_written_is_taken_from_the_defaults(folder: Path) -> None:
    (found,) = load_text(folder, THANKS).config.follow_ups
    assert found == FollowUp(name="感谢", when="completed", text="谢谢", where=f"bot.toml: {TABLE}")
    assert (found.delay, found.accounts, found.items, found.title) == (0, (), (), "")


def test_every_key_is_read(folder: Path) -> None:
    more = 'delay = 60\naccounts = ["a"]\nitems = [81]\ntitle = "/月卡|季卡/"\n'
    words = "{order_id} {send_user_name} {item_title} {spec} {quantity}好"
    (found,) = load_text(folder, THANKS.replace("谢谢", words) + more).config.follow_ups
    assert (found.delay, found.accounts, found.items) == (60, ("a",), ("81",))
    assert (found.title, found.text) == ("/月卡|季卡/", words)


def test_one_in_the_file_of_an_item_is_for_that_item(folder: Path) -> None:
    item = folder / "bot.d" / "items" / "83.toml"
    item.write_text(THANKS, encoding="utf-8")
    (found,) = load_text(folder, "").config.follow_ups
    assert (found.items, found.where) == (("83",), f"bot.d/items/83.toml: {TABLE}")


def test_a_change_takes_effect_without_a_restart_and_is_shown(folder: Path) -> None:
    before, after = load_text(folder, ""), load_text(folder, "", more=THANKS)
    assert changed(before.config, after.config) == ("follow_ups",)
    (row,) = [row for row in shown(after)[""] if row.key == "follow_ups"]
    assert (row.value, row.origin) == ("1", "bot.d/more.toml")


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ('"感谢"', '" "', "name", "must not be empty"),
        ('"completed"', '"paid"', "when", "placed"),
        ('"谢谢"', '" "', "text", "needs words beside the variables"),
        ('"谢谢"', '"{send_user_name} {spec}"', "text", "needs words beside the variables"),
        ('"谢谢"', '"您的卡密 {codes}"', "text", "unknown variable {codes}"),
        ("name", 'accounts = ["c"]\nname', "accounts", "no account has this id"),
        ("name", "delay = -1\nname", "delay", "must not be negative"),
        ("name", "delay = 1e18\nname", "delay", "at most 2592000 seconds"),
        ("name", 'title = "/(/"\nname', "title", "not a regular expression"),
    ],
)
def test_a_mistake_is_told_with_its_file_and_key(
    folder: Path, old: str, new: str, key: str, words: str
) -> None:
    line = mistake(folder, THANKS.replace(old, new, 1))
    assert line.startswith(f"bot.toml: follow_ups[0].{key}: 第 1 条：")
    assert words in line


@pytest.mark.parametrize("key", ["name", "when", "text"])
def test_what_has_no_default_must_be_there(folder: Path, key: str) -> None:
    text = "".join(line for line in THANKS.splitlines(True) if not line.startswith(key))
    assert mistake(folder, text).startswith(f"bot.toml: follow_ups[0].{key}: 第 1 条：缺少这一项")


def test_two_of_one_name_are_an_error_that_names_both_places(folder: Path) -> None:
    line = mistake(folder, THANKS, more=THANKS.replace("感谢", "感谢 "))
    assert line.startswith("bot.d/more.toml: follow_ups[0].name: ")
    assert "bot.toml: follow_ups[0]（第 1 条）" in line


def test_items_stay_out_of_one_in_the_file_of_an_item(folder: Path) -> None:
    item = folder / "bot.d" / "items" / "83.toml"
    item.write_text(THANKS + "items = [81]\n", encoding="utf-8")
    assert "leave items out" in mistake(folder, "")


def test_the_bot_toml_that_ships_names_every_setting() -> None:
    text = SHIPPED.read_text(encoding="utf-8").partition("订单跟进 follow_ups")[2]
    text = text.partition("# ── AI")[0]
    names = {each.name for each in attrs.fields(FollowUp)} - {"where"}
    assert [name for name in sorted(names) if f"#   {name} " not in text] == []
    for when in ("placed", "delivered", "confirmed", "completed"):
        assert f'"{when}"' in text
