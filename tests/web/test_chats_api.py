"""Chats over the API: found in the list, taken over, handed back, and left alone for a while."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
import trio

from tests.conftest import SHOP
from tests.web.office import READ, SEND, Office, errors
from xybot.events import ChatPaused, ChatResumed, ReplyDropped
from xybot.model import Decision, Reply, Text, Turn
from xybot.web import cursors
from xybot.web.api.chats import LONGEST_PAUSE

LIST = "/api/v1/chats"
ORDERS = ("take-over", "hand-back", "resume", "seen")


def path(office: Office, order: str = "", buyer: str = "小王") -> str:
    """Where a chat is, or what is asked of it."""
    here = f"/api/v1/accounts/{SHOP}/chats/{office.chat(buyer)}"
    return f"{here}/{order}" if order else here


async def chat(office: Office, buyer: str = "小王") -> dict[str, Any]:
    """A chat as the API shows it."""
    answer = await office.get(path(office, buyer=buyer))
    assert answer.status_code == 200
    return answer.json()


async def names(office: Office, query: str = "") -> list[str]:
    """The buyers of the chats that a query finds."""
    answer = await office.get(f"{LIST}?{query}")
    assert answer.status_code == 200
    return [each["buyer_name"] for each in answer.json()["items"]]


async def hear(office: Office, *buyers: str, text: str = "在吗") -> None:
    """Let buyers write, one after the other, and have them answered."""
    for buyer in buyers:
        office.shop.says(text, buyer)
        await trio.sleep(1)
    await trio.sleep(10)


def told(office: Office, kind: type) -> list[Any]:
    return [event for event in office.shop.events if isinstance(event, kind)]


def slowly(office: Office, seconds: float) -> None:
    """Have the bot think for so long about every answer."""

    async def decide(turn: Turn, _now: int) -> Decision:
        await trio.sleep(seconds)
        reply = Reply(contents=(Text("想好了"),), source="ai", because="x")
        return Decision(reply=reply, passed=())

    office.shop.decide = decide


async def test_a_chat_tells_who_is_there_about_what_and_what_is_new(
    autojump_clock, office: Office
) -> None:
    said = office.shop.platform.buyer_says(office.shop.sim, "小王", "在吗")
    office.shop.says("还在吗")
    await trio.sleep(10)
    found = await chat(office)
    assert found["last_at"] >= said.sent_at
    del found["last_at"]
    assert found == {
        "account": SHOP,
        "id": said.chat.id,
        "buyer_id": said.sender.id,
        "buyer_name": "小王",
        "item_id": said.chat.item.id,
        "unread": 2,
        "drafts": 0,
        "taken_over": False,
        "until": None,
    }
    assert (await office.get(LIST)).json()["next"] is None


async def test_the_chat_in_which_somebody_spoke_last_comes_first(
    autojump_clock, office: Office
) -> None:
    await hear(office, "甲", "乙", "丙")
    assert await names(office) == ["丙", "乙", "甲"]
    await hear(office, "甲")
    assert await names(office) == ["甲", "丙", "乙"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
async def test_pages_of_any_size_show_each_chat_once_in_order(
    autojump_clock, office: Office, limit: int
) -> None:
    buyers = [f"买家{n}" for n in range(7)]
    await hear(office, *buyers)
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await office.get(f"{LIST}?limit={limit}&cursor={cursor}")).json()
        assert len(page["items"]) <= limit
        found += [each["buyer_name"] for each in page["items"]]
        cursor = page["next"]
    assert found == buyers[::-1]


async def test_chats_of_one_moment_are_paged_without_losing_any(
    autojump_clock, office: Office
) -> None:
    for n in range(5):
        office.shop.says("在吗", f"买家{n}")
    found: set[str] = set()
    cursor: str | None = ""
    await trio.sleep(10)
    while cursor is not None:
        page = (await office.get(f"{LIST}?limit=2&cursor={cursor}")).json()
        found |= {each["id"] for each in page["items"]}
        cursor = page["next"]
    assert found == {office.chat(f"买家{n}") for n in range(5)}


@pytest.mark.parametrize(
    "cursor", ["x", "e30", cursors.write(7), cursors.write(("a", SHOP, "c")), "A" * 501]
)
async def test_a_cursor_of_something_else_is_a_wrong_field(
    autojump_clock, office: Office, cursor: str
) -> None:
    answer = await office.get(f"{LIST}?cursor={cursor}")
    assert answer.status_code == 422
    assert list(errors(answer)) == ["query.cursor"]


async def test_filters_find_the_unread_the_taken_over_and_those_of_an_account(
    autojump_clock, office: Office
) -> None:
    await hear(office, "甲", "乙", "丙")
    await office.post(path(office, "seen", "乙"))
    await office.post(path(office, "take-over", "甲"))
    assert await names(office, "show=unread") == ["丙", "甲"]
    assert await names(office, "show=taken_over") == ["甲"]
    assert await names(office, "show=drafts") == []
    assert await names(office, f"account={SHOP}") == ["丙", "乙", "甲"]
    assert await names(office, "account=&show=all") == ["丙", "乙", "甲"]


async def test_words_find_part_of_a_name_or_of_a_line_and_whole_ids(
    autojump_clock, office: Office
) -> None:
    await hear(office, "小王", text='有没有 100% 的"折扣"?')
    await hear(office, "小李_1", text="包邮吗")
    (found,) = (await office.get(f"{LIST}?words={quote('小王')}")).json()["items"]
    for words in ("王", "折扣", "100%", '的"折', " 折扣 ", found["id"], found["buyer_id"]):
        assert await names(office, f"words={quote(words)}") == ["小王"], words
    for words in ("小", found["item_id"]):
        assert await names(office, f"words={quote(words)}") == ["小李_1", "小王"], words
    for words in ("李_", "_", "包邮"):
        assert await names(office, f"words={quote(words)}") == ["小李_1"], words
    for words in ("0%_", "*", found["id"][:-1], "买家"):
        assert await names(office, f"words={quote(words)}") == [], words


async def test_wrong_questions_are_named_field_by_field(autojump_clock, office: Office) -> None:
    words = quote("长" * 101)
    answer = await office.get(f"{LIST}?show=some&limit=0&words={words}&color=red")
    assert answer.status_code == 422
    assert set(errors(answer)) == {"query.show", "query.limit", "query.words", "query.color"}
    assert "taken_over" in errors(answer)["query.show"]
    assert (await office.get(f"{LIST}?account=nobody")).status_code == 404


async def test_what_was_looked_at_is_unread_no_more_until_the_buyer_writes_again(
    autojump_clock, office: Office
) -> None:
    await hear(office, "小王", "小王")
    answer = await office.post(path(office, "seen"))
    assert (answer.status_code, answer.json()["unread"]) == (200, 0)
    assert (await office.post(path(office, "seen"))).status_code == 200
    await hear(office, "小王")
    assert (await chat(office))["unread"] == 1


async def test_a_take_over_drops_the_turn_in_preparation_and_nobody_answers_until_it_ends(
    autojump_clock, office: Office
) -> None:
    office.shop.says("在吗")
    office.shop.says("有人吗", "阿杰")
    await trio.sleep(1)
    answer = await office.post(path(office, "take-over"))
    assert answer.status_code == 200
    assert (answer.json()["taken_over"], answer.json()["until"]) == (True, None)
    await trio.sleep(10)
    assert office.shop.heard == ["有人吗"]
    office.shop.says("人呢")
    await trio.sleep(3600)
    assert office.shop.heard == ["有人吗"]
    assert (await chat(office))["taken_over"]
    assert None not in [line.outcome for line in await office.shop.books()]


async def test_a_take_over_stops_an_answer_that_is_being_thought_of(
    autojump_clock, office: Office
) -> None:
    slowly(office, 30)
    office.shop.says("在吗")
    await trio.sleep(20)
    await office.post(path(office, "take-over"))
    await trio.sleep(100)
    assert office.shop.heard == []


async def test_a_take_over_takes_back_an_answer_that_waits_to_be_sent(
    autojump_clock, office: Office
) -> None:
    office.shop.says("在吗")
    await trio.sleep(2.9)
    office.shop.faults.refuse_dial(3)
    office.shop.faults.cut()
    await trio.sleep(1)
    await office.post(path(office, "take-over"))
    await trio.sleep(120)
    assert office.shop.heard == []
    assert [event.text for event in told(office, ReplyDropped)] == ["在吗"]


async def test_handed_back_the_bot_answers_what_comes_then_and_not_what_came_before(
    autojump_clock, office: Office
) -> None:
    await hear(office, "小王", text="一")
    await office.post(path(office, "take-over"))
    await hear(office, "小王", text="二")
    answer = await office.post(path(office, "hand-back"))
    assert (answer.status_code, answer.json()["taken_over"]) == (200, False)
    await hear(office, "小王", text="三")
    assert office.shop.heard == ["一", "三"]


async def test_what_waited_when_a_chat_was_taken_over_is_the_seller_s_even_if_it_is_back_at_once(
    autojump_clock, office: Office
) -> None:
    office.shop.says("一")
    await trio.sleep(1)
    for order in ("take-over", "hand-back"):
        await office.post(path(office, order))
    await trio.sleep(10)
    await hear(office, "小王", text="二")
    assert office.shop.heard == ["二"]
    assert "卖家接管了会话" in ((await office.shop.books())[0].outcome or "")


async def test_handing_back_what_was_never_taken_over_changes_and_tells_nothing(
    autojump_clock, office: Office
) -> None:
    await hear(office, "小王")
    for order in ("hand-back", "resume"):
        answer = await office.post(path(office, order))
        assert (answer.status_code, answer.json()["taken_over"]) == (200, False)
    assert told(office, ChatResumed) == []


async def test_a_take_over_and_its_end_are_told_once_each(autojump_clock, office: Office) -> None:
    await hear(office, "小王")
    await office.post(path(office, "take-over"))
    await trio.sleep(5)
    for _ in range(2):
        await office.post(path(office, "hand-back"))
    await trio.sleep(5)
    here = office.chat()
    assert [(event.chat, event.until) for event in told(office, ChatPaused)] == [(here, None)]
    assert [event.chat for event in told(office, ChatResumed)] == [here]


async def test_a_pause_ends_by_the_clock_and_says_when(autojump_clock, office: Office) -> None:
    await hear(office, "小王", text="一")
    until = office.house.clock() + 60_500
    answer = await office.post(path(office, "pause"), {"seconds": 60.5})
    assert answer.status_code == 200
    assert (answer.json()["taken_over"], answer.json()["until"]) == (True, until)
    assert [event.until for event in told(office, ChatPaused)] == [until]
    office.shop.says("二")
    await trio.sleep(60)
    assert (await chat(office))["taken_over"]
    assert office.shop.heard == ["一"]
    await trio.sleep(1)
    found = await chat(office)
    assert (found["taken_over"], found["until"]) == (False, None)
    assert await names(office, "show=taken_over") == []
    await hear(office, "小王", text="三")
    assert office.shop.heard == ["一", "三"]


async def test_a_pause_can_be_ended_before_its_time(autojump_clock, office: Office) -> None:
    await hear(office, "小王", text="一")
    await office.post(path(office, "pause"), {"seconds": LONGEST_PAUSE})
    answer = await office.post(path(office, "resume"))
    assert (answer.status_code, answer.json()["until"]) == (200, None)
    assert len(told(office, ChatResumed)) == 1
    await hear(office, "小王", text="二")
    assert office.shop.heard == ["一", "二"]


@pytest.mark.parametrize(
    "body",
    [
        {"seconds": 0},
        {"seconds": -1},
        {"seconds": LONGEST_PAUSE + 1},
        {"seconds": "60"},
        {"seconds": None},
        {"seconds": True},
        {"seconds": [60]},
        {},
    ],
)
async def test_a_pause_of_no_sensible_length_is_named_and_changes_nothing(
    autojump_clock, office: Office, body: dict[str, object]
) -> None:
    await hear(office, "小王")
    answer = await office.post(path(office, "pause"), body)
    assert answer.status_code == 422
    assert list(errors(answer)) == ["body.seconds"]
    assert not (await chat(office))["taken_over"]
    assert told(office, ChatPaused) == []


@pytest.mark.parametrize("body", [b"", b"60", b"{", b'{"seconds": NaN}', b'{"seconds": 1e999}'])
async def test_a_pause_without_a_body_that_is_json_is_refused(
    autojump_clock, office: Office, body: bytes
) -> None:
    await hear(office, "小王")
    assert (await office.post(path(office, "pause"), body)).status_code in (400, 422)
    assert not (await chat(office))["taken_over"]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("1", 404),
        ("会话", 404),
        ("a%2Fb", 404),
        ("%20", 422),
        ("%00", 422),
        ("1%0A", 422),
        ("<script>", 422),
        ("1@goofish", 422),
    ],
)
async def test_an_unknown_chat_is_not_found_whatever_is_asked_of_it(
    autojump_clock, office: Office, name: str, status: int
) -> None:
    here = f"/api/v1/accounts/{SHOP}/chats/{name}"
    answers = [await office.get(here)]
    answers += [await office.post(f"{here}/{order}") for order in ORDERS]
    answers.append(await office.post(f"{here}/pause", {"seconds": 60}))
    for answer in answers:
        assert answer.status_code == status
        assert answer.json()["error"]["code"] in ("not_found", "http", "invalid")
    assert told(office, ChatPaused) == []


async def test_a_chat_of_another_account_is_not_found(autojump_clock, office: Office) -> None:
    await hear(office, "小王")
    here = f"/api/v1/accounts/nobody/chats/{office.chat()}"
    assert (await office.get(here)).status_code == 404
    for order in ORDERS:
        assert (await office.post(f"{here}/{order}")).status_code == 404
    assert not (await chat(office))["taken_over"]


async def test_a_reader_may_look_and_a_sender_may_take_over_and_neither_the_other(
    autojump_clock, office: Office
) -> None:
    await hear(office, "小王")
    for order in ORDERS:
        assert (await office.post(path(office, order), token=READ)).status_code == 403
    seconds = {"seconds": 60}
    assert (await office.post(path(office, "pause"), seconds, token=READ)).status_code == 403
    assert told(office, ChatPaused) == []
    assert (await office.get(path(office), token=READ)).status_code == 200
    assert (await office.get(LIST, token=SEND)).status_code == 403
    assert (await office.get(path(office), token=SEND)).status_code == 403
    assert (await office.post(path(office, "take-over"), token=SEND)).status_code == 200
