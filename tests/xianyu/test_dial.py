"""Dialling over real sockets; here real time passes."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeAlias, cast

import pytest
import trio
from trio_websocket import WebSocketRequest, serve_websocket, wrap_server_stream

from xybot import egress
from xybot.errors import Cause, ConnectionLost, SessionTaken
from xybot.wire.frames import Frame
from xybot.wire.ids import Ids
from xybot.wire.requests import Request
from xybot.xianyu.connection import Connection, open_connection
from xybot.xianyu.dial import dialler

Serve: TypeAlias = Callable[[trio.SocketStream], Awaitable[None]]


def lost(
    match: str | None = None, cause: Cause = Cause.HANDSHAKE
) -> pytest.RaisesGroup[ConnectionLost]:
    """Expect the loss of a connection for this cause, however deep in groups."""
    wanted = pytest.RaisesExc(ConnectionLost, match=match, check=lambda exc: exc.cause is cause)
    return pytest.RaisesGroup(wanted, allow_unwrapped=True, flatten_subgroups=True)


@asynccontextmanager
async def dialled(url: str, within: float = 5) -> AsyncIterator[Connection]:
    made = Ids(lambda: 1_790_000_000_000, random.Random(1))
    with trio.fail_after(10):
        async with open_connection(dialler(url, egress.tls(), within=within), made) as line:
            yield line


@asynccontextmanager
async def served(serve: Serve, scheme: str = "ws") -> AsyncIterator[str]:
    """Listen on loopback; gives the address."""
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        yield f"{scheme}://127.0.0.1:{listeners[0].socket.getsockname()[1]}/"
        nursery.cancel_scope.cancel()


async def silent(_: trio.SocketStream) -> None:
    await trio.sleep_forever()


async def hangs_up(stream: trio.SocketStream) -> None:
    await stream.aclose()


async def babbles(stream: trio.SocketStream) -> None:
    await stream.receive_some()
    await stream.send_all(b"SSH-2.0-OpenSSH_9\r\n\r\n")
    await trio.sleep_forever()


async def stops_halfway(stream: trio.SocketStream) -> None:
    await stream.receive_some()
    await stream.send_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: webso")
    await trio.sleep_forever()


async def forbids(stream: trio.SocketStream) -> None:
    await stream.receive_some()
    await stream.send_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
    await trio.sleep_forever()


@pytest.mark.parametrize(
    ("serve", "scheme"),
    # A hang-up in the middle of TLS is noticed at once: see below.
    [(silent, "ws"), (silent, "wss"), (stops_halfway, "ws"), (hangs_up, "ws")],
)
async def test_a_handshake_that_stalls_is_lost_in_time(serve: Serve, scheme: str) -> None:
    began = time.monotonic()
    async with served(serve, scheme) as url:
        with lost(r"within 0\.3 s"):
            async with dialled(url, within=0.3):
                raise AssertionError("it was let in")
    assert time.monotonic() - began < 2


async def test_a_peer_that_speaks_something_else_is_lost() -> None:
    async with served(babbles) as url:
        with lost("handshake refused"):
            async with dialled(url):
                raise AssertionError("it was let in")


@pytest.mark.parametrize("serve", [babbles, stops_halfway, forbids])
async def test_a_peer_that_speaks_no_tls_is_lost(serve: Serve) -> None:
    async with served(serve, "wss") as url:
        with lost("TLS", Cause.TLS):
            async with dialled(url):
                raise AssertionError("it was let in")


async def test_a_name_without_an_address_is_told_as_such() -> None:
    for scheme in ("ws", "wss"):
        with lost("DNS", Cause.DNS):
            async with dialled(f"{scheme}://nowhere.invalid/"):
                raise AssertionError("it was let in")


async def test_an_http_answer_that_is_no_websocket_is_lost_with_its_status() -> None:
    async with served(forbids) as url:
        with lost("HTTP 403"):
            async with dialled(url):
                raise AssertionError("it was let in")


async def test_a_port_where_nobody_listens_is_lost() -> None:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    await listener.aclose()
    with lost("cannot connect", Cause.UNREACHABLE):
        async with dialled(f"ws://127.0.0.1:{port}/"):
            raise AssertionError("it was let in")


async def test_an_open_line_may_last_longer_than_its_dial() -> None:
    async def serve(request: WebSocketRequest) -> None:
        ws = await request.accept()
        asked = str(await ws.get_message())
        mid = asked.partition('"mid":"')[2].partition('"')[0]
        await ws.send_message(f'{{"headers": {{"mid": "{mid}"}}, "code": 200}}')
        await trio.sleep_forever()

    async with websocket(serve) as url, dialled(url, within=0.3) as line:
        await trio.sleep(0.5)
        assert (await line.request(Request("/!"))).code == 200


@asynccontextmanager
async def websocket(serve: Callable[[WebSocketRequest], Awaitable[None]]) -> AsyncIterator[str]:
    async with trio.open_nursery() as nursery:
        server = await nursery.start(
            partial(serve_websocket, serve, "127.0.0.1", 0, ssl_context=None)
        )
        yield f"ws://127.0.0.1:{server.port}/"
        nursery.cancel_scope.cancel()


async def test_the_platform_sees_a_browser_without_cookies() -> None:
    seen: dict[bytes, bytes] = {}

    async def serve(request: WebSocketRequest) -> None:
        seen.update(request.headers)
        await request.accept()

    async with websocket(serve) as url:
        with lost(cause=Cause.CLOSED):
            async with dialled(url):
                await trio.sleep_forever()
    assert seen[b"origin"] == b"https://www.goofish.com"
    assert seen[b"user-agent"].startswith(b"Mozilla/5.0")
    assert b"cookie" not in seen


async def test_a_frame_of_ten_megabytes_passes() -> None:
    words = "长" * (10_000_000 // 3)

    async def serve(request: WebSocketRequest) -> None:
        ws = await request.accept()
        await ws.send_message(f'{{"lwp": "/s/sync", "headers": {{}}, "body": "{words}"}}')
        await trio.sleep_forever()

    async with websocket(serve) as url, dialled(url) as line:
        push = cast("Frame", await line.pushes.receive())
        assert push.body == words


async def _deaf(farewell: str | None, stream: trio.SocketStream) -> None:
    """Accept, say one thing, and never say goodbye."""
    async with trio.open_nursery() as nursery:
        request = await wrap_server_stream(nursery, stream, message_queue_size=0)
        ws = await request.accept()
        if farewell:
            await ws.send_message(farewell)
        nursery.cancel_scope.cancel()
    await trio.sleep_forever()


async def _raves(stream: trio.SocketStream) -> None:
    """Accept, then send what is no frame of a websocket."""
    async with trio.open_nursery() as nursery:
        request = await wrap_server_stream(nursery, stream)
        await request.accept()
        await stream.send_all(b"\xff\xff\xff\xff")
        await trio.sleep_forever()


async def test_a_peer_that_leaves_the_protocol_on_an_open_line_is_left() -> None:
    async with served(_raves) as url:
        with lost("1002", Cause.CLOSED):
            async with dialled(url):
                await trio.sleep_forever()


async def test_a_farewell_is_heard_though_the_peer_never_closes() -> None:
    async with served(partial(_deaf, '{"lwp": "/s/session/remove", "headers": {}}')) as url:
        with pytest.RaisesGroup(SessionTaken, allow_unwrapped=True, flatten_subgroups=True):
            async with dialled(url):
                await trio.sleep_forever()


async def test_a_line_that_we_leave_ends_well_though_the_peer_never_closes() -> None:
    async with served(partial(_deaf, None)) as url:
        began = time.monotonic()
        async with dialled(url):
            await trio.sleep(0.05)
        assert time.monotonic() - began < 3
