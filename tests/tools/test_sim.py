"""`xybot sim`: its output is a bot.toml, and it ends like everything else here."""

from __future__ import annotations

import signal
import tomllib
from pathlib import Path

import pytest

from tests.app.program import XYBOT, running


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM], ids=lambda by: by.name)
async def test_it_prints_accounts_to_connect_and_ends_in_order(
    tmp_path: Path, by: signal.Signals
) -> None:
    async with running(*XYBOT, "sim", "--accounts", "2", cwd=tmp_path) as sim:
        await sim.said("cookie = ")
        await sim.said("cookie = ")
        printed = tomllib.loads("\n".join(sim.lines))
        assert await sim.stop(by) < 2
        assert (sim.process.returncode, sim.stderr) == (0, "")
    assert printed["platform"].keys() == {"websocket", "gateway", "upload"}
    assert [each["id"] for each in printed["accounts"]] == ["sim-1", "sim-2"]
    assert all("unb=" in each["cookie"] for each in printed["accounts"])


async def test_it_takes_its_accounts_and_its_port_from_a_bot_toml(tmp_path: Path) -> None:
    (tmp_path / "bot.toml").write_text(
        '[simulator]\nenabled = true\nlisten = "127.0.0.1:0"\nseed = 7\n'
        '[[accounts]]\nid = "shop-a"\n[[accounts]]\nid = "shop-b"\n'
    )
    async with running(*XYBOT, "sim", "--config", "bot.toml", cwd=tmp_path) as sim:
        await sim.said("shop-a")
        await sim.said("shop-b")
