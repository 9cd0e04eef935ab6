"""Taking chats over from outside, and handing them back: told once, and kept."""

from __future__ import annotations

from pathlib import Path

import attrs
import httpx
import trio

from tests.conftest import SHOP, Shop, clock_ms
from tests.web.office import Office, open_office
from xybot.events import ChatPaused, ChatResumed
from xybot.model import AccountState, Decision, Reply, Text, Turn
from xybot.web.app import application
from xybot.web.metrics import Metrics


def here(office: Office, what: str = "") -> str:
    return f"/api/v1/accounts/{SHOP}/chats/{office.chat()}{what}"


async def hear(office: Office, text: str = "在吗") -> None:
    office.shop.says(text)
    await trio.sleep(10)


def told(office: Office, kind: type) -> int:
    return sum(isinstance(each, kind) for each in office.shop.events)


async def test_taking_over_twice_is_told_once(autojump_clock, office: Office) -> None:
    await hear(office)
    for _ in range(2):
        await office.post(here(office, "/take-over"))
    assert told(office, ChatPaused) == 1


async def test_a_short_pause_does_not_end_a_take_over(autojump_clock, office: Office) -> None:
    await hear(office)
    await office.post(here(office, "/take-over"))
    await office.post(here(office, "/pause"), {"seconds": 1})
    await trio.sleep(5)
    assert (await office.get(here(office))).json()["taken_over"]


async def test_handing_back_a_chat_whose_pause_is_over_tells_nothing(
    autojump_clock, office: Office
) -> None:
    await hear(office)
    await office.post(here(office, "/pause"), {"seconds": 1})
    await trio.sleep(60)
    assert not (await office.get(here(office))).json()["taken_over"]
    await office.post(here(office, "/hand-back"))
    assert told(office, ChatResumed) == 0


async def test_a_line_that_was_the_sellers_is_not_answered_with_the_next_one(
    autojump_clock, office: Office
) -> None:
    office.shop.says("一")
    await trio.sleep(1)
    for order in ("/take-over", "/hand-back"):
        await office.post(here(office, order))
    await hear(office, "二")
    assert office.shop.heard == ["二"]


async def test_a_take_over_while_an_answer_is_thought_of_keeps_it_from_being_said(
    autojump_clock, office: Office
) -> None:
    async def slow(turn: Turn, _now: int) -> Decision:
        await trio.sleep(20)
        return Decision(
            reply=Reply(contents=(Text(turn.text),), source="ai", because="x"), passed=()
        )

    office.shop.decide = slow
    office.shop.says("一")
    await trio.sleep(10)
    await office.post(here(office, "/take-over"))
    await office.post(here(office, "/hand-back"))
    await trio.sleep(1)
    office.shop.says("二")
    await trio.sleep(60)
    assert office.shop.heard == ["二"]


async def test_a_pause_is_written_and_read_by_one_clock(
    autojump_clock, open_for_business: Shop, tmp_path: Path
) -> None:
    """The clock of this machine is ten minutes fast; the platform's is right."""
    async with open_office(open_for_business, tmp_path) as office:
        house = attrs.evolve(office.house, now_ms=lambda: clock_ms() + 600_000)
        app = application(attrs.evolve(office.door, house=house), Metrics())
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://xybot") as client:
            office.client = client
            await hear(office)
            answer = await office.post(here(office, "/pause"), {"seconds": 300})
    assert answer.json()["taken_over"]


async def test_the_pause_of_an_account_is_told_once(
    autojump_clock, shop: Shop, tmp_path: Path, nursery: trio.Nursery
) -> None:
    nursery.start_soon(shop.supervisor().run)
    async with open_office(shop, tmp_path) as office:
        await trio.sleep(10)
        before = len(shop.states)
        await office.post(f"/api/v1/accounts/{SHOP}/pause")
        await trio.sleep(10)
        assert shop.states[before:] == [AccountState.CLOSED]
        assert shop.status.cause is not None
        assert shop.status.cause.value == "paused"
