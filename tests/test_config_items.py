"""bot.d/items: what the seller says about one item, in a file of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_config_files import RULE, load_text, mistake
from xybot.config import Loaded
from xybot.model import ItemId
from xybot.reload import changed

PHONE = ItemId("900012345678")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bot.d" / "items").mkdir(parents=True)
    return tmp_path


def write(folder: Path, text: str, name: str = PHONE) -> Path:
    path = folder / "bot.d" / "items" / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def loaded_with(folder: Path, text: str) -> Loaded:
    write(folder, text)
    return load_text(folder, RULE)


def test_the_file_of_an_item_holds_its_settings(folder: Path) -> None:
    loaded = loaded_with(folder, 'reply = "{send_user_name}，全新"\nfacts = "国行"')
    (id_, item) = next(iter(loaded.config.items.items()))
    assert (id_, item.reply, item.facts) == (PHONE, "{send_user_name}，全新", "国行")
    assert item.where == f"bot.d/items/{PHONE}.toml"


def test_its_rules_are_for_this_item_and_stand_behind_the_others(folder: Path) -> None:
    rules = loaded_with(folder, RULE + RULE).config.rules
    assert [rule.items for rule in rules] == [(), (PHONE,), (PHONE,)]
    assert rules[2].where.startswith(f"bot.d/items/{PHONE}.toml: rules[1]（第 2 条）")


def test_its_files_are_watched_and_a_change_is_one_of_items(folder: Path) -> None:
    before = loaded_with(folder, 'reply = "1"')
    assert before.files[-2:] == (folder / "bot.d" / "items", write(folder, 'reply = "2"'))
    after = load_text(folder, RULE)
    assert changed(before.config, after.config) == ("items",)


def test_editors_leavings_are_left_alone(folder: Path) -> None:
    for name in (".#1.toml", "1.toml~", "readme.txt"):
        (folder / "bot.d" / "items" / name).write_text("= not TOML")
    assert load_text(folder, "").config.items == {}


@pytest.mark.parametrize("name", ["phone", "9000-1", "900０", "9" * 40, "9000 1"])
def test_a_name_that_is_no_id_is_refused(folder: Path, name: str) -> None:
    write(folder, "", name)
    line = mistake(folder, "")
    assert line.startswith(f"bot.d/items/{name}.toml: 文件名应为商品编号")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("replyy = 's3cr3t'", "replyy: 未知的设置，是不是 reply？"),
        ("reply = 1", "reply: 应为字符串"),
        ("reply = '{nobody}'", "reply: 未知的变量 {nobody}"),
        ("where = 'x'", "where: 未知的设置"),
        ("facts = = 1", "第 1 行第 9 列写错了"),
        ("rules = 1", "rules: 应为 [[rules]]，每条一段"),
        ("[[rules]]\nkeywords = []\nreply = 'y'", "rules[0].keywords: 第 1 条：至少要有"),
        (f"{RULE}{RULE}items = ['1']", "rules: 第 2 条：这里的只用于这个商品"),
        ("[haggle]\nflor = 3", "haggle.flor: 未知的设置，是不是 floor？"),
    ],
)
def test_mistakes_are_told_with_file_and_key(folder: Path, text: str, words: str) -> None:
    write(folder, text)
    line = mistake(folder, RULE)
    assert line.startswith(f"bot.d/items/{PHONE}.toml: {words}")


def test_an_item_that_is_written_twice_is_refused(folder: Path) -> None:
    write(folder, 'reply = "1"')
    line = mistake(folder, f'[items.{PHONE}]\nreply = "2"')
    assert line.startswith(f"bot.d/items/{PHONE}.toml: bot.toml: items.{PHONE} 已经写过这个商品")


def test_an_item_may_stand_in_bot_toml(folder: Path) -> None:
    item = load_text(folder, f'[items.{PHONE}]\nreply = "2"').config.items[PHONE]
    assert (item.reply, item.where) == ("2", f"bot.toml: items.{PHONE}")


def test_items_in_bot_toml_that_are_no_table_are_a_clear_error(folder: Path) -> None:
    assert mistake(folder, "items = 1").startswith("bot.toml: items: 应为表")
    write(folder, 'reply = "1"')
    line = mistake(folder, "items = 1")
    assert line.startswith(f"bot.d/items/{PHONE}.toml: 与前面文件的写法不一致")


def test_an_items_that_is_no_folder_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "bot.d").mkdir()
    (tmp_path / "bot.d" / "items").write_text("")
    assert mistake(tmp_path, "").startswith("bot.d/items: 读不了文件夹")
