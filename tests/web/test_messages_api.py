"""Conversations over the API: read with every why, and something said in them, once."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import trio

from tests import pictures
from tests.conftest import EPOCH, SHOP
from tests.web.office import ADMIN, READ, SEND, Office, Wire, errors
from xybot.events import ChatPaused
from xybot.model import Decision, Turn
from xybot.store import accounts
from xybot.web import cursors
from xybot.web.pictures import LARGEST
from xybot.web.reply import LONGEST_TEXT

PNG = pictures.png(3, 2, b"\0" * 50)


def path(office: Office, what: str = "messages", buyer: str = "小王") -> str:
    return f"/api/v1/accounts/{SHOP}/chats/{office.chat(buyer)}/{what}"


async def lines(office: Office, query: str = "") -> list[dict[str, Any]]:
    """The conversation with 小王, as the API shows it."""
    answer = await office.get(f"{path(office)}?{query}")
    assert answer.status_code == 200
    return answer.json()["items"]


async def hear(office: Office, text: str = "在吗") -> None:
    """Let 小王 write, and have it answered."""
    office.shop.says(text)
    await trio.sleep(10)


async def until(office: Office) -> int | None:
    """Until when the bot keeps out of the chat with 小王."""
    chat = await office.get(path(office, "").rstrip("/"))
    return chat.json()["until"]


async def test_a_conversation_tells_buyer_bot_and_seller_apart_and_why_the_bot_spoke(
    autojump_clock, office: Office
) -> None:
    await hear(office)
    office.shop.platform.seller_says(office.shop.sim, "小王", "我来说")
    await trio.sleep(1)
    await hear(office, "好的")
    buyer, bot, seller, ignored = await lines(office)
    assert [each["who"] for each in (buyer, bot, seller, ignored)] == [
        "buyer",
        "bot",
        "seller",
        "buyer",
    ]
    assert (buyer["text"], buyer["outcome"], buyer["sending"]) == ("在吗", "answered", None)
    assert (bot["text"], bot["outcome"], bot["sending"]["state"]) == ("在吗", None, "sent")
    assert bot["message_id"] == bot["sending"]["message_id"]
    assert bot["message_id"].endswith(".PNM")
    assert (bot["why"]["source"], bot["why"]["because"]) == ("echo", "it was said")
    assert buyer["why"] == bot["why"]
    assert (seller["text"], seller["why"], seller["sending"]) == ("我来说", None, None)
    assert ignored["outcome"] == "skipped"
    assert [each["source"] for each in ignored["why"]["passed"]] == ["manual_pause"]
    assert buyer["at"] < bot["at"] < seller["at"] < ignored["at"]


async def test_pictures_are_shown_by_their_address_and_without_words(
    autojump_clock, office: Office
) -> None:
    url = "https://img.alicdn.com/1.jpg"
    office.shop.platform.buyer_shows(office.shop.sim, "小王", url)
    await trio.sleep(10)
    shown = (await lines(office))[0]
    assert (shown["kind"], shown["url"], shown["text"]) == ("image", url, None)


async def test_a_line_that_is_still_waiting_has_no_outcome_yet(
    autojump_clock, office: Office
) -> None:
    office.shop.says("在吗")
    await trio.sleep(1)
    (line,) = await lines(office)
    assert (line["outcome"], line["why"]) == (None, None)


@pytest.mark.parametrize("limit", [1, 2, 3, 8, 200])
async def test_pages_lead_back_to_the_first_line_without_a_gap_or_a_repeat(
    autojump_clock, office: Office, limit: int
) -> None:
    for n in range(4):
        await hear(office, f"第{n}句")
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await office.get(f"{path(office)}?limit={limit}&cursor={cursor}")).json()
        assert len(page["items"]) <= limit
        found = page["items"] + found
        cursor = page["next"]
    said = [(each["who"], each["text"]) for each in found]
    assert said == [(who, f"第{n}句") for n in range(4) for who in ("buyer", "bot")]


@pytest.mark.parametrize("cursor", ["?", "W10", cursors.write((1, 2)), cursors.write(("1", 2, 3))])
async def test_a_cursor_of_another_list_is_a_wrong_field(
    autojump_clock, office: Office, cursor: str
) -> None:
    await hear(office)
    answer = await office.get(f"{path(office)}?cursor={cursor}")
    assert answer.status_code == 422
    assert list(errors(answer)) == ["query.cursor"]


async def test_what_a_buyer_wrote_comes_back_letter_by_letter(
    autojump_clock, office: Office
) -> None:
    texts = [
        "<script>alert(1)</script>",
        "\u202eevil مرحبا",
        "😀👩‍👩‍👧",
        "{{7*7}}\n\t\0end",
        "长" * 100_000,
    ]
    for text in texts:
        await hear(office, text)
    told = await lines(office)
    assert [each["text"] for each in told if each["who"] == "buyer"] == texts


async def test_words_of_the_seller_s_own_pause_the_chat_for_a_while(
    autojump_clock, office: Office
) -> None:
    office.shop.says("在吗")
    await trio.sleep(1)
    now = office.house.clock()
    answer = await office.post(path(office), {"text": "我来了"}, token=SEND)
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["source"]) == ("sent", "by_hand")
    assert "sender" in answer.json()["because"]
    assert await until(office) == now + 600_000
    await hear(office, "多少钱")
    assert office.shop.heard == ["我来了"]
    (paused,) = [each for each in office.shop.events if isinstance(each, ChatPaused)]
    assert paused.until == now + 600_000
    await trio.sleep(600)
    await hear(office, "还在吗")
    assert office.shop.heard == ["我来了", "还在吗"]


async def test_words_of_a_program_leave_the_chat_to_the_bot(autojump_clock, office: Office) -> None:
    office.shop.says("在吗")
    await trio.sleep(1)
    answer = await office.post(path(office), {"text": "已发货", "by_hand": False})
    assert (answer.status_code, answer.json()["state"]) == (200, "sent")
    await trio.sleep(10)
    assert await until(office) is None
    assert office.shop.heard == ["已发货", "在吗"]
    assert not [each for each in office.shop.events if isinstance(each, ChatPaused)]
    said = next(each for each in await lines(office) if each["text"] == "已发货")
    assert (said["who"], said["sending"]["source"]) == ("bot", "api")


async def test_writing_in_a_chat_that_was_taken_over_does_not_hand_it_back(
    autojump_clock, office: Office
) -> None:
    await hear(office)
    await office.post(path(office, "take-over"))
    await office.post(path(office), {"text": "我来了"})
    await trio.sleep(3600)
    await hear(office, "在吗？")
    assert office.shop.heard == ["在吗", "我来了"]


async def test_a_repeat_under_one_key_is_said_once_and_told_the_same(
    autojump_clock, office: Office
) -> None:
    await hear(office)
    first = await office.post(path(office), {"text": "一"}, idempotency_key="k")
    again = await office.post(path(office), {"text": "一"}, idempotency_key="k")
    assert first.json() == again.json()
    other = await office.post(path(office), {"text": "二"}, idempotency_key="k")
    assert other.status_code == 422
    assert list(errors(other)) == ["header.idempotency-key"]
    theirs = await office.post(path(office), {"text": "二"}, idempotency_key="k", token=SEND)
    assert theirs.status_code == 200  # Keys of two tokens have nothing to do with each other.
    assert office.shop.heard == ["在吗", "一", "二"]


@pytest.mark.parametrize("key", ["", "  ", "k" * 256])
async def test_a_key_that_is_none_is_a_wrong_field(
    autojump_clock, office: Office, key: str
) -> None:
    await hear(office)
    answer = await office.post(path(office), {"text": "一"}, idempotency_key=key)
    assert answer.status_code == 422
    assert list(errors(answer)) == ["header.idempotency-key"]
    assert office.shop.heard == ["在吗"]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"body.text"}),
        ({"text": ""}, {"body.text"}),
        ({"text": "x" * (LONGEST_TEXT + 1)}, {"body.text"}),
        ({"text": 5, "by_hand": "yes", "to": 1}, {"body.text", "body.by_hand", "body.to"}),
        ({"text": "x", "buyer": "1"}, {"body.buyer"}),
        (["x"], {"body"}),
    ],
)
async def test_every_wrong_field_of_a_message_is_named_and_nothing_is_said(
    autojump_clock, office: Office, body: object, wrong: set[str]
) -> None:
    await hear(office)
    answer = await office.post(path(office), body)
    assert answer.status_code == 422
    assert set(errors(answer)) == wrong
    assert office.shop.heard == ["在吗"]
    assert await until(office) is None


async def test_while_the_account_is_off_line_the_words_wait_and_the_caller_does_not(
    autojump_clock, office: Office
) -> None:
    await hear(office)
    office.shop.faults.refuse_dial(2)
    office.shop.faults.cut()
    await trio.sleep(0.01)
    began = trio.current_time()
    answer = await office.post(path(office), {"text": "稍等"})
    assert (answer.status_code, answer.json()["state"]) == (200, "queued")
    assert trio.current_time() == began
    await trio.sleep(30)
    assert office.shop.heard == ["在吗", "稍等"]


async def test_a_refusal_of_the_platform_is_told_with_its_reason(
    autojump_clock, office: Office
) -> None:
    await hear(office)
    office.shop.faults.refuse_sends(1)
    answer = await office.post(path(office), {"text": "加微信"})
    assert (answer.json()["state"], answer.json()["message_id"]) == ("refused", None)
    assert "CSI_FORBID" in answer.json()["reason"]


async def test_an_account_that_waits_for_its_seller_says_nothing(
    autojump_clock, office: Office
) -> None:
    await hear(office)
    await office.shop.store.transact(accounts.pause, SHOP, "您暂停了")
    answer = await office.post(path(office), {"text": "稍等"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "paused")
    assert "您暂停了" in answer.json()["error"]["message"]
    await trio.sleep(60)
    assert office.shop.heard == ["在吗"]


async def test_in_a_chat_that_nobody_knows_the_buyer_has_to_be_named(
    autojump_clock, office: Office
) -> None:
    """The chat exists on the platform; nobody has said a word in it."""
    answer = await office.post(path(office), {"text": "您好"})
    assert answer.status_code == 404
    buyer = office.shop.platform.chat(office.shop.sim, "小王").buyer.id
    answer = await office.post(path(office), {"text": "您好", "to": buyer})
    assert (answer.status_code, answer.json()["state"]) == (200, "sent")
    assert office.shop.heard == ["您好"]


async def test_a_picture_is_kept_uploaded_once_and_shown_to_the_buyer(
    autojump_clock, office: Office
) -> None:
    await hear(office)
    office.house.data.mkdir()  # The database, which is in memory, would have made it.
    for _ in range(2):
        answer = await office.post(path(office, "images"), PNG, token=SEND)
        assert (answer.status_code, answer.json()["state"]) == (200, "sent")
    assert [upload.content for upload in office.shop.sim.uploads] == [PNG]
    assert office.shop.heard[1:] == ["[图片]", "[图片]"]
    (kept,) = (office.house.data / "pictures").iterdir()
    assert kept.name == f"{hashlib.sha256(PNG).hexdigest()}.png"
    assert (await lines(office))[-1]["kind"] == "image"
    assert await until(office) is not None


async def test_a_picture_of_a_program_leaves_the_chat_to_the_bot(
    autojump_clock, office: Office
) -> None:
    await hear(office)
    office.house.data.mkdir()
    answer = await office.post(f"{path(office, 'images')}?by_hand=false", PNG)
    assert answer.json()["state"] == "sent"
    assert await until(office) is None


async def test_what_is_no_picture_is_a_wrong_field_and_is_not_kept(
    autojump_clock, office: Office
) -> None:
    await hear(office)
    for body in (b"", b"GIF8", b"<svg onload=alert(1)>", b"%PDF-1.7", PNG[:20], b"\0" * 99):
        answer = await office.post(path(office, "images"), body)
        assert answer.status_code == 422
        assert list(errors(answer)) == ["body"]
    assert not (office.house.data / "pictures").exists()
    assert office.shop.heard == ["在吗"]


async def test_a_picture_of_more_than_twenty_megabytes_is_not_read_to_its_end(
    autojump_clock, office: Office
) -> None:
    await hear(office)
    megabyte = b"\0" * 2**20
    pieces = (PNG, *(megabyte for _ in range(100)))
    headers = {"authorization": f"Bearer {ADMIN}", "content-type": "image/png"}
    wire = Wire(office.app, "POST", path(office, "images"), headers, pieces)
    await wire.run()
    assert wire.status == 413
    assert wire._next <= LARGEST // len(megabyte) + 2
    assert office.shop.heard == ["在吗"]


async def test_a_message_is_explained_with_or_without_its_ending_and_so_is_its_answer(
    autojump_clock, office: Office
) -> None:
    office.shop.says("在吗")
    await hear(office, "多少钱")
    first, second, bot = await lines(office)
    told = []
    for line in (first, second, bot):
        for id_ in (line["message_id"], line["message_id"].removesuffix(".PNM")):
            answer = await office.get(f"/api/v1/accounts/{SHOP}/messages/{id_}")
            assert answer.status_code == 200
            told.append(answer.json())
    assert all(each == told[0] for each in told)
    assert (told[0]["account"], told[0]["chat"]) == (SHOP, office.chat())
    heard = [(each["message_id"], each["outcome"]) for each in told[0]["heard"]]
    assert heard == [(first["message_id"], "answered"), (second["message_id"], "answered")]
    assert all(each["at"] > EPOCH for each in told[0]["heard"])
    assert told[0]["decided"] == [bot["why"]]
    assert told[0]["said"] == [bot["sending"]]


async def test_a_message_that_nobody_answered_is_explained_by_what_had_nothing_to_say(
    autojump_clock, office: Office
) -> None:
    async def nothing(_turn: Turn, _now: int) -> Decision:
        return Decision(reply=None, passed=(("rules", "没有匹配的关键词"), ("ai", "没有启用")))

    office.shop.decide = nothing
    await hear(office)
    (line,) = await lines(office)
    told = (await office.get(f"/api/v1/accounts/{SHOP}/messages/{line['message_id']}")).json()
    assert told["said"] == []
    (verdict,) = told["decided"]
    assert (verdict["outcome"], verdict["source"], verdict["mode"]) == ("skipped", None, None)
    assert verdict["passed"] == [
        {"source": "rules", "reason": "没有匹配的关键词"},
        {"source": "ai", "reason": "没有启用"},
    ]


@pytest.mark.parametrize("id_", ["1", "1.PNM", "%25", "%00", "' OR 1=1 --"])
async def test_a_message_that_nobody_knows_is_not_found(
    autojump_clock, office: Office, id_: str
) -> None:
    await hear(office)
    answer = await office.get(f"/api/v1/accounts/{SHOP}/messages/{id_}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_a_message_is_not_found_under_another_account(autojump_clock, office: Office) -> None:
    await hear(office)
    id_ = (await lines(office))[0]["message_id"]
    assert (await office.get(f"/api/v1/accounts/nobody/messages/{id_}")).status_code == 404
    too_long = await office.get(f"/api/v1/accounts/{SHOP}/messages/{'1' * 101}")
    assert (too_long.status_code, list(errors(too_long))) == (422, ["path.message"])


async def test_a_sender_cannot_read_a_conversation_and_a_reader_cannot_speak(
    autojump_clock, office: Office
) -> None:
    await hear(office)
    id_ = (await lines(office))[0]["message_id"]
    for where in (path(office), f"/api/v1/accounts/{SHOP}/messages/{id_}"):
        assert (await office.get(where, token=SEND)).status_code == 403
        assert (await office.get(where, token=READ)).status_code == 200
    assert (await office.post(path(office), {"text": "x"}, token=READ)).status_code == 403
    assert (await office.post(path(office, "images"), PNG, token=READ)).status_code == 403
    assert office.shop.heard == ["在吗"]
