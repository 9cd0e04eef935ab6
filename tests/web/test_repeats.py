"""Saying something over the API: once, to whom the chat is with, on whose behalf."""

from __future__ import annotations

import pytest
import trio

from tests import pictures
from tests.conftest import SHOP
from tests.web.office import Office, errors
from xybot.store import accounts

PNG = pictures.png(3, 2, b"\0" * 50)


def here(office: Office, what: str = "") -> str:
    return f"/api/v1/accounts/{SHOP}/chats/{office.chat()}{what}"


async def hear(office: Office) -> None:
    office.shop.says("在吗")
    await trio.sleep(10)


async def test_a_picture_repeated_under_its_key_is_said_once(
    autojump_clock, office: Office
) -> None:
    await hear(office)
    office.house.data.mkdir()
    first = await office.post(here(office, "/images"), PNG, idempotency_key="k")
    again = await office.post(here(office, "/images"), PNG, idempotency_key="k")
    assert (again.status_code, again.json()) == (200, first.json())


async def test_a_repeat_is_told_what_became_of_it_though_the_account_is_paused_now(
    autojump_clock, office: Office
) -> None:
    await hear(office)
    first = await office.post(here(office, "/messages"), {"text": "x"}, idempotency_key="k")
    await office.shop.store.transact(accounts.pause, SHOP, "您暂停了")
    again = await office.post(here(office, "/messages"), {"text": "x"}, idempotency_key="k")
    assert (again.status_code, again.json()) == (200, first.json())
    fresh = await office.post(here(office, "/messages"), {"text": "x"}, idempotency_key="other")
    assert fresh.status_code == 409


async def test_a_chat_stays_the_chat_of_its_buyer(autojump_clock, office: Office) -> None:
    await hear(office)
    before = (await office.get(here(office))).json()["buyer_id"]
    blank = await office.post(here(office, "/messages"), {"text": "x", "to": "   "})
    assert blank.status_code == 200
    wrong = await office.post(here(office, "/messages"), {"text": "x", "to": "777"})
    assert (wrong.status_code, list(errors(wrong))) == (422, ["body.to"])
    reply = dict.fromkeys(("msg_time", "user_url", "send_user_name", "item_id"), "")
    reply |= {"cookie_id": SHOP, "send_user_id": "777", "send_message": "y"}
    await office.post("/xianyu/reply", reply | {"chat_id": office.chat()})
    assert (await office.get(here(office))).json()["buyer_id"] == before


async def test_what_a_program_says_for_the_seller_is_the_sellers(
    autojump_clock, office: Office
) -> None:
    await hear(office)
    for by_hand in (True, False):
        await office.post(here(office, "/messages"), {"text": "我来", "by_hand": by_hand})
    items = (await office.get(here(office, "/messages"))).json()["items"]
    assert [each["who"] for each in items[-2:]] == ["seller", "bot"]


async def test_two_lines_of_the_seller_one_after_the_other_are_both_said(
    autojump_clock, office: Office
) -> None:
    await hear(office)
    async with trio.open_nursery() as nursery:
        for text in ("你好", "在的"):
            nursery.start_soon(office.post, here(office, "/messages"), {"text": text})
    assert sorted(office.shop.heard[1:]) == ["你好", "在的"]


@pytest.mark.parametrize("text", ["", "  \n", "\u3000"])
async def test_blank_words_are_not_said(autojump_clock, office: Office, text: str) -> None:
    answer = await office.post(here(office, "/messages"), {"text": text, "to": "2201"})
    assert (answer.status_code, list(errors(answer))) == (422, ["body.text"])
