"""What nobody should send: stored or quarantined, acknowledged, and life goes on."""

from __future__ import annotations

import base64

import pytest
import trio

from tests.conftest import Shop, clock_ms
from xybot.simulator.payloads import Entry, packed


def raw_entry(data: object) -> Entry:
    return Entry({"bizType": 40, "data": data, "objectType": 40000}, clock_ms(), "nobody")


def nested(depth: int) -> str:
    return base64.b64encode(b"\x91" * depth + b"\xc0").decode()


HOSTILE = {
    "5,000 nested arrays": lambda: raw_entry(nested(5000)),
    "5,000 nested arrays in JSON": lambda: raw_entry("[" * 5000 + "]" * 5000),
    "10 MB of text": lambda: raw_entry("A" * 10_000_000),
    "no base64": lambda: raw_entry("%%%%"),
    "nothing": lambda: raw_entry(None),
    "a number": lambda: raw_entry(7),
    "a message without anything": lambda: packed({1: {10: {}}}, 40000, clock_ms(), "nobody"),
    "numbers where texts should be": lambda: packed(
        {1: {1: {1: 5}, 2: 6, 3: 7, 5: "x", 6: {3: {4: "1", 5: 9}}, 10: {"sessionType": 1}}},
        40000,
        clock_ms(),
        "nobody",
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_hostile_entry_is_kept_acknowledged_and_spoils_no_other(
    autojump_clock, open_for_business: Shop, kind: str
) -> None:
    shop = open_for_business
    shop.platform.desks.of(shop.sim).push(HOSTILE[kind]())
    shop.says("在吗")
    await trio.sleep(20)
    assert shop.heard == ["在吗"]
    assert shop.platform.unacknowledged(shop.sim) == ()
    assert len(shop.connects) == 1
    books = await shop.books()
    assert len([row for row in books if row.kind != "own"]) == 2
    assert None not in [row.outcome for row in books]


@pytest.mark.parametrize(
    "text",
    ["", "null", "[1,2]", '"x"', "{", '{"lwp":', "{}" * 3, "[" * 5000, "\0", "x" * 10_000_000],
)
async def test_a_frame_that_is_none_is_kept_and_the_line_goes_on(
    autojump_clock, open_for_business: Shop, text: str
) -> None:
    shop = open_for_business
    shop.faults.garbage(text)
    shop.says("在吗")
    await trio.sleep(20)
    assert shop.heard == ["在吗"]
    assert len(shop.connects) == 1
    assert [row.outcome for row in await shop.books() if row.kind == "garbage"] == [
        "undecodable: not a frame"
    ]
