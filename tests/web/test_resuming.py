"""Coming back to the event stream after a long time: what is gone is said."""

from __future__ import annotations

from pathlib import Path

import trio

from tests.conftest import Shop
from tests.web.listening import EVER, PATH, happen, ids, listening, told
from tests.web.office import READ, Office, Wire, errors, open_office
from xybot.store import events


async def test_that_everything_is_gone_is_told(
    autojump_clock, open_for_business: Shop, tmp_path: Path
) -> None:
    async with open_office(open_for_business, tmp_path) as office:
        happen(office, 10)
        await trio.sleep(1)
        newest = office.house.chronicle.newest
        await office.shop.store.transact(events.prune, until=EVER)
        async with listening(office, last_event_id=f"{newest - 4}") as wire:
            happen(office)
    lost, after = told(wire)
    assert (lost.name, lost.data) == ("events.lost", {"lost": 4})
    assert after.id == newest + 1


async def test_who_knows_events_that_never_were_is_told_all_that_there_is(
    autojump_clock, office: Office
) -> None:
    """The database is another one: the numbers began anew."""
    happen(office, 3)
    await trio.sleep(1)
    async with listening(office, last_event_id="999999") as wire:
        pass
    lost, *found = told(wire)
    assert (lost.name, lost.data) == ("events.lost", {"lost": None})
    assert ids(wire)[1:] == [each.id for each in found]
    assert len(found) == office.house.chronicle.newest


async def test_an_event_before_the_first_one_is_a_wrong_field(
    autojump_clock, office: Office
) -> None:
    answer = await office.get(f"{PATH}?after=-5")
    assert (answer.status_code, list(errors(answer))) == (422, ["query.after"])


async def test_asking_for_the_head_of_the_stream_ends(autojump_clock, office: Office) -> None:
    wire = Wire(office.app, "HEAD", PATH, {"authorization": f"Bearer {READ}"})
    with trio.fail_after(60):
        await wire.run()
    assert (wire.status, wire.sent) == (200, b"")


async def test_a_page_that_was_away_for_long_is_told_that_everything_is_new(
    autojump_clock, office: Office
) -> None:
    happen(office, 600)
    await trio.sleep(1)
    headers = {"authorization": f"Bearer {READ}", "last-event-id": "1"}
    wire = Wire(office.app, "GET", "/live", headers)
    with trio.move_on_after(5):
        await wire.run()
    names = [line for line in wire.sent.decode().splitlines() if line.startswith("event:")]
    assert sorted(names) == [
        "event: accounts",
        "event: chat",
        "event: chats",
        "event: drafts",
        "event: orders",
        "event: outages",
        "event: stock",
    ]
