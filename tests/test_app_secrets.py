"""What a seller entrusts to the bot stays on their disk, and theirs alone."""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
import stat
from pathlib import Path

import trio

from tests.app.program import XYBOT, running
from tests.app.world import open_world

#: Made up, in the shapes of real ones; `unb` and the nickname are no secrets.
COOKIES = {
    "unb": "2200660012345",
    "tracknick": "tb0012345",
    "cookie2": "1f2e3d4c5b6a79880f1e2d3c4b5a6978",
    "sgcookie": "E100q1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h6",
    "_tb_token_": "e5b3f7a9c1d20",
    "t": "9f8e7d6c5b4a39281706f5e4d3c2b1a0",
    "csg": "7a6b5c4d",
    "havana_lgc2_77": "eyJoaWQiOjIyMDA2NjAwMTIzNDV9secret",
    "_m_h5_tk": "c0ffee00c0ffee00c0ffee00c0ffee00_1800000000000",
    "_m_h5_tk_enc": "decaf000decaf000decaf000decaf000",
}
PUBLIC = ("unb", "tracknick")
SECRETS = [value for name, value in COOKIES.items() if name not in PUBLIC]


def closed_port() -> int:
    with socket.socket() as freed:
        freed.bind(("127.0.0.1", 0))
        port: int = freed.getsockname()[1]
        return port


async def test_no_trouble_makes_it_print_a_cookie(tmp_path: Path) -> None:
    async def fails_to_connect(log_format: str) -> None:
        folder = tmp_path / log_format
        folder.mkdir()
        cookie = folder / "shop-a.cookie"
        cookie.write_text("; ".join(f"{name}={value}" for name, value in COOKIES.items()))
        cookie.chmod(0o600)
        nobody = f"127.0.0.1:{closed_port()}"
        bot_toml = (
            f'[platform]\nwebsocket = "ws://{nobody}/"\ngateway = "http://{nobody}"\n'
            '[[accounts]]\nid = "shop-a"\ncookie = { file = "shop-a.cookie" }\n'
        )
        (folder / "bot.toml").write_text(bot_toml)
        async with running(*XYBOT, "--log-format", log_format, cwd=folder) as bot:
            await bot.said("shop-a", "reconnecting")
            (folder / "bot.toml").write_text(bot_toml + "[[accounts]]\ncookie = 7\n")
            await bot.said("accounts[1]")
            await bot.stop()
        assert (bot.process.returncode, bot.stderr) == (0, "")
        assert not [secret for secret in SECRETS if secret in bot.output]

    async with trio.open_nursery() as nursery:
        nursery.start_soon(fails_to_connect, "text")
        nursery.start_soon(fails_to_connect, "json")


def kept(data: Path) -> list[str]:
    """The token and the cookies that the bot has stored."""
    with contextlib.closing(sqlite3.connect(data / "xybot.db")) as db:
        (text,) = db.execute("SELECT session_json FROM accounts").fetchone()
    session = json.loads(text)
    cookies = session["cookies"].items()
    return [session["token"][0], *(text for name, text in cookies if name not in PUBLIC)]


async def test_neither_cookies_nor_tokens_of_a_working_line_are_printed(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        sim = world.open_account("shop-a")
        async with world.bot("--log-format", "json") as bot:
            world.platform.buyer_says(sim, "小王", "在吗")
            await bot.said("reply.sent")
            secrets = kept(tmp_path / "data")
            world.platform.faults(sim).expire_token()
            world.platform.faults(sim).kick_out()
            await bot.said("account.status.update", "reconnecting")
            await bot.said("account.status.update", "connected")
            secrets += kept(tmp_path / "data")
            await bot.stop()
    assert len(set(secrets)) > 5
    assert not [secret for secret in secrets if secret in bot.output]


async def test_what_is_stored_is_for_its_owner_only(tmp_path: Path) -> None:
    data, cookie = tmp_path / "data", tmp_path / "shop-a.cookie"
    async with open_world(tmp_path) as world:
        world.open_account("shop-a")
        cookie.chmod(0o644)
        async with world.bot() as bot:
            await bot.said("注意", f"chmod 600 {cookie}")
            await bot.said("已连接 connected")  # A warning, and no more than that.
            modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in data.iterdir()}
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert set(modes.values()) == {0o600}
    assert {"xybot.db", "xybot.db-wal"} <= modes.keys()
