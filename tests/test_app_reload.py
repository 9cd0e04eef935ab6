"""bot.toml while the bot runs: what changed takes effect, and nothing else is touched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from tests.app.program import until
from tests.app.world import World, open_world
from xybot.config import Loaded, load
from xybot.errors import ConfigError
from xybot.reload import follow

SOON = 3
"""Seconds; two are promised, one is for the machine that tests."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as world:
        yield world


async def test_a_rule_is_changed_without_a_reconnect_and_a_mistake_changes_nothing(
    world: World,
) -> None:
    sim = world.open_account("shop-a")
    wrongs = {
        "[timing\n": "bot.toml",
        '[[rules]]\nkeywords = ["(x"]\nmode = "regex"\nreply = ""\n': "bot.toml: rules[0]",
    }
    async with world.bot() as bot:
        for wrong, named in wrongs.items():
            world.bot_toml.write_text(wrong, encoding="utf-8")
            assert named in await bot.said("继续使用原来的设置", within=SOON)
        world.platform.buyer_says(sim, "小王", "在吗")
        await bot.said("回复 out  在的")
        world.rules[0]["reply"] = "一直在"
        world.write()
        await bot.said("bot.toml 已重新加载", "rules", within=SOON)
        world.platform.buyer_says(sim, "小王", "在吗在吗")
        await bot.said("回复 out  一直在")
    assert len([each for each in bot.lines if "原来的设置" in each]) == len(wrongs)
    assert world.heard(sim) == ["在的", "一直在"]
    assert len(sim.connects) == 1


async def test_an_account_comes_and_goes_alone(world: World) -> None:
    first = world.open_account("shop-a")
    async with world.bot() as bot:
        second = world.open_account("shop-b")
        await bot.said("shop-b", "已连接 connected", within=SOON)
        world.accounts["shop-b"]["enabled"] = False
        world.write()
        await bot.said("shop-b", "已停止 closed", within=SOON)
        await until(lambda: not world.platform.on_line(second))
        world.accounts["shop-b"]["enabled"] = True
        world.write()
        await bot.said("shop-b", "已连接 connected", within=SOON)
        del world.accounts["shop-b"]
        world.write()
        await bot.said("shop-b", "已停止 closed", within=SOON)
        assert world.platform.on_line(first)
        assert len(first.connects) == 1
        assert len(second.connects) == 2


async def test_a_new_cookie_reconnects_its_account_only(world: World) -> None:
    first, second = world.open_account("shop-a"), world.open_account("shop-b")
    async with world.bot() as bot:
        world.platform.faults(first).expire_cookie()
        world.paste_cookie("shop-a")
        await bot.said("bot.toml 已重新加载", "cookie", within=SOON)
        await bot.said("shop-a", "已连接 connected")
        world.platform.buyer_says(first, "小王", "在吗")
        await bot.said("shop-a", "回复 out  在的")
    assert (len(first.connects), len(second.connects)) == (2, 1)


async def test_what_cannot_change_now_waits_for_a_restart(world: World) -> None:
    sim = world.open_account("shop-a")
    async with world.bot() as bot:
        world.more["data"] = "elsewhere"
        world.write()
        assert "data" in await bot.said("此项重启后生效", within=SOON)
        world.more["simulator"] = {"enabled": True}
        world.accounts["shop-b"] = {"id": "shop-b"}  # Good enough for the simulator only.
        world.write()
        assert "simulator" in await bot.said("此项重启后生效", within=SOON)
        world.platform.buyer_says(sim, "小王", "在吗")
        await bot.said("回复 out  在的")
        del world.more["simulator"], world.accounts["shop-b"]
        world.rules[0]["reply"] = "一直在"
        world.write()
        await bot.said("bot.toml 已重新加载", "rules", within=SOON)
        assert world.platform.on_line(sim)
    assert not (world.folder / "elsewhere").exists()
    assert len(sim.connects) == 1


async def taken(path: Path, first: Loaded, seconds: float) -> list[Loaded | ConfigError]:
    """Follow the files for so long, and return what was handed over."""
    found: list[Loaded | ConfigError] = []

    async def take(loaded: Loaded | ConfigError) -> None:
        found.append(loaded)

    with trio.move_on_after(seconds):
        await follow(path, first, take)
    return found


async def test_a_change_between_loading_and_following_is_not_missed(tmp_path: Path) -> None:
    path = tmp_path / "bot.toml"
    path.write_text("")
    first = load(path)
    path.write_text('data = "elsewhere"')
    (loaded,) = await taken(path, first, 1.6)
    assert isinstance(loaded, Loaded)
    assert loaded.config.data == "elsewhere"


async def test_a_file_is_not_read_while_an_editor_writes_it(
    tmp_path: Path, nursery: trio.Nursery
) -> None:
    path = tmp_path / "bot.toml"
    path.write_text("")

    async def write_slowly() -> None:
        await trio.sleep(0.97)
        path.write_text("[timing]\ndebou")
        await trio.sleep(0.08)
        path.write_text("[timing]\ndebounce = 1")

    nursery.start_soon(write_slowly)
    (loaded,) = await taken(path, load(path), 1.6)
    assert isinstance(loaded, Loaded)
    assert loaded.config.timing.debounce == 1
