"""How many replies in a second, durably; and what bare programs do beside it."""

from __future__ import annotations

import statistics
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import trio
from botfolder import Books, Where, books, bot_folder, said_by_bot
from children import Child, open_bot, open_script
from report import Add, Plan, Row, progress

BOT, _BARE = "bot", "bare"
_CHATS: Final = 200
_RATE: Final = 100.0
_FRAMES: Final = 3
"""Each way for one reply: push, answer, echo; acknowledgement, send, acknowledgement."""
_STORED_WITHIN: Final = 10


@attrs.define(eq=False, kw_only=True)
class Field:
    """The players: a platform with a bot and a bare client, and two that echo."""

    crowd: Child
    bot: Child
    bare: Child
    echo_server: Child
    echo_client: Child
    folder: Path
    port: int
    """Where the bot's API is."""
    sizes: list[int]

    async def burst(self, player: str, count: int, window: int) -> Burst:
        """Have one player answer, while the others are idle."""
        client, server = self._processes(player)
        before = (client.cpu(), server.cpu())
        if player == "echo":
            told = await server.ask("burst", count=count, window=window)
            told |= {"replies": count, "unanswered": 0, "uncalled": 0, "waits": []}
        else:
            told = await server.ask("burst", account=player, count=count, window=window)
        return Burst.of(told, client.cpu() - before[0], server.cpu() - before[1])

    async def rate(self, player: str, seconds: float) -> Burst:
        """Have one player answer at an even pace."""
        client, server = self._processes(player)
        before = (client.cpu(), server.cpu())
        told = await server.ask("rate", account=player, per_second=_RATE, seconds=seconds)
        return Burst.of(told, client.cpu() - before[0], server.cpu() - before[1])

    def _processes(self, player: str) -> tuple[Child, Child]:
        clients = {"bot": self.bot, "bare": self.bare, "echo": self.echo_client}
        return clients[player], self.echo_server if player == "echo" else self.crowd

    async def wait_stored(self, replies: int) -> Books:
        """Return the bot's books, once they know of so many replies."""
        found = books(self.folder)
        with trio.move_on_after(_STORED_WITHIN):
            while found.sent < replies:
                await trio.sleep(0.2)
                found = books(self.folder)
        return found


@attrs.frozen(kw_only=True)
class Burst:
    """What came of one burst."""

    replies: int
    seconds: float
    client_cpu: float
    server_cpu: float
    lost: int
    doubled: int
    waits: tuple[float, ...]

    @classmethod
    def of(cls, told: Mapping[str, Any], client_cpu: float, server_cpu: float) -> Burst:
        """Read what the platform's side told."""
        return cls(
            replies=told["replies"],
            seconds=told["seconds"],
            client_cpu=client_cpu,
            server_cpu=server_cpu,
            lost=told["unanswered"],
            doubled=told["uncalled"],
            waits=tuple(told["waits"]),
        )

    def __str__(self) -> str:
        """Show it as a line of progress."""
        count = max(self.replies, 1)
        client, server = (1000 * cpu / count for cpu in (self.client_cpu, self.server_cpu))
        rate = self.replies / self.seconds
        return f"{rate:7.0f}/s, CPU ms each: {client:.3f} here, {server:.3f} there"


@asynccontextmanager
async def open_field() -> AsyncIterator[Field]:
    """Start everybody, and wait until all are on line."""
    async with AsyncExitStack() as stack:
        crowd = await stack.enter_async_context(open_script("crowd.py"))
        ends = await crowd.told()
        logins = await crowd.ask("open", accounts=[BOT, _BARE], chats=_CHATS)
        where = Where(**ends, cookies={BOT: logins[BOT]["cookie"]})
        folder = stack.enter_context(bot_folder(where))
        bot = await stack.enter_async_context(open_bot(folder))
        login = logins[_BARE]
        words = (ends["websocket"], login["token"], login["device"], login["user"])
        bare = await stack.enter_async_context(open_script("bare.py", *words))
        server = await stack.enter_async_context(open_script("echo.py", "server"))
        told = await server.told()
        client = await stack.enter_async_context(open_script("echo.py", "client", told["url"]))
        came = await crowd.ask("wait_on_line", accounts=[BOT, _BARE], within=20)
        if came["on_line"] < 2:
            raise RuntimeError(f"not on line after 20 s: {said_by_bot(folder)}")
        await trio.sleep(0.5)
        yield Field(
            crowd=crowd,
            bot=bot,
            bare=bare,
            echo_server=server,
            echo_client=client,
            folder=folder,
            port=where.port,
            sizes=told["bytes"],
        )


