"""`xybot sim`: the simulator alone, for other programs, for trying and for measuring."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomli_w
import trio

from xybot import journal
from xybot.config import Simulator, load
from xybot.model import AccountId
from xybot.tools.demo import Demo, open_demo


async def command(
    *,
    config: Path | None = None,
    listen: str = "127.0.0.1:0",
    accounts: int = 1,
    buyers: int = 3,
    seed: int | None = None,
) -> int:
    """启动模拟平台，直到 Ctrl-C；把打印出的设置放进 bot.toml 就能连上它 (until Ctrl-C).

    Args:
      config: 用这份设置里的 [simulator] 和账号名 (whose simulator and accounts to take).
      listen: WebSocket 的地址和端口，0 为任选 (host and port of the websocket, 0 is any).
      accounts: 几个账号 (how many accounts).
      buyers: 每个账号几位买家 (how many buyers for each).
      seed: 随机种子，相同则故事相同 (same seed, same story).
    """
    journal.configure("text")
    settings = Simulator(enabled=True, listen=listen, buyers=buyers, seed=seed)
    ids = [AccountId(f"sim-{n + 1}") for n in range(accounts)]
    if config is not None:
        loaded = load(config).config
        settings, ids = loaded.simulator, [each.id for each in loaded.accounts]
    async with open_demo(settings) as demo:
        sys.stdout.write(f"\n{tomli_w.dumps(_bot_toml(demo, ids))}\n")
        sys.stdout.flush()
        await trio.sleep_forever()
    return 0


def _bot_toml(demo: Demo, ids: Sequence[AccountId]) -> dict[str, Any]:
    """Return what connects a bot to this simulator."""
    platform = demo.platform
    return {
        "platform": {"websocket": platform.websocket, "gateway": platform.gateway},
        "accounts": [{"id": id_, "cookie": demo.cookie(id_).reveal()} for id_ in ids],
    }
