"""`xybot sim`: the simulator alone, for other programs, for trying and for measuring."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import tomli_w
import trio

from xybot import journal
from xybot.config import Simulator, load
from xybot.errors import ConfigError
from xybot.model import AccountId
from xybot.tools.demo import Demo, open_demo

_STARTED: Final = """\
# 模拟平台已启动，不是真正的闲鱼；按 Ctrl-C 停止。把下面的设置放进 bot.toml，就能连上它。
# A simulator, not the real Xianyu; Ctrl-C stops it.  Put this into a bot.toml to connect to it.

"""


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
    journal.configure("text", "warning")  # What it prints is a bot.toml and nothing else.
    try:
        settings = Simulator(enabled=True, listen=listen, buyers=buyers, seed=seed)
    except ConfigError as exc:
        raise ConfigError(f"--listen {listen} --buyers {buyers}: {exc}") from exc
    ids = [AccountId(f"sim-{n + 1}") for n in range(accounts)]
    if config is not None:
        loaded = load(config).config
        settings, ids = loaded.simulator, [each.id for each in loaded.accounts]
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with open_demo(settings) as demo:
            sys.stdout.write(_STARTED + tomli_w.dumps(_bot_toml(demo, ids)))
            sys.stdout.flush()
            await anext(signals)
    return 0


def _bot_toml(demo: Demo, ids: Sequence[AccountId]) -> dict[str, Any]:
    """Return what connects a bot to this simulator."""
    platform = demo.platform
    return {
        "platform": {
            "websocket": platform.websocket,
            "gateway": platform.gateway,
            "upload": platform.upload,
        },
        "accounts": [{"id": id_, "cookie": demo.cookie(id_).reveal()} for id_ in ids],
    }
