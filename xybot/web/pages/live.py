"""What has changed, told to an open page as it happens, so that it shows it without a reload."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Final

import msgspec
from starlette.responses import Response

from xybot.store.events import Recorded
from xybot.web.api.events import after_of
from xybot.web.pages.visit import Visit, page
from xybot.web.sse import IDLE, EventStream
from xybot.web.stream import Filter, Piece, Render, Stream

_TOPICS: Final[Mapping[str, str]] = {
    "account": "accounts",
    "message": "chats",
    "reply": "chats",
    "send": "chats",
    "chat": "chats",
    "draft": "drafts",
    "gap": "outages",
}
"""First word of the name of an event -> what of a page it changes."""


_FEW: Final = 500
"""Events that a page may have missed, and is still told one by one."""


class _Place(msgspec.Struct):
    chat: str | None = None


@page("/live")
async def live(visit: Visit) -> Response:
    """Name the parts of a page that have changed, for as long as it is open."""
    query = visit.request.query_params
    render = _named(query.get("account", ""), query.get("chat", ""))
    after, stream = after_of(visit.request, None), visit.house.stream
    if after is None:
        after = stream.newest
    if 0 <= stream.newest - after <= _FEW:
        return EventStream(after, stream.follow(after, Filter(), render, idle=IDLE))
    return EventStream(stream.newest, _all_anew(stream, render))


async def _all_anew(stream: Stream, render: Render) -> AsyncGenerator[Piece | None, None]:
    """Name every part: a page that was away for long is cheaper to fetch than to follow."""
    every = sorted({*_TOPICS.values(), "chat"})
    yield Piece("".join(map(_event, every)).encode(), stream.newest)
    async with aclosing(stream.follow(stream.newest, Filter(), render, idle=IDLE)) as pieces:
        async for piece in pieces:
            yield piece


def _named(account: str, chat: str) -> Render:
    """Return what writes an event for a page, which may show one chat."""

    def render(event: Recorded) -> bytes:
        names = {_TOPICS.get(event.name.partition(".")[0], "")}
        if event.name in ("reply.drafted", "reply.dropped"):
            names.add("drafts")
        if chat and event.account == account and _chat_of(event) == chat:
            names.add("chat")
        told = "".join(map(_event, sorted(names - {""})))
        return f"id: {event.id}\n{told}\n".encode() if told else b""

    return render


def _event(name: str) -> str:
    return f"event: {name}\ndata: \n\n"


def _chat_of(event: Recorded) -> str | None:
    return msgspec.json.decode(event.body, type=_Place).chat


PAGES: Final = (live,)
