"""Commands on orders beside a bot that runs: it sees within seconds what they changed."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import trio

from tests.app.program import XYBOT, ended
from tests.app.world import World, open_world
from xybot.simulator.world import SimAccount

GOODS = {
    "name": "月卡",
    "title": "/./",
    "spec": "*",
    "kind": "codes",
    "batch": "month",
    "text": "卡密：{codes}",
}
CODE = "AAAA-BBBB-0001"


async def told(world: World, *words: str) -> str:
    """Run a command to its end, as another process does."""
    command = (*XYBOT[:1], *words, "--config", str(world.bot_toml))
    done = await trio.to_thread.run_sync(partial(ended, *command, cwd=world.folder))
    assert done.returncode == 0, done.stderr
    return done.stdout


async def until_told(world: World, words: str, *command: str) -> str:
    """Run a command again and again until it says so."""
    with trio.fail_after(20):
        while words not in (found := await told(world, *command)):
            await trio.sleep(0.2)
    return found


async def until_heard(world: World, sim: SimAccount, times: int) -> None:
    """Wait until the buyer has read the code so often."""
    with trio.fail_after(20):
        while sum(CODE in words for words in world.heard(sim)) < times:
            await trio.sleep(0.1)


async def test_a_bot_that_runs_does_what_a_command_says_within_seconds(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        world.more = {"goods": [GOODS]}
        sim = world.open_account("shop-a")
        async with world.bot() as bot:
            order = world.platform.buyer_orders(sim, "小王")
            world.platform.buyer_pays(sim, order)
            held = await until_told(world, "held", "order", order.id)
            assert f"xybot deliver {order.id}" in held
            assert order.id in await told(world, "orders", "--held")
            (tmp_path / "codes.txt").write_text(CODE, encoding="utf-8")
            await told(world, "codes", "import", "month", "codes.txt")
            await told(world, "deliver", order.id)
            await until_heard(world, sim, 1)
            await until_told(world, "confirmed", "order", order.id)
            assert order.status == "已发货"
            await told(world, "deliver", order.id, "--again")
            await until_heard(world, sim, 2)
            assert CODE in await told(world, "order", order.id, "--codes")
            assert CODE not in bot.output
            assert "出错" not in bot.output
