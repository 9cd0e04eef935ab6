"""What has changed, told to an open page as it happens, so that it shows it without a reload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.responses import Response

from xybot.store.events import Recorded
from xybot.web.api.events import after_of
from xybot.web.pages.visit import Visit, page
from xybot.web.sse import IDLE, EventStream
from xybot.web.stream import Filter, Render

_TOPICS: Final[Mapping[str, str]] = {
    "account": "accounts",
    "message": "chats",
    "reply": "chats",
    "send": "chats",
    "chat": "chats",
    "draft": "drafts",
    "gap": "outages",
    "order": "orders",
    "delivery": "orders",
    "stock": "stock",
}
"""First word of the name of an event -> what of a page it changes."""


_FEW: Final = 500
"""Events that a page may have missed, and is still told one by one."""


def _event(name: str) -> str:
    return f"event: {name}\ndata: \n\n"


_EVERYTHING: Final = "".join(map(_event, sorted({*_TOPICS.values(), "chat"})))


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
    # A page that was away for long is cheaper to fetch than to follow.
    is_far = not 0 <= stream.newest - after <= _FEW
    if is_far:
        after = stream.newest
    pieces = stream.follow(after, Filter(), render, idle=IDLE)
    return EventStream(after, pieces, _EVERYTHING if is_far else "")


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


def _chat_of(event: Recorded) -> str | None:
    return msgspec.json.decode(event.body, type=_Place).chat


PAGES: Final = (live,)
