"""A platform whose lines are listened to: what goes over them, and when."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio
from trio_websocket import WebSocketConnection

from xybot.errors import WireError
from xybot.simulator import Platform
from xybot.wire import frames


@attrs.define(eq=False, slots=False)
class Listening(Platform):
    """Counts what the bot and the platform say to each other; clear it as you like."""

    heartbeats: list[float] = attrs.field(factory=list, init=False)
    """When the bot sent one, by trio's clock."""
    pauses: list[float] = attrs.field(factory=list, init=False)
    """Seconds from a heartbeat to the next one of the same line."""
    repeated: int = attrs.field(default=0, init=False)
    """Frames that were pushed again on the same line."""
    acknowledging: float = attrs.field(default=0, init=False)
    """Seconds that an acknowledgement takes to be sent: a slow way up."""

    @asynccontextmanager
    async def dial(self, *args, **kwargs) -> AsyncIterator[Line]:
        async with super().dial(*args, **kwargs) as ws:
            yield Line(ws, self)


@attrs.define(eq=False)
class Line:
    """One connection of the bot."""

    ws: WebSocketConnection
    platform: Listening
    pushed: set[str | None] = attrs.Factory(set)
    last_beat: float | None = None

    async def send_message(self, text: str) -> None:
        frame = frames.decode(text)
        if frame.lwp == "/!":
            self.beat(trio.current_time())
        elif frame.lwp is None:
            await trio.sleep(self.platform.acknowledging)
        await self.ws.send_message(text)

    def beat(self, now: float) -> None:
        self.platform.heartbeats.append(now)
        if self.last_beat is not None:
            self.platform.pauses.append(now - self.last_beat)
        self.last_beat = now

    async def get_message(self) -> str | bytes:
        text = await self.ws.get_message()
        try:
            frame = frames.decode(text)
        except WireError:
            return text
        if frame.lwp in ("/s/sync", "/s/sync_failover"):
            self.platform.repeated += frame.mid in self.pushed
            self.pushed.add(frame.mid)
        return text
