"""The bot as a process that kills itself: `python -m tests.mortal BOT_TOML [before|after N]`.

It dies of SIGKILL at the nth call of the store's runner, in the worker thread: before BEGIN,
or after COMMIT and before anybody is told.  Each call is a line on standard output.
"""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from pathlib import Path

import attrs
import trio

from xybot import journal
from xybot.bot import Bot, means_of
from xybot.chronicle import open_chronicle
from xybot.clock import now_ms
from xybot.config import load
from xybot.egress import Outside
from xybot.events import EventFeed
from xybot.facts import Facts
from xybot.notify.hooks import Hooks
from xybot.replies.compose import composer
from xybot.store.database import in_thread, open_store


@attrs.define
class Mortal:
    """Runs what the store wants to have run, until the nth time."""

    moment: str = "never"
    n: int = 0
    seen: int = 0

    async def __call__(self, fn, /):
        return await in_thread(partial(self.run, fn))

    def run(self, fn):
        self.seen += 1
        print(f"transaction {self.seen}", flush=True)
        self.die("before")
        result = fn()
        self.die("after")
        return result

    def die(self, moment: str) -> None:
        if self.seen == self.n and self.moment == moment:
            os.kill(os.getpid(), signal.SIGKILL)


async def main(path: Path, run: Mortal) -> None:
    loaded = load(path)
    async with (
        open_store(path.parent / "xybot.db", run=run) as store,
        open_chronicle(store, EventFeed(journal.tell), now_ms) as chronicle,
    ):
        facts = Facts(store=store, now_ms=now_ms)
        bot = Bot(
            path=path,
            loaded=loaded,
            chronicle=chronicle,
            demo=None,
            facts=facts,
            hooks=Hooks(chronicle=chronicle, outside=Outside(), now_ms=now_ms),
            composer=composer(loaded, means_of(chronicle, facts)),
        )
        await bot.run()


if __name__ == "__main__":
    journal.configure("text")
    file, *fate = sys.argv[1:]
    trio.run(main, Path(file), Mortal(fate[0], int(fate[1])) if fate else Mortal())
