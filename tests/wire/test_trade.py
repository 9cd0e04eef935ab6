"""What the platform tells of an order, and that nobody else can tell it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire import samples
from tests.wire.samples import BUYER, CHAT, CID, ITEM, NOW, ORDER, OTHER_CHAT, PNM
from tests.wire.test_properties import keyed, structure, unhurried
from xybot.model import ChatId, ItemId, OrderId, UserId
from xybot.trade import OrderState, Trade
from xybot.wire import payload, reading
from xybot.wire.pushes import Card, ConversationUpdate, MessageUpdate, Tip

S = OrderState
Payload = dict[Any, Any]


def told(value: Payload) -> Trade:
    trade = samples.read(value).facts.trade
    assert trade is not None
    return trade


def card(title: str, *, key: str | None = None, task: str = "", **changes: object) -> Payload:
    plain = {"redReminder": "", "reminderContent": f"[{title}]"}
    extension = samples.by_platform(26, key=key, task=task) | plain | changes
    return samples.card(samples.trade_card(samples.order_url(), title=title), extension)


def edit(**changes: object) -> Payload:
    return {1: PNM, 2: CID, 3: 1, 4: samples.by_platform(26) | changes, 5: NOW}


def key_of(step: str, chat: str = CHAT) -> str:
    return f"{chat}:{ORDER}:{step}"


TITLES = {
    "我已拍下，待付款": S.PLACED,
    "我已修改价格，等待你付款": S.PLACED,
    "我已付款，等待你发货": S.PAID,
    "我已付款,等待你发货": S.PAID,
    "已付款，待发货": S.PAID,
    "买家已付款": S.PAID,
    "付款完成": S.PAID,
    "记得及时发货": S.PAID,
    "我已成功小刀，待发货": S.PAID,
    "你已发货": S.CONFIRMED,
    "你已发货，请等待买家确认收货": S.CONFIRMED,
    "记得及时确认收货": S.CONFIRMED,
    "买家确认收货，交易成功": S.COMPLETED,
    "你已确认收货，交易成功": S.COMPLETED,
    "我发起了退款申请": S.REFUNDING,
    "退款成功，钱款已原路退返": S.REFUNDED,
    "你关闭了订单，钱款已原路退返": S.CLOSED,
    "未付款，买家关闭了订单": S.CLOSED,
    "我完成了评价": None,
    "快给ta一个评价吧～": None,
    "我已付款，等待你发货！！": None,
}


@pytest.mark.parametrize(("title", "state"), TITLES.items())
def test_the_title_of_a_card_tells_the_step(title: str, state: OrderState | None) -> None:
    found = told(card(title))
    assert (found.order, found.state, found.source) == (ORDER, state, "card")
    assert found.words == title.replace(",", "，")


def test_a_card_tells_everything_that_is_known_of_its_order() -> None:
    assert told(card("我已付款，等待你发货")) == Trade(
        order=OrderId(ORDER),
        chat=ChatId(CHAT),
        state=S.PAID,
        role="seller",
        buyer=UserId(BUYER),
        item=ItemId(ITEM),
        source="card",
        words="我已付款，等待你发货",
        at=NOW,
    )


KEYS = {
    "1_not_pay_seller": S.PLACED,
    "10:BUYER_CREATE_ORDER:26": S.PLACED,
    "2:TRADE_MODIFY_FEE_SELLER:26": S.PLACED,
    "10:TRADE_PAID:26": S.PAID,
    "10:BUYER_RATE_SELLER:26": None,
    "10:SOMETHING_NEW:26": None,
}


@pytest.mark.parametrize(("step", "state"), KEYS.items())
def test_where_the_words_are_new_the_update_key_tells_the_step(
    step: str, state: OrderState | None
) -> None:
    assert told(card("卡片消息", key=key_of(step))).state is state


def test_the_update_key_of_another_chat_tells_no_step() -> None:
    foreign = card("卡片消息", key=key_of("10:TRADE_PAID:26", OTHER_CHAT))
    assert (told(foreign).order, told(foreign).state) == (ORDER, None)


TASKS = {
    "已拍下_未付款_卖家": S.PLACED,
    "付款完成待发货_卖家-正向升级": S.PAID,
    "付款完成待发货_买家": S.PAID,
    "买家关闭订单_卖家": S.CLOSED,
    "发起退款申请_卖家-新逆向url": S.REFUNDING,
    "退款申请已同意_卖家": S.REFUNDED,
    "提醒发货已发货_卖家": S.CONFIRMED,
    "期待评价_卖家": None,
    "聊天引导": None,
}


@pytest.mark.parametrize(("task", "state"), TASKS.items())
def test_where_neither_tells_it_the_task_does(task: str, state: OrderState | None) -> None:
    assert told(card("卡片消息", task=task)).state is state


REMINDERS = {
    "等待买家付款": S.PLACED,
    "等待卖家发货": S.PAID,
    "交易成功": S.COMPLETED,
    "交易关闭": S.CLOSED,
    "买家申请退款": S.REFUNDING,
}


@pytest.mark.parametrize(("words", "state"), REMINDERS.items())
def test_a_red_reminder_tells_the_step_of_some_order_of_its_chat(
    words: str, state: OrderState
) -> None:
    push = samples.read({1: CID, 2: 1, 3: {"redReminder": words}, 4: NOW})
    assert isinstance(push, ConversationUpdate)
    assert push.facts.trade == Trade(
        order=None,
        chat=ChatId(CHAT),
        state=state,
        role=None,
        source="reminder",
        words=words,
        at=NOW,
    )
    assert told(card("卡片消息", redReminder=words)).state is state


@pytest.mark.parametrize("words", ["有新交易评价", "", "[有人@你]", "等待买家付款。"])
def test_a_red_reminder_of_something_else_tells_nothing(words: str) -> None:
    push = samples.read({1: CID, 2: 1, 3: {"redReminder": words}, 4: NOW})
    assert (push.kind, push.facts.trade) == ("conversation_update", None)


def test_a_knife_waits_for_its_price_and_is_an_order_like_others_then() -> None:
    waiting = told(card("我已小刀，待刀成", reminderContent="[卡片消息]", sessionType="30"))
    assert (waiting.state, waiting.knife) == (S.PAID, True)
    done = told(card("我已成功小刀，待发货"))
    assert (done.state, done.knife) == (S.PAID, False)


def test_an_edit_says_what_it_shows_not_what_its_card_once_was() -> None:
    stale = {
        "reminderContent": "[已付款，待发货]",
        "redReminder": "等待买家付款",
        "bizTag": samples.dumps({"taskName": "已拍下_未付款_卖家"}),
        "extJson": samples.dumps({"updateKey": key_of("10:BUYER_CREATE_ORDER:26")}),
    }
    found = told(edit(**stale))
    assert (found.state, found.order, found.source) == (S.PAID, ORDER, "update")
    assert told(edit(**stale | {"reminderContent": "[新的说法]"})).state is None


def test_an_edit_that_shows_nothing_is_read_by_how_it_was_filed() -> None:
    assert told(edit(reminderContent="", redReminder="交易关闭", bizTag="{}")).state is S.CLOSED


def test_a_tip_without_an_order_id_still_tells_its_step() -> None:
    tip = {"contentType": 14, "tip": {"tip": "未付款，<b>买家关闭了订单</b>"}}
    extension = samples.by_platform(14, task="买家关闭订单_卖家", reminderContent="")
    found = told(samples.card(tip, extension))
    assert (found.order, found.state, found.source) == (None, S.CLOSED, "tip")
    assert found.words == "未付款，买家关闭了订单"


def test_our_account_as_the_buyer_is_told_and_the_other_side_is_no_buyer() -> None:
    found = told(samples.card(samples.trade_card(samples.order_url(role="buyer"))))
    assert (found.role, found.buyer, found.order) == ("buyer", None, ORDER)


def test_a_card_that_bears_our_own_name_names_the_buyer_by_its_address() -> None:
    value = card("你已发货")
    value[1][1] = {1: f"{samples.ME}@goofish"}
    assert told(value).buyer == BUYER
    for address in ("", f"fleamarket://message_chat?peerUserId={samples.ME}"):
        value[1][10]["reminderUrl"] = address
        assert told(value).buyer is None


def test_the_title_of_a_thing_for_sale_tells_nothing() -> None:
    item = {"itemId": ITEM, "title": "我已付款，等待你发货"}
    content = {"contentType": 7, "itemCard": {"item": item}}
    extension = samples.by_platform(7, task="", redReminder="")
    assert samples.read(samples.card(content, extension)).facts.trade is None


MARKS = (
    {"bizTag": samples.dumps({"sourceId": "S:1"})},
    {"extJson": samples.dumps({"tag": "u"})},
    {"_platform": "web"},
)


@pytest.mark.parametrize("mark", MARKS)
def test_what_a_persons_client_sent_tells_nothing_whatever_it_looks_like(mark: Payload) -> None:
    assert samples.read(card("我已付款，等待你发货", **mark)).facts.trade is None
    assert samples.read(edit(**mark)).facts.trade is None


def test_a_message_of_no_chat_tells_nothing() -> None:
    assert (
        samples.read(samples.with_said(card("我已付款，等待你发货"), _2=None)).facts.trade is None
    )


@unhurried
@given(keyed, structure)
def test_typed_words_never_tell_of_an_order(extension: Payload, content: object) -> None:
    typed = {**extension, "bizTag": {"sourceId": "S:1"}}
    wrapper = {"3": {"4": 26, "5": samples.dumps(content)}}
    said = {"1": {"1": f"{BUYER}@goofish"}, "2": CID, "3": PNM, "6": wrapper, "10": typed}
    edited = {"1": PNM, "2": CID, "4": {**typed, "dynamicOperation": {"changeContent": content}}}
    for value in ({"1": said}, edited):
        assert reading.read(payload.entry({"data": value}), samples.ME).facts.trade is None


@unhurried
@given(st.sampled_from([*TITLES]) | st.text(), st.none() | st.sampled_from([*KEYS]), structure)
def test_what_the_platform_tells_is_a_step_that_is_told_and_never_raises(
    title: str, step: str | None, tasks: object
) -> None:
    key = step and key_of(step)
    push = samples.read(card(title, key=key, bizTag=samples.dumps({"taskName": tasks})))
    assert isinstance(push, Card | Tip | MessageUpdate)
    assert push.facts.order == ORDER
