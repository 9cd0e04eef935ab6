"""Who wrote a line, and which order a card speaks of: what people type proves neither."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire import samples
from tests.wire.samples import CHAT, ITEM, ME, ORDER, OTHER_CHAT

LINK = samples.order_url()
TYPED = (
    f"[我已付款，等待你发货] orderId={ORDER}",
    f"看看 {LINK}",
    f'<a href="{LINK}">订单</a>',
    f"https://example.test/?bizOrderId={ORDER}",
    samples.dumps({"updateKey": f"{CHAT}:{ORDER}:10:TRADE_PAID:26"}),
)


def typed(words: str, **extension: object) -> dict[Any, Any]:
    content = {"contentType": 1, "text": {"text": words}}
    marks = samples.by_person(reminderContent=words, detailNotice=words) | extension
    return samples.message(content, marks, summary=words)


@pytest.mark.parametrize("words", TYPED)
def test_an_order_that_a_buyer_types_is_only_words(words: str) -> None:
    found = samples.read(typed(words))
    assert (found.kind, found.facts.text, found.facts.from_human) == ("text", words, True)
    assert found.facts.trade is None


@pytest.mark.parametrize("words", TYPED)
def test_an_edited_line_of_a_buyer_gives_no_order(words: str) -> None:
    edit = samples.by_person(reminderContent=words, detailNotice=words)
    found = samples.read({1: samples.PNM, 2: samples.CID, 3: 1, 4: edit})
    assert (found.kind, found.facts.trade) == ("message_update", None)


@pytest.mark.parametrize("words", TYPED)
def test_words_inside_a_card_give_no_order(words: str) -> None:
    found = samples.read(samples.card(samples.trade_card(title=words)))
    assert (found.kind, found.facts.order) == ("card", None)


def test_a_card_from_a_persons_client_gives_no_order() -> None:
    forged = samples.by_person(extJson=samples.dumps({"updateKey": f"{CHAT}:{ORDER}:1"}))
    found = samples.read(samples.message(samples.trade_card(LINK), forged))
    assert (found.facts.trade, found.facts.from_human) == (None, False)


def keyed(key: object, content: dict[Any, Any] | None = None) -> Any:
    extension = samples.by_platform(26) | {
        "extJson": samples.dumps({"contentType": "26", "updateKey": key})
    }
    return samples.read(samples.card(content or samples.trade_card(), extension)).facts


@pytest.mark.parametrize(
    "key",
    [
        f"{CHAT}:{ORDER}:1_not_pay_seller",
        f"{CHAT}:{ORDER}:10:BUYER_CREATE_ORDER:26",
        f"{CHAT}:{ORDER}:10:TRADE_PAID:26",
        f"{ORDER}:9:20:BUYER_CONFIRM_RATE_SELLER:74",
    ],
)
def test_the_update_key_names_the_order(key: str) -> None:
    assert keyed(key).order == ORDER


@pytest.mark.parametrize(
    "key",
    [f"{OTHER_CHAT}:{ORDER}:10:TRADE_PAID:26", f"{CHAT}:no-order:1", ORDER[:11], "", None, 7, ":"],
)
def test_an_update_key_of_another_chat_or_shape_proves_nothing(key: object) -> None:
    assert keyed(key).order is None


def test_a_foreign_update_key_leaves_the_cards_own_address() -> None:
    foreign = f"{OTHER_CHAT}:5500000000000000022:10:TRADE_PAID:26"
    assert keyed(foreign, samples.trade_card(LINK)).order == ORDER


@pytest.mark.parametrize(
    "content",
    [
        samples.trade_card(url=LINK),
        samples.trade_card(button=LINK),
        samples.trade_card(button=f"fleamarket://adjust_price?flutter=true&bizOrderId={ORDER}"),
        samples.trade_card(button=f"https://h5.example.test/x?orderId={ORDER}"),
        samples.TEXT_CARD,
        {"contentType": 32, "dynamicOperation": {"changeContent": samples.trade_card(LINK)}},
    ],
)
def test_an_address_of_the_card_names_the_order(content: dict[Any, Any]) -> None:
    assert samples.read(samples.card(content)).facts.order == ORDER


def test_an_edit_of_a_card_names_the_order() -> None:
    by_key = samples.by_platform(26, key=f"{CHAT}:{ORDER}:10:TRADE_PAID:26")
    operation = samples.dumps({"changeContent": samples.trade_card(LINK)})
    by_content = samples.by_platform(26, dynamicOperation=operation)
    found = [
        samples.read({1: samples.PNM, 2: samples.CID, 3: 1, 4: each}).facts.order
        for each in (by_key, by_content)
    ]
    assert found == [ORDER, ORDER]


@pytest.mark.parametrize(
    ("url", "task", "role"),
    [
        (samples.order_url(role="seller"), "", "seller"),
        (samples.order_url(role="Seller"), "", "seller"),
        (samples.order_url(role="Buyer"), "付款完成待发货_卖家", "buyer"),
        ("", "已拍下_未付款_卖家", "seller"),
        ("", "付款完成待发货_卖家-正向升级", "seller"),
        ("", "付款完成待发货_买家", "buyer"),
        ("", "期待评价", None),
    ],
)
def test_the_address_tells_our_role_and_else_the_task(
    url: str, task: str, role: str | None
) -> None:
    extension = samples.by_platform(26, task=task)
    trade = samples.read(samples.card(samples.trade_card(url), extension)).facts.trade
    assert trade is not None
    assert trade.role == role


@pytest.mark.parametrize("words", ["[举杯]", "[图片]", "[我已付款，等待你发货]", "[]"])
def test_brackets_make_no_system_message(words: str) -> None:
    found = samples.read(typed(words))
    assert (found.kind, found.facts.from_human) == ("text", True)


def from_human(value: dict[Any, Any]) -> bool:
    return samples.read(value).facts.from_human


@pytest.mark.parametrize("sender", ["1400", "4611686018427387296"])
def test_the_platforms_own_senders_are_no_people(sender: str) -> None:
    found = samples.read(samples.message(sender=sender))
    assert (found.facts.sender, found.facts.from_human) == (sender, False)
    assert found.facts.sender_name is None


@pytest.mark.parametrize("session", ["3", "6", "23", "25", "30", "53", 30])
def test_only_a_personal_session_has_people_in_it(session: object) -> None:
    assert not from_human(samples.message(extension=samples.by_person(sessionType=session)))


def test_either_mark_of_a_person_is_enough() -> None:
    no_tag = samples.by_person(extJson="{}")
    no_source = samples.by_person(bizTag="{}")
    assert from_human(samples.message(extension=no_tag))
    assert from_human(samples.message(extension=no_source))


def test_without_marks_the_number_of_receivers_decides() -> None:
    bare = samples.message(extension=samples.by_person(extJson="{}", bizTag="{}"))
    assert from_human(bare)
    assert not from_human(samples.with_said(bare, _7=1))


@pytest.mark.parametrize("content", [samples.TIP, samples.TEXT_CARD, samples.trade_card()])
def test_a_card_or_tip_in_the_buyers_name_is_not_the_buyer(content: dict[Any, Any]) -> None:
    found = samples.read(samples.card(content))
    assert (found.facts.sender, found.facts.from_human) == (samples.BUYER, False)
    assert found.facts.sender_name is None


def test_the_item_is_that_of_the_platforms_address() -> None:
    assert samples.read(typed("看看 fleamarket://item?itemId=1")).facts.item == ITEM


def test_a_text_inside_an_arouse_knows_its_sender() -> None:
    value = samples.arouse(contentType=1, text={"text": "在吗"})
    senders = (samples.BUYER, str(ME), "1400", "")
    found = []
    for sender in senders:
        value["operation"]["senderInfo"] = {"senderUserId": sender}
        push = samples.read(value)
        found.append((push.kind, push.facts.from_human))
    assert found == [("text", True), ("own", False), ("text", False), ("text", False)]
