"""Listeners to the event stream, and what they got."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import msgspec
import trio

from tests.conftest import SHOP
from tests.web.office import READ, Office, Wire
from xybot.events import ChatResumed
from xybot.model import AccountId, ChatId
from xybot.store import events

PATH = "/api/v1/events"
EVER = 2**60
"""A time after all others (ms)."""


@attrs.frozen
class Told:
    """An event as it came out of the stream."""

    id: int
    name: str
    data: dict[str, Any]


def told(wire: Wire) -> list[Told]:
    """What a listener got, comments and hints left out."""
    found = []
    for block in wire.sent.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line[0] != ":")
        if "data" in fields:
            data = msgspec.json.decode(fields["data"])
            found.append(Told(int(fields["id"]), fields["event"], data))
    return found


def ids(wire: Wire) -> list[int]:
    return [each.id for each in told(wire)]


def listener(office: Office, query: str = "", **headers: str) -> Wire:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    given["authorization"] = f"Bearer {READ}"
    return Wire(office.app, "GET", f"{PATH}?{query}", given)


@asynccontextmanager
async def listening(office: Office, query: str = "", **headers: str) -> AsyncIterator[Wire]:
    """Listen for as long as the block runs, then leave in good order."""
    wire = listener(office, query, **headers)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wire.run)
        await trio.sleep(0.5)
        assert wire.status == 200
        yield wire
        await trio.sleep(5)
        wire.gone.set()


def happen(office: Office, times: int = 1, account: str = SHOP) -> None:
    """Let something happen, so many times."""
    for n in range(times):
        event = ChatResumed(account=AccountId(account), chat=ChatId(str(n)))
        office.house.chronicle.note(event)


async def stored(office: Office, after: int = 0) -> list[int]:
    """The ids of the events that the store has."""
    found = await office.shop.store.read(events.after, after, most=100_000)
    return [each.id for each in found]
