"""`POST /xianyu/reply`: the words are said once, and the caller is told what became of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import trio

from tests.conftest import SHOP, Shop
from tests.web.office import ADMIN, READ, SEND, Office, Wire, errors
from xybot.errors import Cause
from xybot.store import accounts
from xybot.web import sending

PATH = "/xianyu/reply"


def request(office: Office, **more: object) -> dict[str, object]:
    """What the client of the seed sends."""
    chat = office.shop.platform.chat(office.shop.sim, "小王")
    return {
        "cookie_id": SHOP,
        "msg_time": "2026-11-25 12:00:00",
        "user_url": "https://www.goofish.com/personal?userId=1",
        "send_user_id": chat.buyer.id,
        "send_user_name": "小王",
        "item_id": chat.item.id,
        "send_message": "还在的",
        "chat_id": chat.id,
    } | more


async def test_the_caller_is_told_when_the_platform_has_it(autojump_clock, office: Office) -> None:
    answer = await office.post(PATH, request(office), token=SEND)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["code"], body["msg"]) == (200, "ok")
    assert body["data"]["send_msg"] == "还在的"
    assert body["data"]["message_id"].endswith(".PNM")
    assert office.shop.heard == ["还在的"]


async def test_an_unknown_chat_is_used_as_it_is_and_the_platform_decides(
    autojump_clock, office: Office
) -> None:
    wanted, key = request(office, chat_id="123456"), {"idempotency_key": "k"}
    assert (await office.post(PATH, wanted, **key)).json()["code"] == 504  # It may be too early.
    await trio.sleep(200)
    answer = await office.post(PATH, wanted, **key)
    assert answer.json()["code"] == 502
    assert office.shop.heard == []


async def test_without_a_chat_the_conversation_of_buyer_and_item_is_opened(
    autojump_clock, office: Office
) -> None:
    item = office.shop.platform.world.items_of[office.shop.sim.user_id][0]
    buyer = office.shop.platform.world.add_user("陌生人")
    wanted = request(office, chat_id="", send_user_id=buyer.id, item_id=item.id)
    answer = await office.post(PATH, wanted)
    assert answer.json()["code"] == 200
    ((_, chat, text),) = office.shop.platform.heard(office.shop.sim)
    assert text == "还在的"
    assert office.shop.platform.world.chats[chat].buyer is buyer
    listed = (await office.get("/api/v1/chats")).json()["items"]
    assert [(each["id"], each["buyer_id"]) for each in listed] == [(chat, buyer.id)]


async def test_a_chat_that_cannot_be_opened_is_refused_with_its_reason(
    autojump_clock, office: Office
) -> None:
    wanted = request(office, chat_id="", item_id="1")
    with trio.fail_after(60):
        answer = await office.post(PATH, wanted)
    assert answer.json()["code"] == 502
    assert "no chat with this buyer" in answer.json()["msg"]


async def test_a_repeat_under_one_key_is_the_same_message(autojump_clock, office: Office) -> None:
    first = await office.post(PATH, request(office), idempotency_key="order 7")
    again = await office.post(PATH, request(office), idempotency_key="order 7")
    other = await office.post(PATH, request(office), idempotency_key="order 8")
    assert first.json() == again.json()
    assert other.json()["data"] != first.json()["data"]
    assert office.shop.heard == ["还在的", "还在的"]


async def test_a_key_is_not_for_two_messages(autojump_clock, office: Office) -> None:
    await office.post(PATH, request(office), idempotency_key="k")
    answer = await office.post(PATH, request(office, send_message="x"), idempotency_key="k")
    assert answer.status_code == 422
    assert "another message" in errors(answer)["header.idempotency-key"]
    assert office.shop.heard == ["还在的"]


async def test_repeats_at_the_same_moment_are_one_message(autojump_clock, office: Office) -> None:
    answers = []

    async def ask() -> None:
        answers.append((await office.post(PATH, request(office), idempotency_key="k")).json())

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(ask)
    assert office.shop.heard == ["还在的"]
    assert all(each == answers[0] for each in answers)
    assert answers[0]["code"] == 200


async def test_while_the_account_is_off_line_the_words_are_queued_and_then_said(
    autojump_clock,
    office: Office,
) -> None:
    office.shop.faults.refuse_dial(2)
    office.shop.faults.cut()
    await trio.sleep(0.01)
    answer = await office.post(PATH, request(office))
    assert answer.json()["code"] == 202
    assert "queued" in answer.json()["msg"]
    assert office.shop.heard == []
    await trio.sleep(30)
    assert office.shop.heard == ["还在的"]


async def test_a_refusal_of_the_platform_is_told_with_its_reason(
    autojump_clock, office: Office
) -> None:
    office.shop.faults.refuse_sends(1)
    answer = await office.post(PATH, request(office))
    assert answer.json()["code"] == 502
    assert "CSI_FORBID" in answer.json()["msg"]


async def test_an_answer_that_is_lost_is_an_unknown_outcome(autojump_clock, office: Office) -> None:
    office.shop.faults.swallow_pushes(1)  # Its echo, too.
    office.shop.faults.lose_answers(1)
    office.shop.faults.refuse_history(9)
    answer = await office.post(PATH, request(office))
    assert answer.json()["code"] == 504
    assert office.shop.heard == ["还在的"]


async def test_nobody_is_kept_waiting_for_ever(autojump_clock, office: Office) -> None:
    office.shop.faults.mute()
    began = trio.current_time()
    answer = await office.post(PATH, request(office))
    assert answer.json()["code"] in (202, 504)
    assert trio.current_time() - began <= sending.ANSWER_WITHIN + 1


@pytest.mark.parametrize(
    ("stop", "says"),
    [
        (lambda db: accounts.park(db, SHOP, "请验证", Cause.VERIFICATION_REQUIRED), "请验证"),
        (lambda db: accounts.pause(db, SHOP, "您暂停了"), "您暂停了"),
    ],
)
async def test_an_account_that_waits_for_its_seller_says_nothing(
    autojump_clock, office: Office, stop: Callable[..., object], says: str
) -> None:
    await office.shop.store.transact(stop)
    answer = await office.post(PATH, request(office))
    assert (answer.status_code, answer.json()["code"]) == (200, 409)
    assert says in answer.json()["msg"]
    assert office.shop.heard == []


async def test_an_unknown_account_is_said_in_the_code(autojump_clock, office: Office) -> None:
    answer = await office.post(PATH, request(office, cookie_id="nobody"))
    assert (answer.status_code, answer.json()["code"]) == (200, 404)


@pytest.mark.parametrize("token", ["", "wrong", ADMIN[:-1], ADMIN + "x"])
async def test_without_a_token_of_ours_nothing_is_said(
    autojump_clock, office: Office, token: str
) -> None:
    answer = await office.post(PATH, request(office), token=token)
    assert answer.status_code == 401
    assert answer.json()["code"] == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert office.shop.heard == []


async def test_a_token_that_may_only_read_cannot_send_and_the_reverse(
    autojump_clock, office: Office
) -> None:
    assert (await office.post(PATH, request(office), token=READ)).status_code == 403
    assert office.shop.heard == []
    for path in ("/api/v1/accounts", "/api/v1/chats", "/api/v1/events", "/metrics", "/ready"):
        assert (await office.get(path, token=SEND)).status_code == 403


async def test_every_wrong_field_is_named_at_once(autojump_clock, office: Office) -> None:
    body = request(office, cookie_id=1, send_message="", chat_id=None, extra="x")
    del body["send_user_id"]
    answer = await office.post(PATH, body)
    assert answer.status_code == 422
    assert set(errors(answer)) == {
        "body.cookie_id",
        "body.send_message",
        "body.chat_id",
        "body.send_user_id",
        "body.extra",
    }
    assert "missing" in errors(answer)["body.send_user_id"]


async def test_neither_chat_nor_item_is_a_wrong_field(autojump_clock, office: Office) -> None:
    answer = await office.post(PATH, request(office, chat_id=" ", item_id=""))
    assert list(errors(answer)) == ["body.item_id"]


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'"x"', b"\xff", b"[" * 100_000])
async def test_what_is_no_request_at_all_is_told_as_such(
    autojump_clock, office: Office, body: bytes
) -> None:
    answer = await office.post(PATH, body)
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]["code"] in ("bad_json", "invalid")


async def test_a_body_without_end_is_not_read(autojump_clock, office: Office) -> None:
    pieces = (b"x" * 100_000,) * 1000
    headers = {"authorization": f"Bearer {ADMIN}"}
    wire = Wire(office.app, "POST", PATH, headers, pieces)
    await wire.run()
    assert wire.status == 413
    assert wire._next < 20


async def test_a_seller_who_is_quicker_by_hand_takes_the_words_back(
    autojump_clock, office: Office, shop: Shop
) -> None:
    """Queued words of a program are dropped like any reply that waits."""
    office.shop.faults.refuse_dial(1)
    office.shop.faults.cut()
    await trio.sleep(0.01)
    key = {"idempotency_key": "k"}
    assert (await office.post(PATH, request(office), **key)).json()["code"] == 202
    office.shop.platform.seller_says(office.shop.sim, "小王", "我来")
    await trio.sleep(30)
    assert (await office.post(PATH, request(office), **key)).json()["code"] == 410
    assert office.shop.heard == []
