"""A bare trio-websocket server that counts echoes, and the client that gives them.

`echo.py server` prints its address and takes orders `{"count", "window"}` as JSON lines;
`echo.py client URL` answers every message, until it is ended.
"""

from __future__ import annotations

import random
import sys
from typing import Final

import attrs
import msgspec
import trio
from botfolder import REPLY
from trio_websocket import (
    ConnectionClosed,
    WebSocketConnection,
    WebSocketRequest,
    open_websocket_url,
    serve_websocket,
)

from xybot.model import ChatId, Text, UserId
from xybot.simulator import Platform, payloads
from xybot.wire import frames, requests
from xybot.wire.frames import Frame

_QUEUE: Final = 64
_BUFFER: Final = 65536
_DIGITS: Final = "1234567890123"


def push_text() -> str:
    """Return a push as the simulator writes one for a buyer's line."""
    platform = Platform(now_ms=lambda: 1_790_000_000_000, rng=random.Random(1))
    account = platform.add_account("echo")
    said = platform.buyer_says(account, "小王", "你好，这个还能再便宜一点吗？今天可以发货吗")
    entry = payloads.message(said, account.user_id)
    headers = payloads.push_headers("12340001 0", "0" * 44)
    return payloads.frame(payloads.SYNC, headers, [entry], said.sent_at)


def send_text() -> str:
    """Return a send request as the bot writes it."""
    chat, user = ChatId(_DIGITS[:11]), UserId(_DIGITS)
    request = requests.send(f"-{_DIGITS}123", chat, user, user, Text(REPLY))
    headers = {"mid": f"123{_DIGITS} 0"}
    return frames.encode(Frame(lwp=request.lwp, headers=headers, body=request.body))


@attrs.define(eq=False)
class Server:
    """Serves one client."""

    push: str = attrs.Factory(push_text)
    client: trio.Event = attrs.Factory(trio.Event)
    ws: WebSocketConnection = attrs.field(init=False)

    async def welcome(self, request: WebSocketRequest) -> None:
        """Keep a connection for the orders."""
        self.ws = await request.accept()
        self.client.set()
        await trio.sleep_forever()

    async def burst(self, count: int, window: int) -> float:
        """Exchange `count` messages, `window` of them unanswered; return the seconds."""
        await self.client.wait()
        began = trio.current_time()
        for _ in range(window):
            await self.ws.send_message(self.push)
        for n in range(count):
            await self.ws.get_message()
            if n + window < count:
                await self.ws.send_message(self.push)
        return trio.current_time() - began


def _tell(value: object) -> None:
    sys.stdout.write(f"{msgspec.json.encode(value).decode()}\n")
    sys.stdout.flush()


async def serve() -> None:
    """Take orders until there are no more."""
    server = Server()
    async with trio.open_nursery() as nursery:
        listener = await nursery.start(
            lambda task_status: serve_websocket(
                server.welcome,
                "127.0.0.1",
                0,
                None,
                message_queue_size=_QUEUE,
                receive_buffer_size=_BUFFER,
                task_status=task_status,
            )
        )
        _tell({"url": f"ws://127.0.0.1:{listener.port}/", "bytes": _sizes()})
        async for line in trio.wrap_file(sys.stdin):
            order = msgspec.json.decode(line)
            _tell({"seconds": await server.burst(order["count"], order["window"])})
        nursery.cancel_scope.cancel()


def _sizes() -> list[int]:
    return [len(push_text().encode()), len(send_text().encode())]


async def echo(url: str) -> None:
    """Answer every message with one of the size of a send request."""
    text = send_text()
    async with open_websocket_url(
        url, message_queue_size=_QUEUE, receive_buffer_size=_BUFFER, disconnect_timeout=1
    ) as ws:
        try:
            while True:
                await ws.get_message()
                await ws.send_message(text)
        except ConnectionClosed:
            return


if __name__ == "__main__":
    trio.run(serve) if sys.argv[1] == "server" else trio.run(echo, sys.argv[2])
