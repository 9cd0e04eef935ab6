"""A bare client of the platform, made of `xybot.wire` alone: it believes nothing."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
import httpx
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection

from xybot.model import UserId
from xybot.simulator import Platform
from xybot.simulator.world import SimAccount
from xybot.wire import frames, jsontext, payload, reading, requests, sign
from xybot.wire.frames import Frame
from xybot.wire.pushes import Push
from xybot.wire.requests import Request

TOKEN = "mtop.taobao.idlemessage.pc.login.token"
DEVICE = "a" * 36 + "-device"


class RefusedError(Exception):
    """`/reg` was not answered 200."""


@attrs.define(eq=False)
class Client:
    """Reads frame by frame; `acks` says whether it confirms what it reads."""

    ws: WebSocketConnection
    account: SimAccount
    acks: bool = True
    pushes: list[Frame] = attrs.Factory(list)
    _mids: Any = attrs.Factory(lambda: itertools.count(1))

    async def ask(self, request: Request) -> Frame:
        """Send a request, and read until its answer comes; keep the pushes in between."""
        mid = f"{next(self._mids)}77 0"
        headers = request.headers | {"mid": mid}
        await self.send(Frame(lwp=request.lwp, headers=headers, body=request.body))
        while True:
            frame = await self._read()
            if frame.lwp is None and frame.headers["mid"] == mid:
                return frame

    async def send(self, frame: Frame) -> None:
        await self.ws.send_message(frames.encode(frame))

    async def _read(self) -> Frame:
        frame = frames.decode(await self.ws.get_message())
        if frame.lwp is not None:
            self.pushes.append(frame)
            if self.acks:
                with contextlib.suppress(ConnectionClosed):  # after a farewell
                    await self.send(frames.acknowledgement(frame))
        return frame

    async def push(self, *lwps: str) -> Frame:
        """Return the next push of these paths, or else of `/s/sync`; others are passed over."""
        wanted = lwps or ("/s/sync",)
        while True:
            for n, frame in enumerate(self.pushes):
                if frame.lwp in wanted:
                    del self.pushes[n]
                    return frame
            await self._read()

    async def meant(self, lwp: str = "/s/sync") -> list[Push]:
        """Return what the entries of the next push mean."""
        frame = await self.push(lwp)
        return meanings(frame, self.account.user_id)

    async def quiet(self, seconds: float) -> bool:
        """Return whether no push comes for so long."""
        with trio.move_on_after(seconds):
            await self.push()
            return False
        return True

    async def register(self, token: str, device: str = DEVICE) -> Frame:
        return await self.ask(requests.register(token, device))


def meanings(frame: Frame, self_id: UserId) -> list[Push]:
    return [reading.read(entry, self_id) for entry in payload.entries(frame)]


@asynccontextmanager
async def on_line(
    platform: Platform, account: SimAccount, *, acks: bool = True
) -> AsyncIterator[Client]:
    """Dial, register and wait for `/s/vulcan`."""
    async with platform.dial() as ws:
        client = Client(ws, account, acks)
        token = platform.world.grant(account, DEVICE)
        answer = await client.register(token)
        if answer.code != 200:
            raise RefusedError(answer.body)
        await client.push("/s/vulcan")
        yield client


async def call(
    platform: Platform,
    api: str,
    data: Mapping[str, Any],
    cookies: Mapping[str, str],
    *,
    http: httpx.AsyncClient | None = None,
    token: str | None = None,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Make a signed call once; return the answer and the cookies after it."""
    text, t = jsontext.dumps(data), 1_790_000_000_000
    signature = sign.signature(sign.h5_token(cookies) if token is None else token, t, text)
    query = {"api": api, "v": "1.0", "appKey": sign.APP_KEY, "t": str(t), "sign": signature}
    async with contextlib.AsyncExitStack() as stack:
        if http is None:
            transport = httpx.ASGITransport(platform.http_app)
            http = await stack.enter_async_context(
                httpx.AsyncClient(transport=transport, base_url="http://sim")
            )
        answer = await http.post(
            f"/h5/{api}/1.0/",
            params=query,
            data={"data": text},
            headers={"Cookie": sign.cookie_header(cookies)},
        )
    return answer.json(), sign.merged(cookies, answer.headers.get_list("set-cookie"))
