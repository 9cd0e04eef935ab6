"""A platform in the test's own process, on real ports, and a bot.toml that leads to it."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import tomli_w

from tests.app.program import XYBOT, Program, running, until
from xybot.simulator import Endpoints, Platform, open_platform
from xybot.simulator.world import SimAccount

RULE: dict[str, object] = {"keywords": ["在吗"], "reply": "在的"}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@attrs.define(eq=False)
class World:
    """What a test sees of both sides."""

    platform: Platform
    endpoints: Endpoints
    folder: Path
    rules: list[dict[str, object]] = attrs.Factory(
        lambda: [{"keywords": ["在吗"], "reply": "在的"}]
    )
    accounts: dict[str, dict[str, object]] = attrs.Factory(dict)
    timing: dict[str, object] = attrs.Factory(lambda: {"debounce": 0})
    more: dict[str, object] = attrs.Factory(dict)
    _sims: dict[str, SimAccount] = attrs.Factory(dict)

    @property
    def bot_toml(self) -> Path:
        return self.folder / "bot.toml"

    def open_account(self, id_: str) -> SimAccount:
        """Open an account at the platform and write it, with a cookie file, into bot.toml."""
        sim = self._sims[id_] = self.platform.add_account(id_)
        self.paste_cookie(id_)
        self.accounts[id_] = {"id": id_, "cookie": {"file": f"{id_}.cookie"}}
        self.write()
        return sim

    def paste_cookie(self, id_: str, more: str = "") -> None:
        """Save the account's cookies of now in its file."""
        file = self.folder / f"{id_}.cookie"
        file.write_text(self._sims[id_].cookie_text + more, encoding="utf-8")
        file.chmod(0o600)

    def write(self) -> None:
        """Write bot.toml."""
        ends = self.endpoints
        table = {
            **self.more,
            "platform": {"websocket": ends.websocket, "gateway": ends.gateway},
            "timing": self.timing,
            "accounts": list(self.accounts.values()),
            "rules": self.rules,
        }
        self.bot_toml.write_text(tomli_w.dumps(table), encoding="utf-8")

    def heard(self, sim: SimAccount) -> list[str]:
        """What the buyers of an account got to read."""
        return [text for _, _, text in self.platform.heard(sim)]

    @asynccontextmanager
    async def bot(self, *options: str) -> AsyncIterator[Program]:
        """Run the bot; when the block begins, every account that is enabled is on line."""
        async with running(*XYBOT, "--config", str(self.bot_toml), *options, cwd=self.folder) as it:
            for each in self.accounts.values():
                if each.get("enabled", True):
                    sim = self._sims[str(each["id"])]
                    await until(functools.partial(self.platform.on_line, sim), within=20)
            yield it


@asynccontextmanager
async def open_world(folder: Path) -> AsyncIterator[World]:
    """Open a platform without accounts."""
    platform = Platform(now_ms=now_ms, rng=random.Random(7))
    async with open_platform(platform) as endpoints:
        yield World(platform, endpoints, folder)