async def measure_replies(plan: Plan, add: Add) -> None:
    """Measure throughput and CPU in turns, then latency, all on one field."""
    async with open_field() as field:
        await _throughput(field, plan, add)
        await _latency(field, plan, add)
        if said := said_by_bot(field.folder):
            add(Row("the bot complained", said[:2000]))


async def _rounds(field: Field, plan: Plan) -> dict[str, list[Burst]]:
    """Let the players take turns, so that what else this machine does is fair to all."""
    done: dict[str, list[Burst]] = {"echo": [], "bare": [], "bot": []}
    for player in done:
        await field.burst(player, 300, plan.window)
    for n in range(plan.rounds):
        for player, bursts in done.items():
            count = plan.messages // plan.rounds
            bursts.append(await field.burst(player, count, plan.window))
            progress(f"round {n + 1}: {player:<5} {bursts[-1]}")
    return done


async def _throughput(field: Field, plan: Plan, add: Add) -> None:
    push, send = field.sizes
    done = await _rounds(field, plan)
    each = {player: _rate_of(bursts) for player, bursts in done.items()}
    asked = 300 + sum(burst.replies for burst in done["bot"])
    kept = await field.wait_stored(asked)
    lost, doubled = (sum(getattr(b, key) for b in done["bot"]) for key in ("lost", "doubled"))
    add(Row("replies/s, durable, debounce 0", f"{each['bot']:.0f}", "3 frames each way a reply"))
    add(Row("bare echo/s", f"{each['echo']:.0f}", f"{push} B in, {send} B out, 1 frame each way"))
    add(Row("bare client of the simulator, replies/s", f"{each['bare']:.0f}", "no store"))
    add(Row("replies : bare echo", f"{_ratio(done, 'echo'):.2f}", "at least 0.4, aim 0.7"))
    frames = _FRAMES * _ratio(done, "echo")
    add(
        Row(
            "the same in frames",
            f"{frames:.2f}",
            f"a reply is {_FRAMES} frames each way, an echo 1",
        )
    )
    add(Row("replies : bare client", f"{_ratio(done, 'bare'):.2f}", "same platform, same frames"))
    add(Row("in the store as sent", f"{kept.sent} of {asked}", f"lost {lost}, double {doubled}"))
    for player, bursts in done.items():
        add(_cpu(player, bursts))


def _rate_of(bursts: list[Burst]) -> float:
    return statistics.median(burst.replies / burst.seconds for burst in bursts)


def _ratio(done: Mapping[str, list[Burst]], other: str) -> float:
    """Return the median of the rounds' ratios: both of a round had the same neighbours."""
    pairs = zip(done["bot"], done[other], strict=True)
    return statistics.median(
        (bot.replies / bot.seconds) / (them.replies / them.seconds) for bot, them in pairs
    )


def _cpu(player: str, bursts: list[Burst]) -> Row:
    replies, seconds = (sum(getattr(b, key) for b in bursts) for key in ("replies", "seconds"))
    client, server = (sum(getattr(b, key) for b in bursts) for key in ("client_cpu", "server_cpu"))
    note = f"busy {client / seconds:.0%}; its platform {1000 * server / replies:.2f} ms"
    note += f", busy {server / seconds:.0%}"
    return Row(f"CPU ms per reply, {player}", f"{1000 * client / replies:.2f}", note)


async def _latency(field: Field, plan: Plan, add: Add) -> None:
    for player in ("bare", "bot"):
        await field.rate(player, 1)
        burst = await field.rate(player, plan.pace_seconds)
        progress(f"{_RATE:.0f}/s: {player:<5} {burst}")
        p50, p99 = percentiles([1000 * wait for wait in burst.waits])
        note = f"{burst.replies} replies, lost {burst.lost}, double {burst.doubled}, "
        note += f"CPU {1000 * burst.client_cpu / max(burst.replies, 1):.2f} ms each"
        add(
            Row(f"latency at {_RATE:.0f}/s, {player}: p50 / p99 ms", f"{p50:.1f} / {p99:.1f}", note)
        )


def percentiles(values: list[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile."""
    if len(values) < 2:
        return (0.0, 0.0)
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return cuts[49], cuts[98]
