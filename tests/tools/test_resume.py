"""`xybot resume`: one word of the seller, and a parked account goes on."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
import trio

from tests.app.program import XYBOT, ended, running, until
from tests.app.world import World, open_world
from xybot.cli import amain
from xybot.errors import Cause
from xybot.model import AccountId
from xybot.store import accounts
from xybot.store.accounts import Setting
from xybot.store.database import open_store

BOT_TOML = """
[[accounts]]
id = "shop-a"
cookie = "unb=1; cookie2=x; _m_h5_tk=a_1; _m_h5_tk_enc=b"

[[accounts]]
id = "shop-b"
cookie = "unb=2; cookie2=y; _m_h5_tk=a_1; _m_h5_tk_enc=b"
"""


@pytest.fixture
def bot_toml(tmp_path: Path) -> Path:
    path = tmp_path / "bot.toml"
    path.write_text(BOT_TOML)
    path.chmod(0o600)
    return path


async def park(bot_toml: Path, *ids: str) -> None:
    """Leave a database of two accounts behind, some of them parked."""
    (bot_toml.parent / "data").mkdir()
    settings = {AccountId(id_): Setting(version="1", pasted="1") for id_ in ("shop-a", "shop-b")}
    async with open_store(bot_toml.parent / "data" / "xybot.db") as store:
        await store.transact(accounts.configure, settings)
        for id_ in ids:
            await store.transact(accounts.park, AccountId(id_), "why", Cause.SESSION_TAKEN)


async def parked(bot_toml: Path) -> set[str]:
    async with open_store(bot_toml.parent / "data" / "xybot.db") as store:
        return {each.id for each in (await store.transact(accounts.roster)).parked}


async def resume(bot_toml: Path, *words: str) -> int:
    return await amain(["resume", *words, "--config", str(bot_toml)])


async def test_the_accounts_that_are_named_are_resumed_and_no_others(
    bot_toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await park(bot_toml, "shop-a", "shop-b")
    assert await resume(bot_toml, "shop-a") == 0
    assert await parked(bot_toml) == {"shop-b"}
    out, err = capsys.readouterr()
    assert (out.count("\n"), err) == (1, "")
    assert out.startswith("已恢复")
    assert out.endswith(": shop-a\n")


async def test_all_that_are_parked_are_resumed_at_once(
    bot_toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await park(bot_toml, "shop-b")
    assert await resume(bot_toml, "--all") == 0
    assert await parked(bot_toml) == set()
    assert capsys.readouterr().out.endswith(": shop-b\n")
    assert await resume(bot_toml, "--all") == 0
    assert capsys.readouterr().out.startswith("没有停下的账号")


async def test_an_account_that_is_not_parked_is_said_and_fails_the_check(
    bot_toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await park(bot_toml, "shop-a")
    assert await resume(bot_toml, "shop-a", "shop-b") == 1
    assert await parked(bot_toml) == set()
    out, err = capsys.readouterr()
    assert out.endswith(": shop-a\n")
    assert "没有停下" in err
    assert err.endswith(": shop-b\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["shop-c"], "shop-c: 没有这个账号"),
        (["shop-a", "shop-c"], "shop-c: 没有这个账号"),
        ([], "请写明账号名"),
    ],
)
async def test_wrong_words_change_nothing(
    bot_toml: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    await park(bot_toml, "shop-a")
    assert await resume(bot_toml, *words) == 2
    assert said in capsys.readouterr().err
    assert await parked(bot_toml) == {"shop-a"}


async def test_before_the_first_run_there_is_nothing_to_resume_and_nothing_is_made(
    bot_toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await resume(bot_toml, "shop-a") == 2
    assert "机器人还没有运行过" in capsys.readouterr().err
    assert [path.name for path in bot_toml.parent.iterdir()] == ["bot.toml"]


async def test_a_running_bot_takes_a_resumed_account_on_line_and_a_restart_does_not(
    tmp_path: Path,
) -> None:
    async with open_world(tmp_path) as world:
        sim = world.open_account("shop-a")
        async with world.bot() as bot:
            world.platform.faults(sim).remove_session()
            await bot.said("需要处理", "xybot resume shop-a")
            await bot.stop()
        command = (*XYBOT, "--config", str(world.bot_toml), "--log-format", "json")
        async with running(*command, cwd=tmp_path) as bot:
            await bot.said('"new": "failed"', '"cause": "session_taken"', "xybot resume shop-a")
            assert not world.platform.on_line(sim)
            found = await trio.to_thread.run_sync(functools.partial(resumed, world))
            assert (found.returncode, found.stderr) == (0, "")
            await until(functools.partial(world.platform.on_line, sim))
            world.platform.buyer_says(sim, "小王", "在吗")
            await until(lambda: world.heard(sim) == ["在的"])
        assert sim.calls["mtop.taobao.idlemessage.pc.login.token"] == 1


def resumed(world: World):
    return ended(*XYBOT, "resume", "shop-a", cwd=world.folder)
