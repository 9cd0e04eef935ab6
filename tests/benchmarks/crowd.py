"""The platform's side, a process of its own: the simulator, and a crowd of buyers in it.

It takes orders as JSON lines and answers each with one; see `_ORDERS`.
"""

from __future__ import annotations

import random
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import attrs
import msgspec
import trio

from xybot.model import ChatId
from xybot.simulator import Endpoints, Platform, Settings, open_platform
from xybot.simulator.world import SimAccount, SimChat

_DEVICE: Final = "00000000-0000-4000-0000-000000000000-bench"
_WORDS: Final = "你好，这个还能再便宜一点吗？今天可以发货吗"
_SILENT_AFTER: Final = 10.0
"""Seconds without any reply after which a burst is given up."""


def now_ms() -> int:
    """Return the time of this machine's clock: milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Ears(list[tuple[float, ChatId, str]]):
    """What an account said, with somebody who listens."""

    heard: Callable[[ChatId], None] = staticmethod(lambda _: None)

    def append(self, said: tuple[float, ChatId, str]) -> None:
        """Keep it, and tell the listener."""
        super().append(said)
        self.heard(said[1])


@attrs.define(eq=False)
class Crowd:
    """Buyers who write to one account, each waiting for an answer before the next line."""

    platform: Platform
    account: SimAccount
    idle: deque[SimChat]
    asked: dict[ChatId, float] = attrs.Factory(dict)
    waits: list[float] = attrs.Factory(list)
    """Seconds from each line to its answer."""
    uncalled: int = 0
    """Answers that nobody waited for: double ones."""
    to_say: int = 0
    quiet: trio.Event = attrs.Factory(trio.Event)

    def say(self) -> bool:
        """Let the buyer who was silent longest write; False when all of them wait."""
        if not self.idle:
            return False
        chat = self.idle.popleft()
        self.asked[chat.id] = trio.current_time()
        self.platform.buyer_says(self.account, chat, _WORDS)
        return True

    def heard(self, id_: ChatId) -> None:
        """Take an answer, and let the next buyer write."""
        began = self.asked.pop(id_, None)
        if began is None:
            self.uncalled += 1
            return
        self.waits.append(trio.current_time() - began)
        self.idle.append(self.platform.world.chats[id_])
        if self.to_say:
            self.to_say -= 1
            self.say()
        elif not self.asked:
            self.quiet.set()

    async def wait_quiet(self) -> None:
        """Wait until everybody has an answer, or no answers come any more."""
        while not self.quiet.is_set():
            before = len(self.waits)
            with trio.move_on_after(_SILENT_AFTER):
                await self.quiet.wait()
            if len(self.waits) == before:
                return

    def begin(self, count: int) -> None:
        """Forget the last burst."""
        self.waits, self.uncalled, self.to_say = [], 0, count
        self.idle.extend(self.platform.world.chats[id_] for id_ in self.asked)
        self.asked.clear()
        self.quiet = trio.Event()


@attrs.define(eq=False)
class Hall:
    """Everything that can be ordered here."""

    platform: Platform
    crowds: dict[str, Crowd] = attrs.Factory(dict)

    async def open(self, accounts: Sequence[str], chats: int) -> dict[str, Any]:
        """Open accounts with buyers; answer with what a client needs to log in."""
        told: dict[str, Any] = {}
        for id_ in accounts:
            account = self.platform.add_account(id_)
            buyers = [self.platform.chat(account, f"买家{n}") for n in range(chats)]
            crowd = self.crowds[id_] = Crowd(self.platform, account, deque(buyers))
            ears = account.heard = Ears()
            ears.heard = crowd.heard
            told[id_] = {
                "cookie": account.cookie_text,
                "token": self.platform.world.grant(account, _DEVICE),
                "device": _DEVICE,
                "user": account.user_id,
            }
        return told

    async def wait_on_line(self, accounts: Sequence[str], within: float) -> dict[str, float]:
        """Wait for accounts; answer how many came, and how long it took."""
        began, wanted = trio.current_time(), [self.crowds[id_].account for id_ in accounts]
        on_line = 0
        with trio.move_on_after(within):
            while True:
                on_line = sum(map(self.platform.on_line, wanted))
                if on_line == len(wanted):
                    break
                await trio.sleep(0.02)
        return {"on_line": on_line, "seconds": trio.current_time() - began}

    async def burst(self, account: str, count: int, window: int) -> dict[str, Any]:
        """Have `count` lines written, `window` of them unanswered at any time."""
        crowd = self.crowds[account]
        crowd.begin(count)
        began = trio.current_time()
        for _ in range(min(window, count)):
            crowd.to_say -= crowd.say()
        await crowd.wait_quiet()
        return self._result(crowd, began)

    async def rate(self, account: str, per_second: float, seconds: float) -> dict[str, Any]:
        """Have lines written at an even pace, whether they are answered or not."""
        crowd = self.crowds[account]
        crowd.begin(0)
        began = trio.current_time()
        for n in range(round(per_second * seconds)):
            await trio.sleep_until(began + n / per_second)
            crowd.say()
        if crowd.asked:
            crowd.quiet = trio.Event()
            await crowd.wait_quiet()
        return self._result(crowd, began)

    def _result(self, crowd: Crowd, began: float) -> dict[str, Any]:
        return {
            "seconds": trio.current_time() - began,
            "replies": len(crowd.waits),
            "unanswered": len(crowd.asked),
            "uncalled": crowd.uncalled,
            "waits": crowd.waits,
        }

    async def sell(self, account: str, count: int) -> dict[str, Any]:
        """Have so many orders paid at once, and wait until all are said to be shipped."""
        seller, began = self.crowds[account].account, trio.current_time()
        chats, before = list(self.crowds[account].idle), len(seller.heard)
        sold = []
        for n in range(count):
            sold.append(self.platform.buyer_orders(seller, chats[n % len(chats)]))
            self.platform.buyer_pays(seller, sold[-1])
            await trio.lowlevel.checkpoint()
        shipped, done, since = 0, 0, trio.current_time()
        while shipped < count and trio.current_time() < since + _SILENT_AFTER:
            await trio.sleep(0.1)
            shipped = sum(each.shipment is not None for each in sold)
            if shipped + len(seller.heard) > done:
                done, since = shipped + len(seller.heard), trio.current_time()
        seconds = trio.current_time() - began
        said = [code for _, _, text in list(seller.heard)[before:] for code in text.split()]
        return {
            "seconds": seconds,
            "shipped": shipped,
            "said": len(said),
            "codes": len(set(said)),
        }

    async def unacknowledged(self, account: str) -> dict[str, int]:
        """Answer how many entries an account has not confirmed."""
        return {"entries": len(self.platform.unacknowledged(self.crowds[account].account))}


_ORDERS: Final[dict[str, Callable[..., Awaitable[Any]]]] = {
    "open": Hall.open,
    "wait_on_line": Hall.wait_on_line,
    "burst": Hall.burst,
    "rate": Hall.rate,
    "sell": Hall.sell,
    "unacknowledged": Hall.unacknowledged,
}


def _tell(value: object) -> None:
    sys.stdout.write(f"{msgspec.json.encode(value).decode()}\n")
    sys.stdout.flush()


async def _serve(hall: Hall, endpoints: Endpoints) -> None:
    _tell({"websocket": endpoints.websocket, "gateway": endpoints.gateway})
    orders = trio.wrap_file(sys.stdin)
    async for line in orders:
        order = msgspec.json.decode(line)
        _tell(await _ORDERS[order.pop("do")](hall, **order))


async def main() -> None:
    """Serve until nobody gives orders any more."""
    # As in reality: one entry to a frame, and an own line comes back as a push.
    settings = Settings(bundle=1, echo="after")
    platform = Platform(now_ms=now_ms, rng=random.Random(1), settings=settings)
    async with open_platform(platform) as endpoints:
        await _serve(Hall(platform), endpoints)


if __name__ == "__main__":
    trio.run(main)
