"""Drafts over the API: what waits is listed, changed, and said or dropped by one word, once."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from tests.conftest import SHOP
from tests.web.office import READ, SEND, Office, errors
from xybot.events import DraftApproved, ReplyDrafted, ReplyDropped, ReplySent
from xybot.model import Decision, Image, Reply, Sayable, Text, Turn
from xybot.web.reply import LONGEST_TEXT

LIST = "/api/v1/drafts"
HELD = "像联系方式 (looks like a contact)"


def draft(office: Office, *contents: Sayable) -> None:
    """Have every reply wait for its seller."""

    async def decide(turn: Turn, _now: int) -> Decision:
        said = contents or (Text(f"回：{turn.text}"),)
        reply = Reply(contents=said, source="ai", because="模型的回答 (the model)")
        return Decision(reply=reply, passed=(), mode="draft", held=HELD)

    office.shop.decide = decide


async def hear(office: Office, *buyers: str) -> None:
    for buyer in buyers:
        office.shop.says("在吗", buyer)
        await trio.sleep(5)


async def waiting(office: Office, query: str = "") -> list[dict[str, Any]]:
    answer = await office.get(f"{LIST}?{query}")
    assert answer.status_code == 200
    return answer.json()["items"]


async def one(office: Office) -> dict[str, Any]:
    (found,) = await waiting(office)
    return found


def path(found: dict[str, Any], order: str = "") -> str:
    here = f"/api/v1/accounts/{found['account']}/drafts/{found['uuid']}"
    return f"{here}/{order}" if order else here


def told(office: Office, *kinds: type) -> list[Any]:
    return [event for event in office.shop.events if isinstance(event, kinds)]


async def test_a_draft_is_shown_with_its_words_and_why_it_waits(
    autojump_clock, office: Office
) -> None:
    draft(office)
    await hear(office, "小王")
    found = await one(office)
    assert found.pop("uuid")
    assert found.pop("since") <= office.house.now_ms()
    assert isinstance(found.pop("turn"), int)
    assert found == {
        "account": SHOP,
        "chat": office.chat(),
        "kind": "text",
        "text": "回：在吗",
        "url": None,
        "source": "ai",
        "because": "模型的回答 (the model)",
        "held": HELD,
    }
    assert office.shop.heard == []
    (event,) = told(office, ReplyDrafted)
    assert (event.text, event.held) == ("回：在吗", HELD)
    (chat,) = (await office.get("/api/v1/chats?show=drafts")).json()["items"]
    assert (chat["id"], chat["drafts"]) == (office.chat(), 1)


async def test_an_approved_draft_is_said_and_told_and_waits_no_more(
    autojump_clock, office: Office
) -> None:
    draft(office)
    await hear(office, "小王")
    found = await one(office)
    await trio.sleep(3600)  # Its age does not matter: it waited for its seller.
    answer = await office.post(path(found, "approve"), token=SEND)
    assert answer.status_code == 200
    assert answer.json()["text"] == "回：在吗"
    await trio.sleep(5)
    assert office.shop.heard == ["回：在吗"]
    assert await waiting(office) == []
    approved, sent = told(office, DraftApproved, ReplySent)
    assert isinstance(approved, DraftApproved)
    assert approved.uuid == sent.uuid == found["uuid"]
    assert approved.text == sent.text == "回：在吗"


async def test_an_edited_draft_goes_on_waiting_and_is_said_as_it_was_changed(
    autojump_clock, office: Office
) -> None:
    draft(office)
    await hear(office, "小王")
    found = await one(office)
    answer = await office.ask("PATCH", path(found), {"text": "在的，亲 😀"}, token=SEND)
    assert answer.status_code == 200
    assert answer.json() == {**found, "text": "在的，亲 😀"}
    assert await one(office) == answer.json()
    await trio.sleep(60)
    assert office.shop.heard == []
    await office.post(path(found, "approve"))
    await trio.sleep(5)
    assert office.shop.heard == ["在的，亲 😀"]
    assert [event.text for event in told(office, DraftApproved)] == ["在的，亲 😀"]


async def test_a_rejected_draft_is_never_said_and_told_as_dropped(
    autojump_clock, office: Office
) -> None:
    draft(office)
    await hear(office, "小王")
    found = await one(office)
    answer = await office.post(path(found, "reject"), token=SEND)
    assert (answer.status_code, answer.json()["uuid"]) == (200, found["uuid"])
    await trio.sleep(60)
    assert office.shop.heard == []
    assert await waiting(office) == []
    (dropped,) = told(office, ReplyDropped)
    assert (dropped.uuid, dropped.text) == (found["uuid"], "回：在吗")
    assert "卖家没有批准" in dropped.why
    lines = await office.get(f"/api/v1/accounts/{SHOP}/chats/{office.chat()}/messages")
    assert lines.json()["items"][-1]["sending"]["state"] == "dropped"


@pytest.mark.parametrize("first", ["approve", "reject"])
async def test_what_was_settled_once_is_no_draft_any_more(
    autojump_clock, office: Office, first: str
) -> None:
    draft(office)
    await hear(office, "小王")
    found = await one(office)
    assert (await office.post(path(found, first))).status_code == 200
    answers = [await office.post(path(found, order)) for order in ("approve", "reject")]
    answers.append(await office.ask("PATCH", path(found), {"text": "别的"}))
    for answer in answers:
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    await trio.sleep(60)
    assert office.shop.heard == (["回：在吗"] if first == "approve" else [])
    assert len(told(office, DraftApproved, ReplyDropped)) == 1


async def test_ten_who_approve_at_the_same_moment_have_it_said_once(
    autojump_clock, office: Office
) -> None:
    draft(office)
    await hear(office, "小王")
    found, statuses = await one(office), []

    async def approve() -> None:
        statuses.append((await office.post(path(found, "approve"))).status_code)

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(approve)
    await trio.sleep(5)
    assert sorted(statuses) == [200, *9 * [404]]
    assert office.shop.heard == ["回：在吗"]
    assert len(told(office, DraftApproved)) == 1


async def test_each_message_of_a_reply_is_a_draft_of_its_own_of_one_turn(
    autojump_clock, office: Office
) -> None:
    url = "https://img.alicdn.com/1.jpg"
    draft(office, Text("一"), Image(url), Text("三"))
    await hear(office, "小王")
    first, picture, third = await waiting(office)
    assert first["turn"] == picture["turn"] == third["turn"]
    assert (picture["kind"], picture["text"], picture["url"]) == ("image", None, url)
    await office.post(path(picture, "reject"))
    await office.post(path(first, "approve"))
    await trio.sleep(5)
    await office.post(path(third, "approve"))
    await trio.sleep(5)
    assert office.shop.heard == ["一", "三"]


async def test_a_draft_that_is_approved_while_the_account_is_off_line_is_said_when_it_is_back(
    autojump_clock, office: Office
) -> None:
    draft(office)
    await hear(office, "小王")
    office.shop.faults.refuse_dial(3)
    office.shop.faults.cut()
    await trio.sleep(0.01)
    assert (await office.post(path(await one(office), "approve"))).status_code == 200
    assert office.shop.heard == []
    await trio.sleep(60)
    assert office.shop.heard == ["回：在吗"]


async def test_a_seller_who_answers_by_hand_has_no_draft_left_to_approve(
    autojump_clock, office: Office
) -> None:
    draft(office)
    await hear(office, "小王", "阿杰")
    (mine,) = [each for each in await waiting(office) if each["chat"] == office.chat()]
    office.shop.platform.seller_says(office.shop.sim, "小王", "我来说")
    await trio.sleep(1)
    assert [each["chat"] for each in await waiting(office)] == [office.chat("阿杰")]
    assert (await office.post(path(mine, "approve"))).status_code == 404
    await trio.sleep(30)
    assert office.shop.heard == []


@pytest.mark.parametrize("limit", [1, 2, 5, 200])
async def test_pages_of_any_size_list_each_draft_once_the_oldest_first(
    autojump_clock, office: Office, limit: int
) -> None:
    draft(office)
    buyers = ["甲", "乙", "丙", "丁", "戊"]
    await hear(office, *buyers)
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = await office.get(f"{LIST}?account={SHOP}&limit={limit}&cursor={cursor}")
        page = answer.json()
        assert len(page["items"]) <= limit
        found += [each["chat"] for each in page["items"]]
        cursor = page["next"]
    assert found == [office.chat(buyer) for buyer in buyers]


async def test_words_that_cannot_be_said_are_a_wrong_field_and_change_nothing(
    autojump_clock, office: Office
) -> None:
    draft(office)
    await hear(office, "小王")
    found = await one(office)
    for text in ("", "x" * (LONGEST_TEXT + 1), None, 5, ["x"]):
        answer = await office.ask("PATCH", path(found), {"text": text})
        assert (answer.status_code, list(errors(answer))) == (422, ["body.text"])
    answer = await office.ask("PATCH", path(found), {"text": "x", "held": ""})
    assert list(errors(answer)) == ["body.held"]
    assert await one(office) == found


async def test_what_nobody_knows_is_not_found(autojump_clock, office: Office) -> None:
    draft(office)
    await hear(office, "小王")
    found = await one(office)
    for wrong in ({**found, "uuid": "1"}, {**found, "account": "nobody"}):
        for order in ("approve", "reject"):
            assert (await office.post(path(wrong, order))).status_code == 404
        answer = await office.ask("PATCH", path(wrong), {"text": "x"})
        assert answer.status_code == 404
    assert (await office.get(f"{LIST}?account=nobody")).status_code == 404
    assert await one(office) == found


async def test_a_reader_sees_drafts_and_only_a_sender_settles_them(
    autojump_clock, office: Office
) -> None:
    draft(office)
    await hear(office, "小王")
    found = await one(office)
    for order in ("approve", "reject"):
        assert (await office.post(path(found, order), token=READ)).status_code == 403
    changed = await office.ask("PATCH", path(found), {"text": "x"}, token=READ)
    assert changed.status_code == 403
    assert (await office.get(LIST, token=READ)).json()["items"] == [found]
    assert (await office.get(LIST, token=SEND)).status_code == 403
