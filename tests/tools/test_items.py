"""`xybot items`: what is known, from a database that the bot may be using; asked for at will."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import tomli_w

from xybot.cli import amain
from xybot.clock import now_ms
from xybot.model import AccountId, Item, ItemId
from xybot.simulator.platform import Platform, open_platform
from xybot.simulator.world import SimAccount, SimItem
from xybot.store import accounts, items
from xybot.store.accounts import Setting
from xybot.store.database import inline, open_store

SHOP = AccountId("shop-a")
PHONE = Item(id=ItemId("900012345678"), title="九成新手机", price=129900, stock=3, status="在线")
MINUTE = 60_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a bot, which is the current one."""
    (tmp_path / "data").mkdir()
    (tmp_path / "bot.d" / "items").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    settings = {"simulator": {"enabled": True}, "accounts": [{"id": SHOP}, {"id": "shop-b"}]}
    (tmp_path / "bot.toml").write_text(tomli_w.dumps(settings), encoding="utf-8")
    return tmp_path


async def keep(database: Path, id_: str, item: Item | None, *, age: int = 0) -> None:
    async with open_store(database, run=inline) as store:
        at = now_ms() - age
        await store.transact(accounts.configure, {SHOP: Setting(version="1", pasted="1")})
        await store.transact(items.keep, SHOP, ItemId(id_), item, now=at)


def rows(out: str, account: str = SHOP) -> list[list[str]]:
    return [line.split() for line in out.splitlines() if line.strip().startswith(account)]


async def test_what_is_known_is_a_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database = folder / "data" / "simulator.db"
    await keep(database, PHONE.id, PHONE, age=5 * MINUTE)
    await keep(database, "900087654321", None, age=50 * 60 * MINUTE)
    (folder / "bot.d" / "items" / f"{PHONE.id}.toml").write_text("")
    (folder / "bot.d" / "items" / "77.toml").write_text("")
    assert await amain(["items"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    phone, gone = rows(out)
    assert phone == [SHOP, PHONE.id, PHONE.title, "1299.00", "3", "在线", "5", "min", "✓"]
    assert gone == [SHOP, "900087654321", "平台上没有", "(gone)", "2", "d"]
    assert rows(out, "—") == [["—", "77", "还没问过", "(not", "fetched)", "✓"]]


async def test_only_one_account_is_listed_when_asked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await keep(folder / "data" / "simulator.db", PHONE.id, PHONE)
    assert await amain(["items", "--account", "shop-b"]) == 0
    assert "还没有买家问到商品" in capsys.readouterr().out
    assert await amain(["items", "--account", "nobody"]) == 2
    assert "no such account" in capsys.readouterr().err


async def test_a_bot_that_never_ran_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await amain(["items"]) == 2
    assert "simulator.db" in capsys.readouterr().err
    assert await amain(["items", "--fetch"]) == 2
    assert "the simulator is on" in capsys.readouterr().err
    cookie = "unb=2200; _m_h5_tk=a_1; cookie2=c"
    settings = {"accounts": [{"id": SHOP, "cookie": cookie}]}
    (folder / "bot.toml").write_text(tomli_w.dumps(settings), encoding="utf-8")
    assert await amain(["items", "--fetch"]) == 2
    assert "the bot has not run yet" in capsys.readouterr().err


# Asking.


@asynccontextmanager
async def real(folder: Path) -> AsyncIterator[tuple[Platform, SimAccount, SimItem]]:
    """A platform on real ports, with an account whose one item is known of, but nothing more."""
    platform = Platform(now_ms=now_ms, rng=random.Random(1))
    account = platform.add_account(SHOP, item="九成新手机")
    (item,) = platform.world.items.values()
    async with open_platform(platform) as ports:
        settings = {
            "platform": {"websocket": ports.websocket, "gateway": ports.gateway},
            "accounts": [{"id": SHOP, "cookie": account.cookie_text}],
        }
        (folder / "bot.toml").write_text(tomli_w.dumps(settings), encoding="utf-8")
        old = Item(id=item.id, title="old")
        await keep(folder / "data" / "xybot.db", item.id, old, age=9_000_000)
        yield platform, account, item


async def test_fetch_asks_for_what_is_old_and_only_for_that(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with real(folder) as (_, account, item):
        assert await amain(["items", "--fetch"]) == 0
        assert await amain(["items", "--fetch"]) == 0
        assert account.calls.total() == 1
    first, second = rows(capsys.readouterr().out)
    assert first == second == [SHOP, item.id, "九成新手机", "88.00", "1", "在线", "0", "min"]


async def test_fetch_says_what_got_no_answer(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with real(folder) as (platform, account, item):
        platform.faults(account).fail_calls(1)
        assert await amain(["items", "--fetch"]) == 1
    out, err = capsys.readouterr()
    assert rows(out)[0][2] == "old"
    assert f"shop-a: 没有问到 (no answer): {item.id}" in err


async def test_fetch_parks_an_account_that_needs_its_seller_and_asks_it_no_more(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with real(folder) as (platform, account, _):
        platform.faults(account).demand_verification()
        for _ in range(2):
            assert await amain(["items", "--fetch"]) == 1
            assert "人工验证" in capsys.readouterr().err
        assert account.calls.total() == 1
    async with open_store(folder / "data" / "xybot.db", run=inline) as store:
        roster = await store.transact(accounts.roster)
    assert [each.id for each in roster.parked] == [SHOP]
