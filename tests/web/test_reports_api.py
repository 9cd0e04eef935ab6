"""Reports over the API: every outage with what became of it, and books that balance."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import trio

from tests.conftest import SHOP
from tests.web.office import READ, SEND, Office, errors
from xybot.errors import Cause
from xybot.model import Decision, Reply, Text, Turn
from xybot.web import cursors

OUTAGES = "/api/v1/outages"
BOOKS = "/api/v1/books"


async def outages(office: Office, query: str = "") -> list[dict[str, Any]]:
    answer = await office.get(f"{OUTAGES}?{query}")
    assert answer.status_code == 200
    return answer.json()["items"]


async def today(office: Office) -> dict[str, Any]:
    """The books of the one day that there is."""
    answer = await office.get(BOOKS)
    assert answer.status_code == 200
    assert answer.json()["contradictions"] == []
    (day,) = answer.json()["days"]
    return day


async def cut(office: Office, seconds: float = 5, *said: str) -> None:
    """Be off line for about so long; buyers say something meanwhile."""
    office.shop.faults.refuse_dial(1)
    office.shop.faults.cut()
    await trio.sleep(0.1)
    for n, text in enumerate(said):
        office.shop.says(text, f"买家{n}")
    await trio.sleep(seconds)
    while not office.shop.platform.on_line(office.shop.sim):
        await trio.sleep(0.1)
    await trio.sleep(30)


def decide_by_words(office: Office) -> None:
    """Answer most lines, and let what a line says decide what else becomes of it."""

    async def decide(turn: Turn, _now: int) -> Decision:
        reply = Reply(contents=(Text("好"),), source="rules", because="x")
        match turn.text:
            case "安静":
                return Decision(reply=Reply(contents=(), source="rules", because="x"), passed=())
            case "不懂":
                return Decision(reply=None, passed=(("rules", "没有匹配"),))
            case "演练":
                return Decision(reply=reply, passed=(), mode="dry_run", held="dry")
            case "草稿":
                return Decision(reply=reply, passed=(), mode="draft", held="draft")
        return Decision(reply=reply, passed=())

    office.shop.decide = decide


async def test_an_account_that_was_never_off_line_has_no_outages(
    autojump_clock, office: Office
) -> None:
    answer = await office.get(OUTAGES)
    assert answer.json() == {"items": [], "next": None}


async def test_an_outage_tells_from_when_to_when_why_and_what_became_of_each_line(
    autojump_clock, office: Office
) -> None:
    began = office.house.now_ms()
    await cut(office, 5, "一", "二", "三")
    (found,) = await outages(office)
    assert found["account"] == SHOP
    assert began - 20_000 <= found["since"] < found["until"] <= office.house.now_ms()
    assert found["cause"] in {cause.value for cause in Cause}
    assert found["because"]
    assert (found["recovered"], found["answered"]) == (3, 3)
    assert (found["late"], found["skipped"], found["unaccounted"]) == (0, 0, 0)
    assert sorted(office.shop.heard) == ["一", "三", "二"]


async def test_an_outage_whose_lines_have_no_outcome_yet_has_no_numbers_yet(
    autojump_clock, office: Office
) -> None:
    async def think(turn: Turn, _now: int) -> Decision:
        await trio.sleep(60)
        reply = Reply(contents=(Text(turn.text),), source="ai", because="x")
        return Decision(reply=reply, passed=())

    office.shop.decide = think
    await cut(office, 5, "一")
    (found,) = await outages(office)
    assert found["recovered"] is None
    assert found["answered"] is None
    await trio.sleep(150)
    (found,) = await outages(office)
    assert (found["recovered"], found["answered"]) == (1, 1)


@pytest.mark.parametrize("limit", [1, 2, 3, 200])
async def test_pages_of_any_size_list_each_outage_once_the_last_first(
    autojump_clock, office: Office, limit: int
) -> None:
    for _ in range(3):
        await cut(office)
    found: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await office.get(f"{OUTAGES}?limit={limit}&cursor={cursor}")).json()
        assert len(page["items"]) <= limit
        found += [each["since"] for each in page["items"]]
        cursor = page["next"]
    assert len(found) == 3
    assert found == sorted(set(found), reverse=True)


async def test_a_new_outage_does_not_shift_the_pages_of_somebody_who_reads_on(
    autojump_clock, office: Office
) -> None:
    for _ in range(3):
        await cut(office)
    whole = await outages(office)
    first = (await office.get(f"{OUTAGES}?limit=1")).json()
    await cut(office)
    assert first["items"] + await outages(office, f"cursor={first['next']}") == whole


@pytest.mark.parametrize("cursor", ["x", "%FF", cursors.write("1"), cursors.write([1])])
async def test_a_cursor_that_is_none_is_a_wrong_field(
    autojump_clock, office: Office, cursor: str
) -> None:
    answer = await office.get(f"{OUTAGES}?cursor={cursor}")
    assert (answer.status_code, list(errors(answer))) == (422, ["query.cursor"])


async def test_the_books_of_a_day_nobody_wrote_on_are_empty(autojump_clock, office: Office) -> None:
    assert (await office.get(BOOKS)).json() == {"days": [], "contradictions": []}


async def test_whatever_became_of_lines_the_books_balance(autojump_clock, office: Office) -> None:
    decide_by_words(office)
    for n, text in enumerate(("一", "二", "安静", "不懂", "演练", "草稿")):
        office.shop.says(text, f"买家{n}")
    await trio.sleep(20)
    office.shop.says("我的", "买家7")
    office.shop.platform.seller_says(office.shop.sim, "买家7", "我来说")
    await trio.sleep(20)
    office.shop.says("还没想好", "买家8")
    await trio.sleep(1)
    day = await today(office)
    local = datetime.fromtimestamp(office.house.now_ms() / 1000, UTC).astimezone()
    assert (day["account"], day["day"]) == (SHOP, local.date().isoformat())
    assert day["received"] == 8
    assert day["answered"] == 2
    assert day["skipped"] == {
        "silent": 1,
        "by hand": 1,
        "no answer": 1,
        "dry run": 1,
    }
    assert (day["waiting"], day["held"]) == (2, 0)
    assert (day["unaccounted"], day["balances"]) == (0, True)
    known = day["answered"] + sum(day["skipped"].values()) + day["waiting"] + day["held"]
    assert known == day["received"]


async def test_a_message_whose_fate_nobody_can_tell_is_held_in_the_books(
    autojump_clock, office: Office
) -> None:
    office.shop.says("在吗", "小王")
    await trio.sleep(1)
    office.shop.faults.swallow_pushes(1)  # The echo.
    office.shop.faults.lose_answers(1)
    office.shop.faults.refuse_history(99)
    await trio.sleep(120)
    day = await today(office)
    assert (day["received"], day["held"], day["answered"], day["waiting"]) == (1, 1, 0, 0)
    assert day["balances"]


async def test_the_books_can_be_of_one_account_and_of_so_many_days(
    autojump_clock, office: Office
) -> None:
    office.shop.says("在吗")
    await trio.sleep(10)
    whole = (await office.get(BOOKS)).json()
    for query in (f"account={SHOP}", "days=1", "days=366", "days=7&account="):
        assert (await office.get(f"{BOOKS}?{query}")).json() == whole


@pytest.mark.parametrize("days", ["0", "-1", "367", "week", "1.5", "", "9" * 30])
async def test_days_that_cannot_be_counted_are_a_wrong_field(
    autojump_clock, office: Office, days: str
) -> None:
    answer = await office.get(f"{BOOKS}?days={days}")
    assert (answer.status_code, list(errors(answer))) == (422, ["query.days"])


@pytest.mark.parametrize("path", [OUTAGES, BOOKS])
async def test_an_account_that_nobody_knows_has_no_reports_and_only_readers_have_any(
    autojump_clock, office: Office, path: str
) -> None:
    answer = await office.get(f"{path}?account=nobody")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert (await office.get(path, token=SEND)).status_code == 403
    assert (await office.get(path, token="")).status_code == 401
    assert (await office.get(path, token=READ)).status_code == 200
