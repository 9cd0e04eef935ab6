"""Server-Sent Events as a response: pieces of text until the other side leaves."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

import trio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from xybot.store.events import Recorded
from xybot.web.stream import Piece

IDLE: Final = 15.0
"""Seconds after which something is sent all the same, so that nothing in between gives up."""
_NOTHING: Final = b": still here\n\n"
_AGAIN: Final = 3000
"""Milliseconds after which a browser comes back by itself."""


def lines(event: Recorded) -> bytes:
    """Return an event as a message of the stream."""
    text = f"id: {event.id}\nevent: {event.name}\ndata: {event.envelope}\n\n"
    return text.encode("utf-8", "replace")


class EventStream(Response):
    """Sends pieces as they come; ends when the other side is gone."""

    media_type = "text/event-stream"

    def __init__(
        self, after: int, pieces: AsyncGenerator[Piece | None, None], hello: str = ""
    ) -> None:
        """Begin a stream.

        Args:
          after: the id of the last event before it; who resumes at once goes on from there.
          pieces: what comes; None is nothing for a while.
          hello: what it begins with: messages, the last one without its end.
        """
        super().__init__()
        del self.headers["content-length"]
        self.headers["cache-control"] = "no-store"
        self.headers["x-accel-buffering"] = "no"  # Or a proxy would gather what is live.
        self._pieces = pieces
        self._hello = f"retry: {_AGAIN}\n{hello}id: {after}\n\n".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of ASGI."""
        head = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(head)
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body"})
            return
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_leave, receive, nursery.cancel_scope)
            await send(_body(self._hello))
            async with aclosing(self._pieces) as pieces:
                async for piece in pieces:
                    await send(_body(_NOTHING if piece is None else piece.text))


def _body(text: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": text, "more_body": True}


async def _leave(receive: Receive, scope: trio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
