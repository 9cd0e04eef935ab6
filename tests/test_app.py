"""The bot as a seller starts it: every way in, every way out, and what it prints between."""

from __future__ import annotations

import json
import signal
import tomllib
from pathlib import Path

import pytest
import trio

from tests.app.program import WAYS, XYBOT, ended, running, shipped, until
from tests.app.world import open_world

TERM, INT = signal.SIGTERM, signal.SIGINT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the bot.toml that ships."""
    shipped(tmp_path / "bot.toml")
    return tmp_path


async def test_the_bot_toml_that_ships_answers_a_buyer_within_seconds(folder: Path) -> None:
    async with running(*WAYS["trio run xybot"], cwd=folder) as bot:
        await bot.said("simulator, not the real Xianyu")
        await bot.said("shop-a", "已连接 connected")
        await bot.said("shop-a", "收到 in")
        assert " ← " in await bot.said("shop-a", "回复 out")
        assert await bot.stop() < 2
        assert (bot.process.returncode, bot.stderr) == (0, "")
        assert "已停止 closed" in bot.lines[-1]


async def test_it_ends_in_order_however_it_was_started_and_stopped(tmp_path: Path) -> None:
    started, one_at_a_time = list[str](), trio.Lock()

    async def starts_and_stops(way: str, by: signal.Signals) -> None:
        folder = tmp_path / way
        folder.mkdir()
        shipped(folder / "mine.toml")
        async with running(*WAYS[way], "--config", "mine.toml", cwd=folder) as bot:
            await bot.said("已连接 connected")
            started.append(way)  # A start takes all that the machine has: none while one stops.
            await until(lambda: len(started) == len(WAYS), within=30)
            async with one_at_a_time:
                bot.process.send_signal(by)
                assert await bot.stop(by) < 2  # Twice, as the impatient do.
            assert (bot.process.returncode, bot.stderr) == (0, "")
            assert "Traceback" not in bot.output
            await bot.said("正在停止 stopping")
            await bot.said("已停止 closed")

    async with trio.open_nursery() as nursery:
        for way, by in zip(WAYS, (INT, TERM, INT, TERM), strict=True):
            nursery.start_soon(starts_and_stops, way, by)


async def test_a_start_that_is_interrupted_leaves_no_traceback(folder: Path) -> None:
    async with running(*XYBOT, cwd=folder) as bot:
        await bot.said("simulator")  # Nothing else is open yet.
        assert await bot.stop() < 2
        assert (bot.process.returncode, bot.stderr) == (0, "")
    async with running(*XYBOT, cwd=folder) as bot:
        await trio.sleep(0.3)  # In the middle of its imports, before it could listen.
        await bot.stop()
        assert bot.process.returncode in (0, -TERM)
        assert bot.output == ""


async def test_every_line_for_machines_is_an_object(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        sim = world.open_account("shop-a")
        async with world.bot("--log-format", "json") as bot:
            world.platform.buyer_says(sim, "小王\u2028", "在吗\n\x1b[2J")
            await bot.said("reply.sent")
            await bot.stop()
        told = [json.loads(line) for line in bot.lines]
    assert all({"event", "level", "timestamp"} <= each.keys() for each in told)
    updates = [each for each in told if each["event"] == "account.status.update"]
    states = [(each["old"], each["new"]) for each in updates]
    assert states == [
        ("disconnected", "connecting"),
        ("connecting", "connected"),
        ("connected", "closed"),
    ]
    assert all(each["account"] == "shop-a" and each["since"] > 1e12 for each in updates)
    assert all(isinstance(each["reason"], str) for each in updates)
    (said,) = (each for each in told if each["event"] == "message.received")
    assert said["text"] == "在吗\n\x1b[2J"
    (reply,) = (each for each in told if each["event"] == "reply.sent")
    assert (reply["text"], "rules[0]" in reply["why"]) == ("在的", True)


async def test_a_restart_asks_for_no_token_and_answers_nothing_twice(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        sim = world.open_account("shop-a")
        async with world.bot() as bot:
            world.platform.buyer_says(sim, "小王", "在吗")
            await bot.said("回复 out  在的")
            await bot.stop()
        assert world.heard(sim) == ["在的"]
        calls = dict(sim.calls)
        world.platform.buyer_says(sim, "小李", "在吗？我等着")
        async with world.bot() as bot:
            await bot.said("收到 in   小李")
            await bot.said("回复 out")
            await bot.stop()
        assert world.heard(sim) == ["在的", "在的"]
        assert any("token" in api for api in calls)
        assert dict(sim.calls) == calls


async def test_what_sim_prints_is_a_bot_toml_that_connects(tmp_path: Path) -> None:
    async with running(*XYBOT, "sim", "--buyers", "2", cwd=tmp_path) as sim:
        await sim.said("cookie = ")
        text = "\n".join(sim.lines)
        assert set(tomllib.loads(text)) == {"platform", "accounts"}
        rest = '\n[timing]\ndebounce = 0\n[default]\nreply = "稍等"\n'
        (tmp_path / "bot.toml").write_text(text + rest, encoding="utf-8")
        async with running(*XYBOT, cwd=tmp_path) as bot:
            await bot.said("sim-1", "已连接 connected")
            await bot.said("sim-1", "收到 in")
            await bot.said("sim-1", "回复 out  稍等")
            assert await bot.stop() < 2
            assert (bot.process.returncode, bot.stderr) == (0, "")


async def test_a_second_bot_on_the_same_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        world.open_account("shop-a")
        async with world.bot() as bot:
            second = await trio.to_thread.run_sync(lambda: ended(*XYBOT, cwd=tmp_path))
            assert (second.returncode, second.stdout) == (2, "")
            assert second.stderr.count("\n") == 1
            assert f"{tmp_path / 'data'}: 另一个 xybot" in second.stderr
            await bot.stop()
        assert bot.process.returncode == 0
