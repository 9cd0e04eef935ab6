"""Whatever goes wrong, the simulator itself stands, and what it promised comes in the end."""

from __future__ import annotations

import random

import pytest
import trio
from trio.testing import MockClock
from trio_websocket import ConnectionClosed, HandshakeError

from tests.simulator.client import Client, RefusedError, meanings, on_line
from xybot.errors import WireError
from xybot.simulator import Platform
from xybot.simulator.faults import Faults
from xybot.simulator.world import SimAccount
from xybot.wire.pushes import Spoken


async def misfortune(faults: Faults, rng: random.Random) -> None:
    """Let something go wrong every now and then, for five minutes, then nothing more."""
    for _ in range(60):
        await trio.sleep(rng.uniform(0, 10))
        rng.choice(
            (
                faults.cut,
                faults.close,
                faults.kick_out,
                faults.remove_session,
                faults.expire_token,
                faults.garbage,
                faults.damaged_entry,
                lambda: faults.drop_acks(3),
                lambda: faults.lose_pushes(2),
                lambda: faults.duplicate(2),
                lambda: faults.refuse_dial(2),
                lambda: faults.reorder(2),
                lambda: faults.fail_over(2),
                lambda: faults.limit_connections(2),
                faults.refuse_token,
                lambda: faults.slow(rng.choice((0, 0, 2))),
                faults.mute,
                faults.unmute,
            )
        )()
    faults.unmute()
    faults.slow(0)


async def read_on(client: Client, heard: list[str]) -> None:
    """Read for half a minute at the most, then dial again, as a bot that doubts its line."""
    with trio.move_on_after(30):
        while True:
            try:
                frame = await client.push("/s/sync", "/s/sync_failover")
            except WireError:
                continue
            pushed = meanings(frame, client.account.user_id)
            heard += [str(each.facts.message) for each in pushed if isinstance(each, Spoken)]


async def serve(platform: Platform, account: SimAccount, heard: list[str]) -> None:
    """Stay on line through everything."""
    while True:
        try:
            with trio.move_on_after(60):
                async with on_line(platform, account) as client:
                    await read_on(client, heard)
        except (ConnectionClosed, HandshakeError, RefusedError, WireError):
            await trio.sleep(1)


@pytest.mark.parametrize("seed", range(8))
async def test_every_message_arrives_at_last(
    platform: Platform, account: SimAccount, autojump_clock: MockClock, seed: int
) -> None:
    rng, heard, said = random.Random(seed), list[str](), list[str]()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, platform, account, heard)
        nursery.start_soon(misfortune, platform.faults(account), rng)
        for n in range(200):
            said.append(platform.buyer_says(account, f"买家{n % 5}", str(n)).id)
            await trio.sleep(rng.uniform(0, 3))
        await trio.sleep(600)
        nursery.cancel_scope.cancel()
    assert set(heard) == set(said)
    assert platform.unacknowledged(account) == ()
