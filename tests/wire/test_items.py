"""The facts of an item, in whatever form its numbers come."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xybot.model import Item, ItemId, Sku, UserId
from xybot.wire.items import fen, read

CAPTURE = Path(os.environ.get("XYBOT_CAPTURES") or "nowhere") / "79_mtop_item_detail.json"
NAMES = (
    *("itemDO", "sellerDO", "itemId", "title", "desc", "soldPrice", "quantity", "itemStatus"),
    *("skuList", "skuId", "price", "priceInCent", "propertyList", "propertyText", "valueText"),
    *("imageInfos", "url", "sellerId", "itemStatusStr"),
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
anything: st.SearchStrategy[Any] = st.recursive(
    scalars | st.sampled_from(["720", "-1", "1e9999", "NaN", "¥3", "900001"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)
    ),
    max_leaves=20,
)


@pytest.mark.skipif(not CAPTURE.exists(), reason="XYBOT_CAPTURES names no folder of samples")
def test_the_recorded_answer_is_read_in_full() -> None:
    told = json.loads(CAPTURE.read_text("utf-8"))["decoded"]["data"]
    found = read(told)
    assert found is not None
    assert (found.id, found.title, found.price) == ("1079129727205", "苹果15游戏机", 72000)
    assert (found.stock, found.status, found.seller) == (1, "在线", "2218113135132")
    assert found.description.startswith("苹果15游戏机\n不能刷机")
    assert len(found.pictures) == 3
    assert found.skus == ()


def test_an_item_with_variants_is_read() -> None:
    white = {"propertyText": "颜色", "valueText": "白", "actualValueText": "纯白"}
    size = {"propertyText": "容量", "valueText": "64G"}
    told = {
        "itemDO": {
            "itemId": "900001",
            "title": "手机",
            "soldPrice": 99.5,
            "quantity": "7",
            "itemStatus": "-2",
            "skuList": [
                {"skuId": 1, "price": "9950", "quantity": 3, "propertyList": [white, size]},
                {"skuId": "2", "price": 1, "priceInCent": 10050, "quantity": "4"},
                {"noise": 1},
            ],
            "imageInfos": [{"url": "http://x/1.jpg"}, {}, "x"],
        },
        "sellerDO": {"sellerId": 2201},
    }
    assert read(told) == Item(
        id=ItemId("900001"),
        title="手机",
        price=9950,
        stock=7,
        status="已下架",
        seller=UserId("2201"),
        skus=(
            Sku(id="1", name="颜色:纯白 容量:64G", price=9950, stock=3),
            Sku(id="2", name="", price=10050, stock=4),
        ),
        pictures=("http://x/1.jpg",),
    )


@pytest.mark.parametrize("value", ["720", "720.00", " ¥720 ", "￥720", 720, 720.0])
def test_a_price_is_read_in_any_of_its_forms(value: object) -> None:
    assert fen(value) == 72000


@pytest.mark.parametrize(
    "value", [None, True, "", "面议", "-1", "nan", "inf", "1e9999", float("nan"), []]
)
def test_what_is_no_price_is_unknown(value: object) -> None:
    assert fen(value) is None


@given(st.integers(0, 10**9))
def test_a_price_keeps_every_fen(amount: int) -> None:
    assert fen(f"{amount // 100}.{amount % 100:02}") == amount


def test_a_price_of_five_thousand_digits_is_unknown() -> None:
    assert (fen(10**5000), fen("9" * 5000)) == (None, None)


def test_an_answer_without_an_id_is_no_item() -> None:
    for told in (None, [], {}, {"itemDO": None}, {"itemDO": {"title": "x", "itemId": "x/y"}}):
        assert read(told) is None


@settings(deadline=None)
@given(anything, st.dictionaries(st.sampled_from(NAMES), anything))
def test_any_answer_is_an_item_or_none(whole: Any, fields: dict[str, Any]) -> None:
    for told in (whole, {"itemDO": {"itemId": 900001, **fields}}):
        found = read(told)
        assert found is None or (found.price or 0) >= 0
