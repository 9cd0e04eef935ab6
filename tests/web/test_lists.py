"""Lists over the API, page by page, while others change what is in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from tests.conftest import SHOP, Shop
from tests.web.office import Office, errors, open_office
from xybot.model import Decision, Reply, Text, Turn
from xybot.web import cursors


async def draft(turn: Turn, _now: int) -> Decision:
    """Answer with the buyer's own words, once the seller has approved them."""
    reply = Reply(contents=(Text(turn.text),), source="ai", because="x")
    return Decision(reply=reply, passed=(), mode="draft", held="h")


def chat(office: Office) -> str:
    return f"/api/v1/accounts/{SHOP}/chats/{office.chat()}/messages"


BEYOND: dict[str, tuple[Callable[[Office], str], object]] = {
    "outages": (lambda _: "/api/v1/outages", 2**70),
    "chats": (lambda _: "/api/v1/chats", (2**70, SHOP, "1")),
    "messages": (chat, (2**70, 0, 0)),
    "drafts": (lambda _: "/api/v1/drafts", -1),
    "accounts": (lambda _: "/api/v1/accounts", (-3, SHOP)),
    "orders": (lambda _: "/api/v1/orders", (2**70, SHOP, "1")),
    "rules": (lambda _: "/api/v1/rules", 5),
}


@pytest.mark.parametrize("which", BEYOND)
async def test_a_cursor_that_no_page_gave_is_a_wrong_field(
    autojump_clock, office: Office, which: str
) -> None:
    office.shop.says("在吗")
    await trio.sleep(10)
    path, place = BEYOND[which]
    answer = await office.get(f"{path(office)}?cursor={cursors.write(place)}")
    assert (answer.status_code, list(errors(answer))) == (422, ["query.cursor"])


async def test_what_is_asked_twice_in_a_query_is_a_wrong_field(
    autojump_clock, office: Office
) -> None:
    answer = await office.get("/api/v1/accounts?limit=1&limit=2")
    assert (answer.status_code, list(errors(answer))) == (422, ["query.limit"])


async def test_drafts_that_are_settled_between_two_pages_hide_no_others(
    autojump_clock, office: Office
) -> None:
    office.shop.decide = draft
    for n in range(4):
        office.shop.says(f"{n}", f"买家{n}")
        await trio.sleep(10)
    page = (await office.get("/api/v1/drafts?limit=2")).json()
    for each in page["items"]:
        await office.post(f"/api/v1/accounts/{SHOP}/drafts/{each['uuid']}/approve")
    rest = (await office.get(f"/api/v1/drafts?limit=2&cursor={page['next']}")).json()
    assert [each["text"] for each in rest["items"]] == ["2", "3"]


async def test_rules_that_come_and_go_between_two_pages_hide_no_others(
    autojump_clock, office: Office
) -> None:
    for n in range(5):
        await office.post("/api/v1/rules", {"keywords": [f"词{n}"], "reply": ["好"]})
    page = (await office.get("/api/v1/rules?limit=3")).json()
    await office.ask("DELETE", f"/api/v1/rules/{page['items'][1]['id']}")
    rest = (await office.get(f"/api/v1/rules?limit=9&cursor={page['next']}")).json()
    assert [each["keywords"] for each in rest["items"]] == [["词2"], ["词3"], ["词4"]]


async def test_the_last_one_shown_may_be_the_one_that_is_gone(
    autojump_clock, office: Office
) -> None:
    for n in range(4):
        await office.post("/api/v1/rules", {"keywords": [f"词{n}"], "reply": ["好"]})
    page = (await office.get("/api/v1/rules?limit=3")).json()
    await office.ask("DELETE", f"/api/v1/rules/{page['items'][-1]['id']}")
    rest = (await office.get(f"/api/v1/rules?cursor={page['next']}")).json()
    assert [each["keywords"] for each in rest["items"]] == [["词2"], ["词3"]]


async def test_accounts_come_page_by_page(
    autojump_clock, open_for_business: Shop, tmp_path: Path
) -> None:
    accounts = [{"id": f"shop-{n}", "enabled": False} for n in range(5)]
    seen: list[str] = []
    async with open_office(open_for_business, tmp_path, accounts=accounts) as office:
        cursor = ""
        while cursor is not None:
            page = (await office.get(f"/api/v1/accounts?limit=2&cursor={cursor}")).json()
            seen += [each["id"] for each in page["items"]]
            cursor = page["next"]
    assert seen == [each["id"] for each in accounts]
