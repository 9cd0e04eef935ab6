"""Real sockets, buyers, and many accounts at once."""

from __future__ import annotations

import itertools
import random
import time

import httpx
import pytest
import trio
from trio.testing import MockClock
from trio_websocket import open_websocket_url

from tests.simulator.client import TOKEN, Client, call, on_line
from xybot.model import Text
from xybot.simulator import Platform, buyers, open_platform
from xybot.simulator.world import SimAccount
from xybot.wire import requests, sign
from xybot.wire.pushes import Spoken

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def test_over_real_sockets() -> None:
    platform = Platform(now_ms=lambda: time.time_ns() // 1_000_000, rng=random.Random(1))
    account = platform.add_account("shop-a")
    jar = sign.parse_cookies(account.cookie_text)
    async with (
        open_platform(platform) as endpoints,
        httpx.AsyncClient(base_url=endpoints.gateway) as http,
    ):
        answer, _ = await call(platform, TOKEN, {"deviceId": "d1"}, jar, http=http)
        async with open_websocket_url(endpoints.websocket) as ws:
            client = Client(ws, account)
            assert (await client.register(answer["data"]["accessToken"], "d1")).code == 200
            await client.push("/s/vulcan")
            platform.buyer_says(account, "小王", "在吗")
            (heard,) = await client.meant()
            assert isinstance(heard, Spoken)
        ports = [
            int(url.strip("/").rpartition(":")[2])
            for url in (endpoints.websocket, endpoints.gateway)
        ]
        for taken in ({"ws_port": ports[0]}, {"http_port": ports[1]}):
            with pytest.raises(OSError, match="in use"):
                async with open_platform(platform, **taken):
                    pass
        platform.faults(account).refuse_dial()
        # By hand: a client of trio-websocket leaves the socket of a refused handshake open.
        async with await trio.open_tcp_stream("127.0.0.1", ports[0]) as stream:
            await stream.send_all(UPGRADE)
            assert b" 503 " in await stream.receive_some()
        # Somebody who is no websocket client must not end the server.
        for noise in (b"", b"\x00\x01\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
            stream = await trio.open_tcp_stream("127.0.0.1", ports[0])
            if noise:
                await stream.send_all(noise)
            await stream.aclose()
        async with open_websocket_url(endpoints.websocket):
            pass


async def test_what_a_block_raises_comes_out_bare(
    platform: Platform, autojump_clock: MockClock
) -> None:
    with pytest.raises(ValueError, match="mine"):
        async with platform.dial():
            raise ValueError("mine")


async def test_hundreds_of_accounts_in_memory(
    platform: Platform, autojump_clock: MockClock
) -> None:
    accounts = [platform.add_account(f"shop-{n}") for n in range(300)]
    done: list[str] = []

    async def serve(account: SimAccount) -> None:
        async with on_line(platform, account) as client:
            for _ in range(5):
                said = platform.buyer_says(account, "小王", "在吗")
                await client.push()
                to = said.chat.buyer.id
                await client.ask(
                    requests.send(said.id, said.chat.id, to, account.user_id, Text("在"))
                )
            done.append(account.id)

    async with trio.open_nursery() as nursery:
        for account in accounts:
            nursery.start_soon(serve, account)
    assert len(done) == 300
    assert all(len(platform.heard(account)) == 5 for account in accounts)


async def test_buyers_come_soon_and_keep_coming(
    platform: Platform, account: SimAccount, autojump_clock: MockClock
) -> None:
    said: list[float] = []

    async def shop() -> None:
        async with on_line(platform, account) as client:
            while True:
                for push in await client.meant():
                    if not isinstance(push, Spoken) or not push.facts.from_human:
                        continue
                    said.append(trio.current_time())
                    await trio.sleep(1)
                    uuid, facts = f"-{len(said)}", push.facts
                    await client.ask(
                        requests.send(
                            uuid, facts.chat, facts.sender, account.user_id, Text("在的，包邮")
                        )
                    )

    started = trio.current_time()
    with trio.move_on_after(300):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shop)
            nursery.start_soon(buyers.live, platform, account, random.Random(7))
    assert said[0] - started < 3
    assert len(said) > 60
    gaps = [later - sooner for sooner, later in itertools.pairwise(said)]
    assert max(gaps) < 20
    assert any(order.status == "待发货" for order in platform.world.orders.values())
