"""Promises of the files behind a configuration: bot.toml, bot.d/*.toml, and noise."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from xybot.config import Config, Loaded, Timing, load
from xybot.errors import ConfigError

COOKIE = "unb=2200; _m_h5_tk=s3cr3t_1700000000000; cna=x"
ACCOUNT = f'[[accounts]]\nid = "a"\ncookie = "{COOKIE}"\n'
RULE = '[[rules]]\nkeywords = ["x"]\nreply = "y"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bot.d").mkdir()
    return tmp_path


def load_text(folder: Path, text: str, **extras: str) -> Loaded:
    (folder / "bot.toml").write_text(text, encoding="utf-8")
    for name, extra in extras.items():
        (folder / "bot.d" / f"{name}.toml").write_text(extra, encoding="utf-8")
    return load(folder / "bot.toml")


def complaint(path: Path) -> str:
    """Return what is wrong with a file, "" when nothing is."""
    try:
        load(path)
    except ConfigError as exc:
        return str(exc)
    return ""


def mistake(folder: Path, text: str, **extras: str) -> str:
    """Load what cannot be loaded and return the one line about it."""
    with pytest.raises(ConfigError) as caught:
        load_text(folder, text, **extras)
    assert "s3cr3t" not in str(caught.value)
    return str(caught.value)


def test_a_missing_bot_toml_points_to_init(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"bot\.toml: 找不到文件 .*xybot init"):
        load(tmp_path / "bot.toml")


def test_what_is_not_toml_is_told_with_line_and_column(folder: Path) -> None:
    line = mistake(folder, "[web]\ntoken = s3cr3t", more="[timing]\n\n= 2")
    first, second = re.split("; (?=bot)", line)
    assert first.startswith("bot.toml: 第 2 行第 9 列写错了")
    assert "line 2, column 9" in first
    assert second.startswith("bot.d/more.toml: 第 3 行第 1 列")


@pytest.mark.parametrize("text", [f"a = 1{'0' * 5000}", "a = " + "[" * 20000])
def test_what_breaks_the_toml_reader_is_a_clear_error(folder: Path, text: str) -> None:
    assert mistake(folder, text).startswith("bot.toml: 不符合 TOML 格式")


def test_a_folder_a_foreign_encoding_and_no_permission_are_clear_errors(folder: Path) -> None:
    with pytest.raises(ConfigError, match="文件夹"):
        load(folder / "bot.d")
    path = folder / "bot.toml"
    path.write_bytes('data = "店"'.encode("gbk"))
    with pytest.raises(ConfigError, match="不是 UTF-8"):
        load(path)
    path.chmod(0)
    if not os.access(path, os.R_OK):
        with pytest.raises(ConfigError, match="没有权限"):
            load(path)


def test_a_bot_d_that_is_no_folder_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "bot.d").write_text("")
    with pytest.raises(ConfigError, match=r"bot\.d: 读不了文件夹"):
        load_text(tmp_path, "")


def test_bot_d_is_merged_by_name_over_bot_toml(folder: Path) -> None:
    text = f'data = "1"\n[timing]\ndebounce = 1\nmanual_pause = 1\n{RULE}[web]\ntoken = "s"'
    one = f'data = "2"\n[timing]\nmanual_pause = 2\n{RULE}'
    two = '[timing]\nmanual_pause = 3\n[web]\ntoken = { env = "T" }\n[replies]\norder = ["ai"]'
    loaded = load_text(folder, text, b=two, a=one)
    config = loaded.config
    assert config.data == "2"
    assert config.timing == Timing(debounce=1, manual_pause=3)
    assert [rule.where[:9] for rule in config.rules] == ["bot.toml:", "bot.d/a.t"]
    assert "env" not in repr(config.web.token)
    assert config.replies.order == ("ai",)
    names = ["bot.toml", "bot.d", "a.toml", "b.toml", "items"]
    assert [file.name for file in loaded.files] == names


def test_editors_leavings_in_bot_d_are_left_alone(folder: Path) -> None:
    for name in (".#a.toml", "a.toml~", "a.txt"):
        (folder / "bot.d" / name).write_text("= not TOML")
    assert load_text(folder, "").config == Config()


def test_the_watched_folder_is_named_even_before_it_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "bot.d"
    assert load_text(tmp_path, "").files == (tmp_path / "bot.toml", folder, folder / "items")


def test_mistakes_of_a_bot_d_file_name_that_file(folder: Path) -> None:
    line = mistake(folder, RULE + "[timing]\ndebounce = 1", a=RULE + 'mode = "x"', b="timing.x = 1")
    first, second = sorted(re.split("; (?=bot)", line))
    assert first.startswith("bot.d/a.toml: rules[0].mode: 第 1 条：")
    assert second.startswith("bot.d/b.toml: timing.x: 未知")


def test_files_that_disagree_on_the_kind_of_a_thing_are_refused(folder: Path) -> None:
    line = mistake(folder, ACCOUNT, a='[accounts]\nid = "b"')
    assert line.startswith("bot.d/a.toml: accounts: 与前面文件的写法不一致")
    assert "(bot.toml)" in line


# Anything at all

WORDS = st.text(alphabet='a{}\n" \u2028/=', max_size=4) | st.sampled_from([COOKIE, "regex"])
VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)
KEYS = WORDS | st.sampled_from(
    (
        *("data", "store", "simulator", "timing", "web", "replies", "default", "notify"),
        *("id", "cookie", "enabled", "keywords", "mode", "reply", "items", "order", "token"),
        *("url", "env", "file", "debounce", "listen"),
    )
)
TABLES = st.dictionaries(KEYS, VALUES | st.dictionaries(KEYS, VALUES, max_size=3), max_size=3)
ENTRIES = st.lists(st.dictionaries(KEYS, VALUES, max_size=4), max_size=2)


@given(TABLES, ENTRIES, ENTRIES)
def test_any_toml_is_a_config_or_one_line_without_secrets(
    tmp_path_factory: pytest.TempPathFactory,
    table: dict[str, object],
    accounts: list[object],
    rules: list[object],
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    text = tomli_w.dumps(table | {"accounts": accounts, "rules": rules})
    path.write_text(text, encoding="utf-8")
    line = complaint(path)
    assert len(line.splitlines()) <= 1
    assert "s3cr3t" not in line


@given(st.text() | st.binary())
def test_any_noise_is_a_config_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, noise: str | bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.toml"
    path.write_bytes(noise if isinstance(noise, bytes) else noise.encode())
    assert len(complaint(path).splitlines()) <= 1
