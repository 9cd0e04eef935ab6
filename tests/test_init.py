"""Promises of `xybot init` and of the bot.toml that ships."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from xybot.config import FromFile, Timing, load
from xybot.errors import ConfigError
from xybot.tools.init import write_init

SHIPPED = Path(__file__).parent.parent / "bot.toml"
COOKIE = "unb=2200; _m_h5_tk=abcdef_1700000000000; cna=x"


def uncommented(text: str) -> str:
    """Do what the comments invite the seller to do: take the `# ` off every setting."""
    return re.sub(r"(?m)^# (?=\[|[a-z_]+ = )", "", text)


def test_a_new_bot_toml_loads_once_the_cookie_is_pasted(tmp_path: Path) -> None:
    write_init(tmp_path / "bot.toml")
    (tmp_path / "shop-a.cookie").write_text(COOKIE + "\n")
    loaded = load(tmp_path / "bot.toml")
    assert loaded.cookies["shop-a"].reveal() == COOKIE
    assert not loaded.config.simulator.enabled
    assert loaded.warnings == ()


def test_before_the_cookie_is_pasted_the_error_names_the_file(tmp_path: Path) -> None:
    write_init(tmp_path / "bot.toml")
    with pytest.raises(ConfigError, match=r"bot\.toml: accounts\[0\]\.cookie: .*shop-a\.cookie"):
        load(tmp_path / "bot.toml")


@pytest.mark.skipif(os.name != "posix", reason="mode bits are POSIX")
def test_the_cookie_file_is_its_owners_alone(tmp_path: Path) -> None:
    write_init(tmp_path / "bot.toml")
    assert (tmp_path / "shop-a.cookie").stat().st_mode & 0o777 == 0o600


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    for name in ("bot.toml", "shop-a.cookie"):
        (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigError, match=r"bot\.toml: 已经存在"):
        write_init(tmp_path / "bot.toml")
    write_init(tmp_path / "second.toml")
    assert (tmp_path / "bot.toml").read_text() == "mine"
    assert (tmp_path / "shop-a.cookie").read_text() == "mine"


def test_a_folder_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="写不了"):
        write_init(tmp_path / "nowhere" / "bot.toml")


def test_the_shipped_bot_toml_runs_the_simulator_without_a_cookie() -> None:
    loaded = load(SHIPPED)
    assert loaded.config.simulator.enabled
    assert [account.id for account in loaded.config.accounts] == ["shop-a"]
    assert {rule.mode for rule in loaded.config.rules} == {"contains", "exact", "regex"}
    assert loaded.config.default is not None
    assert loaded.config.default.once
    assert loaded.cookies == {}
    assert loaded.warnings == ()


def test_the_two_steps_to_a_real_account_work(tmp_path: Path) -> None:
    text = SHIPPED.read_text(encoding="utf-8").replace("\nenabled = true", "\nenabled = false")
    text = text.replace("# cookie = { file", "cookie = { file")
    (tmp_path / "bot.toml").write_text(text, encoding="utf-8")
    (tmp_path / "shop-a.cookie").write_text(COOKIE)
    assert load(tmp_path / "bot.toml").cookies["shop-a"].reveal() == COOKIE


def test_every_commented_setting_of_the_shipped_bot_toml_can_be_switched_on(tmp_path: Path) -> None:
    (tmp_path / "shop.txt").write_text("九成新")
    (tmp_path / "prompts").mkdir()
    for intent in ("price", "technical", "default"):
        (tmp_path / "prompts" / f"{intent}.txt").write_text("您是卖家。")
    text = uncommented(SHIPPED.read_text(encoding="utf-8"))
    (tmp_path / "bot.toml").write_text(text, encoding="utf-8")
    config = load(tmp_path / "bot.toml").config
    assert config.timing == Timing()
    assert isinstance(config.accounts[0].cookie, FromFile)
    assert config.rules[-1].items == ("900012345678",)
    assert config.web.token is not None
    assert len(config.notify) == 1
    assert [each.kind for each in config.goods] == ["codes", "text", "supplier"]
    assert [each.when for each in config.follow_ups] == ["placed", "completed", "completed"]


def test_every_commented_setting_of_a_new_bot_toml_can_be_switched_on(tmp_path: Path) -> None:
    write_init(tmp_path / "bot.toml")
    text = uncommented((tmp_path / "bot.toml").read_text(encoding="utf-8"))
    (tmp_path / "bot.toml").write_text(text, encoding="utf-8")
    (tmp_path / "shop-a.cookie").write_text(COOKIE)
    config = load(tmp_path / "bot.toml").config
    assert config.timing == Timing()
    assert config.default is not None
    assert [each.kind for each in config.goods] == ["codes"]
    assert [each.name for each in config.follow_ups] == ["小红花"]
