"""Events as they happen, and those that were missed."""

from __future__ import annotations

import re
from typing import Annotated, Final

import attrs
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from xybot.events import KINDS
from xybot.store import events
from xybot.web.endpoint import endpoint
from xybot.web.house import House
from xybot.web.problems import misfit
from xybot.web.sse import IDLE, EventStream, lines
from xybot.web.stream import Filter

LAST_ID: Final = "last-event-id"
LOST: Final = "events.lost"
"""What a stream begins with when events are gone that it was to begin with."""
_HEADERS: Final = {
    "Last-Event-ID": {
        "type": "string",
        "pattern": "^[0-9]{1,18}$",
        "description": "最后收到的事件编号，接着往后发 (the last one known; goes before `after`)",
    }
}
_NAMES: Final = frozenset(kind.name for kind in KINDS)
_FAMILIES: Final = frozenset(f"{name.partition('.')[0]}.*" for name in _NAMES)


@attrs.frozen(kw_only=True)
class EventQuery:
    """Which events."""

    account: Annotated[
        str, Meta(max_length=2000, description="只要这些账号，逗号隔开 (of these accounts only)")
    ] = ""
    type: Annotated[
        str,
        Meta(
            max_length=2000,
            description="只要这些事件，逗号隔开，可写 reply.* (of these types only)",
        ),
    ] = ""
    after: (
        Annotated[
            int,
            Meta(
                ge=0,
                description="从这个编号之后开始；不写只要新的 (begin after it; else what is new)",
            ),
        ]
        | None
    ) = None


@endpoint("GET", "/api/v1/events", "read", media=EventStream.media_type, headers=_HEADERS)
async def stream_events(house: House, request: Request, query: EventQuery) -> Response:
    """实时事件流，断线后凭 Last-Event-ID 接着收 (events as they happen, resumed by Last-Event-ID).

    Server-Sent Events: `id` is the number of the event, `event` its type, `data` the event as a
    JSON object (`id`, `type`, `account`, `at`, `data`).  Events are kept for seven days; whoever
    resumes from before that gets an `events.lost` with how many are gone (null: nobody knows).
    """
    after = after_of(request, query.after)
    wanted = Filter(accounts=_words(query.account), types=_types(query.type))
    begun = await begin(house, after)
    pieces = house.stream.follow(begun.after, wanted, lines, idle=IDLE)
    return EventStream(begun.after, pieces, _lost(begun.lost))


@attrs.frozen
class Begun:
    """Where somebody goes on."""

    after: int
    """The id of the last event before that."""
    lost: int | None = 0
    """How many are gone of those that they miss; None: nobody knows."""


def _lost(count: int | None) -> str:
    if count == 0:
        return ""
    return f'event: {LOST}\ndata: {{"lost":{"null" if count is None else count}}}\n'


async def begin(house: House, after: int | None) -> Begun:
    """Return where somebody goes on who knows the events up to one; None: they want new ones."""
    if after is None:
        return Begun(house.stream.newest)
    first, newest = await house.store.read(events.ends)
    if after > newest:
        return Begun(first - 1, None)  # Of another database: the numbers began anew.
    return Begun(max(after, first - 1), max(0, first - 1 - after))


def after_of(request: Request, asked: int | None) -> int | None:
    """Return the event after which somebody goes on: as they resume, or else as they asked.

    Raises:
      Problem: the header is no id.
    """
    given = request.headers.get(LAST_ID)
    if given is None:
        return asked
    if re.fullmatch(r"[0-9]{1,18}", given.strip()) is None:
        raise misfit(f"header.{LAST_ID}", "应为事件编号 (want the id of an event)")
    return int(given)


def _words(given: str) -> frozenset[str]:
    return frozenset(filter(None, (word.strip() for word in given.split(","))))


def _types(given: str) -> frozenset[str]:
    types = _words(given)
    if unknown := sorted(types - _NAMES - _FAMILIES):
        known = ", ".join(sorted(_NAMES))
        raise misfit(
            "query.type", f"没有这种事件 {unknown[0]}，可用 (no such type; known): {known}"
        )
    return types


ENDPOINTS: Final = (stream_events,)
