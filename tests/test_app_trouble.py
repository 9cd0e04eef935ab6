"""No room on the disk, or a damaged database, told as a story: the whole bot, start to end."""

from __future__ import annotations

import random
import resource
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from tests.app.program import XYBOT, Program, ended, until
from tests.app.world import World, open_world
from tests.conftest import Shop, clock_ms, new_platform
from xybot.chronicle import open_chronicle
from xybot.events import EventFeed
from xybot.store.database import Store, inline, open_store

LINE = "长" * 5_000
"""Too long for what room is left on pages that are there already."""


async def driver_of(store: Store) -> sqlite3.Connection:
    driver: sqlite3.Connection = await store.transact(lambda db: db.connection.dbapi_connection)
    return driver


async def test_while_the_disk_is_full_nothing_is_acknowledged_and_then_all_is_answered_once(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    told: list[str | None] = []
    platform = new_platform()
    sim = platform.add_account("shop-a")
    async with (
        open_store(None, run=inline, tell=told.append) as store,
        open_chronicle(store, EventFeed(lambda _: None), clock_ms) as chronicle,
    ):
        shop = Shop(platform=platform, sim=sim, chronicle=chronicle)
        await shop.open()
        nursery.start_soon(shop.run)
        await trio.sleep(5)
        shop.says("在吗")
        await trio.sleep(60)
        assert shop.heard == ["在吗"]
        driver = await driver_of(store)
        (pages,) = driver.execute("PRAGMA page_count").fetchone()
        driver.execute(f"PRAGMA max_page_count={pages}").close()
        said = [f"{n} {LINE}" for n in range(30)]
        for n, text in enumerate(said):
            shop.says(text, f"buyer {n % 7}")
            await trio.sleep(random.Random(n).uniform(1, 240))
        assert len(platform.unacknowledged(sim)) == len(said)
        assert shop.heard == ["在吗"]
        assert len(told) == 1
        driver.execute("PRAGMA max_page_count=1000000").close()
        await trio.sleep(600)
        assert told[1:] == [None]
        answered = [line for text in shop.heard[1:] for line in text.split("+")]
        assert sorted(answered) == sorted(said)
        assert platform.unacknowledged(sim) == ()
        nursery.cancel_scope.cancel()


def limit_files(bot: Program, size: int) -> None:
    """Let the process write no file beyond a size; -1 is no limit."""
    resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")
async def test_a_bot_that_cannot_write_says_so_once_and_goes_on_when_it_can(
    tmp_path: Path,
) -> None:
    async with open_world(tmp_path) as world:
        sim = world.open_account("shop-a")
        async with world.bot() as bot:
            world.platform.buyer_says(sim, "小王", "在吗")
            await bot.said("回复 out  在的")
            await until(lambda: not world.platform.unacknowledged(sim))
            limit_files(bot, 0)
            world.platform.buyer_says(sim, "小李", "在吗？")
            assert "磁盘" in await bot.said("数据库暂时无法写入")
            world.platform.buyer_says(sim, "阿杰", "在吗？！")
            world.timing["debounce_max"] = 20
            world.write()  # A changed bot.toml must not end it either.
            await trio.sleep(6)  # Meanwhile it tries again.
            assert len(world.platform.unacknowledged(sim)) == 2
            assert world.heard(sim) == ["在的"]
            limit_files(bot, resource.RLIM_INFINITY)
            await until(lambda: world.heard(sim) == ["在的"] * 3, within=30)
            await until(lambda: not world.platform.unacknowledged(sim))
            await bot.said("数据库恢复正常", within=30)
            await bot.stop()
        assert (bot.process.returncode, bot.stderr) == (0, "")
        assert bot.output.count("恢复后自动继续") == 1
        assert bot.output.count("数据库恢复正常") == 1
        assert "Traceback" not in bot.output


def spoil(database: Path) -> None:
    """Overwrite all but the first page, and let whoever works on it read it anew."""
    with closing(sqlite3.connect(database, isolation_level=None)) as outside:
        outside.execute("BEGIN IMMEDIATE")
        outside.execute("PRAGMA user_version=7")
        with database.open("r+b") as file:
            file.seek(4096)
            file.write(random.Random(1).randbytes(database.stat().st_size - 4096))
        outside.execute("COMMIT")


async def restarted(world: World) -> None:
    """Run the bot once, so that its database is in one file."""
    async with world.bot() as bot:
        await bot.stop()


async def test_damage_ends_a_running_bot_with_one_line_that_says_what_to_do(
    tmp_path: Path,
) -> None:
    database = tmp_path / "data" / "xybot.db"
    async with open_world(tmp_path) as world:
        sim = world.open_account("shop-a")
        await restarted(world)
        async with world.bot() as bot:
            spoil(database)
            world.platform.buyer_says(sim, "小王", "在吗")
            with trio.fail_after(10):
                await bot.process.wait()
            await trio.sleep(0.1)
        assert (bot.process.returncode, bot.stderr.count("\n")) == (2, 1), bot.output
        assert f"{database}: 数据库打不开，文件已损坏" in bot.stderr
        assert "Traceback" not in bot.output
        assert world.heard(sim) == []
        spoiled = database.read_bytes()
        again = await trio.to_thread.run_sync(lambda: ended(*XYBOT, cwd=tmp_path))
        assert (again.returncode, again.stdout, again.stderr.count("\n")) == (2, "", 1)
        assert f"{database}: 数据库打不开，文件已损坏" in again.stderr
        assert database.read_bytes() == spoiled


async def test_with_a_copy_put_back_it_works_again_as_the_line_says(tmp_path: Path) -> None:
    database = tmp_path / "data" / "xybot.db"
    async with open_world(tmp_path) as world:
        sim = world.open_account("shop-a")
        await restarted(world)
        copy = database.read_bytes()
        spoil(database)
        refused = await trio.to_thread.run_sync(lambda: ended(*XYBOT, cwd=tmp_path))
        assert refused.returncode == 2
        for ending in ("-wal", "-shm"):
            database.with_name(f"{database.name}{ending}").unlink(missing_ok=True)
        database.write_bytes(copy)
        calls = dict(sim.calls)
        async with world.bot() as bot:
            world.platform.buyer_says(sim, "小王", "在吗")
            await bot.said("回复 out  在的")
            await bot.stop()
        assert dict(sim.calls) == calls  # Its token was in the copy.
