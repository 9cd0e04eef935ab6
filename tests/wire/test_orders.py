"""What the order API tells: the state that is, never one to come, and nothing guessed."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.test_properties import structure, unhurried
from xybot.model import ItemId, UserId
from xybot.trade import OrderFacts, OrderState
from xybot.wire import orders

FOLDER = Path(os.environ.get("XYBOT_CAPTURES") or "nowhere")
recorded = pytest.mark.skipif(not FOLDER.is_dir(), reason="XYBOT_CAPTURES names no folder")
S = OrderState
Payload = dict[str, Any]


def capture(name: str) -> Any:
    (path,) = FOLDER.glob(f"{name}_*.json")
    return json.loads(path.read_text("utf-8"))["decoded"]["data"]


def detail(title: object = "买家已付款，请尽快发货", nodes: object = (), **item: object) -> Payload:
    facts = {"itemId": "600000000001", "title": "旧书", "buyAmount": "2"} | item
    status = {"orderStatusInfo": {"title": title}, "orderStatusNodeList": nodes}
    info = {"itemInfo": facts, "priceInfo": {"amount": {"value": "39.90"}}}
    return {
        "peerUserId": 880002,
        "itemId": 600000000001,
        "utArgs": {"orderStatus": "4"},
        "components": [
            {"render": "orderInfoVO", "data": info},
            {"render": "addressInfoVO", "data": {"name": "甲某"}},
            {"render": "orderStatusVO", "data": status},
        ],
    }


def test_everything_that_is_told_of_an_order_is_read() -> None:
    assert orders.facts(detail(specName="颜色", specValue="白")) == OrderFacts(
        peer=UserId("880002"),
        item=ItemId("600000000001"),
        state=S.PAID,
        words="买家已付款，请尽快发货",
        quantity=2,
        spec="颜色:白",
        amount=3990,
        title="旧书",
    )


@recorded
def test_the_recorded_shape_is_paid_whatever_nodes_are_still_to_come() -> None:
    found = orders.facts(capture("84"))
    assert (found.state, found.words) == (S.PAID, "买家已付款，请尽快发货")
    assert (found.peer, found.item, found.quantity) == (None, None, None)
    assert (found.spec, found.amount, found.title) == ("", None, "")


TITLES = {
    "等待买家付款": S.PLACED,
    "买家已付款，请尽快发货": S.PAID,
    "待发货": S.PAID,
    "等待买家收货": S.CONFIRMED,
    "已发货": S.CONFIRMED,
    "交易成功": S.COMPLETED,
    "退款中": S.REFUNDING,
    "退款成功": S.REFUNDED,
    "交易关闭": S.CLOSED,
    "买家已付款？": None,
    "退款处理中，请等待": None,
    "4": None,
}
DONE = [{"title": "已拍下", "completed": "true"}, {"title": "已付款", "completed": True}]
TO_COME = [{"title": "待收货", "completed": "false"}, {"title": "交易成功"}]


@pytest.mark.parametrize(("title", "state"), TITLES.items())
def test_the_title_is_the_state_and_unknown_words_are_no_state(
    title: str, state: OrderState | None
) -> None:
    found = orders.facts(detail(title, DONE + TO_COME))
    assert (found.state, found.words) == (state, title)


@pytest.mark.parametrize(
    ("nodes", "state"),
    [
        (DONE + TO_COME, S.PAID),
        (DONE[:1] + TO_COME, S.PLACED),
        (TO_COME, None),
        ([*DONE, {"title": "新的一步", "completed": True}, *TO_COME], None),
        ([*DONE, {"title": "交易成功", "completed": "true"}], S.COMPLETED),
        ([], None),
        ("交易成功", None),
    ],
)
def test_without_a_title_the_last_step_that_is_done_is_the_state(
    nodes: object, state: OrderState | None
) -> None:
    assert orders.facts(detail(None, nodes)).state is state


def test_an_order_that_waits_for_its_price_has_no_state_yet() -> None:
    found = orders.facts(detail("待刀成"))
    assert (found.state, found.knife, found.words) == (None, True, "待刀成")
    assert not orders.facts(detail()).knife


@pytest.mark.parametrize(
    ("told", "quantity"),
    [
        *[("2", 2), (2, 2), ("0", 0), (" 12 ", 12), ("", None), (None, None), (True, None)],
        *[("-1", None), (-1, None), ("2.5", None), (2.5, None), ("一", None), (10**12, None)],
    ],
)
def test_a_quantity_is_a_whole_number_or_unknown(told: object, quantity: int | None) -> None:
    assert orders.facts(detail(buyAmount=told)).quantity == quantity


@pytest.mark.parametrize(
    ("item", "spec"),
    [
        ({}, ""),
        ({"specName": "颜色", "specValue": "白"}, "颜色:白"),
        ({"specName": "颜色;容量", "specValue": "白；64G"}, "颜色:白;容量:64G"),
        ({"specName": ["颜色", "容量"], "specValue": ["白", "64G"]}, "颜色:白;容量:64G"),
        ({"specName": "", "specValue": "月卡"}, "月卡"),
        ({"specName": "颜色", "specValue": ""}, ""),
        ({"skuInfo": "颜色：白; 容量:64G"}, "颜色:白;容量:64G"),
        ({"specName": 7, "specValue": {"a": 1}, "skuInfo": None}, ""),
    ],
)
def test_a_variant_is_its_names_and_values(item: Payload, spec: str) -> None:
    assert orders.facts(detail(**item)).spec == spec


@pytest.mark.parametrize(
    ("amount", "fen"),
    [
        *[({"value": "39.90"}, 3990), ("¥0.01", 1), ({"value": 12}, 1200), ({"value": ""}, None)],
        *[(None, None), ({"value": "-1"}, None), ({"value": "NaN"}, None), ({}, None)],
    ],
)
def test_an_amount_is_fen_or_unknown(amount: object, fen: int | None) -> None:
    told = detail()
    told["components"][0]["data"]["priceInfo"]["amount"] = amount
    assert orders.facts(told).amount == fen


def test_parts_that_come_as_json_text_are_read() -> None:
    told = detail(specValue="月卡")
    for part in told["components"]:
        part["data"] = json.dumps(part["data"], ensure_ascii=False)
    assert orders.facts(told) == orders.facts(detail(specValue="月卡"))


# The list of what was sold.


@recorded
def test_the_recorded_page_of_sold_orders_is_read() -> None:
    page = orders.sold(capture("82"))
    assert page is not None
    assert page.more
    (found,) = page.orders
    assert (found.order, found.state, found.words) == ("3300351279401008157", S.PAID, "待发货")
    assert (found.item, found.buyer, found.amount) == ("907625879418", "1106704820", 3900)
    assert (found.paid_at, found.knife) == (1_778_154_611_000, False)


def line(**more: object) -> Payload:
    return {"commonData": {"orderId": "4400000000000000011", "orderStatus": "待发货"}} | more


@pytest.mark.parametrize(
    ("told", "more"), [("true", True), (True, True), ("false", False), (None, False), (1, False)]
)
def test_only_a_yes_makes_a_next_page(told: object, more: bool) -> None:
    page = orders.sold({"module": {"items": [], "nextPage": told}})
    assert page == orders.SoldPage(orders=(), more=more)


@pytest.mark.parametrize("data", [None, {}, {"module": {}}, {"module": {"items": "x"}}, [], "x"])
def test_an_answer_without_a_list_is_no_empty_list(data: object) -> None:
    assert orders.sold(data) is None


def test_lines_without_an_order_are_left_out_and_a_button_tells_a_price_to_be_cut() -> None:
    pin = {"btnList": [{"name": "直接免拼", "tradeAction": "SKIP_PIN"}]}
    items = [None, "x", {}, line(), line(rightVO=pin)]
    page = orders.sold({"module": json.dumps({"items": items})})
    assert page is not None
    assert [(each.state, each.knife) for each in page.orders] == [(S.PAID, False), (None, True)]


@unhurried
@given(structure, st.sampled_from(["module", "components", "x"]))
def test_any_answer_is_read(noise: Any, name: str) -> None:
    assert orders.facts(noise).knife in {True, False}
    assert orders.facts({name: noise}).spec is not None
    assert orders.sold({name: {"items": [noise, line(rightVO=noise)]}}) is not None or (
        name != "module"
    )


@unhurried
@given(structure, st.integers(0, 2), st.sampled_from(["data", "render"]))
def test_no_part_of_an_answer_can_break_its_reading(noise: Any, part: int, key: str) -> None:
    told = copy.deepcopy(detail())
    told["components"][part][key] = noise
    found = orders.facts(told)
    assert found.state in {S.PAID, None}
    assert found.peer == "880002"
