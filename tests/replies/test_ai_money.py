"""Sums in a model's words: every one that a buyer could hold the seller to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xybot.replies.ai import money

TOLD = money.sums("标价：100 元\n运费 15 元\n2021年买的，电池80")


@pytest.mark.parametrize(
    "words",
    [
        "80元给你", "80 块", "¥80", "￥80.5", "８０元", "那就80吧", "80可以", "80我也卖", "80拿走",
        "八十块", "八十给你", "一百二包邮", "打8折", "八五折", "便宜10", "优惠20给你", "少5块",
        "降到90", "只要 1 元", "卖80", "9毛",
    ],
)  # fmt: skip
def test_a_price_is_seen_however_it_is_written(words: str) -> None:
    assert any(each.marked for each in money.sums(words))


@pytest.mark.parametrize(
    "words",
    [
        "两天到", "1-2天发货", "3个", "还有2件", "99新", "九成新", "64G的", "iphone13",
        "10:30前", "第2个", "一起拍", "一下", "十分感谢", "三十多天", "订单 123456789012",
        "5层包装", "2021年买的", "千万别拍错",
    ],
)  # fmt: skip
def test_numbers_of_other_things_are_no_prices(words: str) -> None:
    assert money.sums(words) == frozenset()


@pytest.mark.parametrize(
    ("words", "asked", "kept_back"),
    [
        ("标价100元", "多少钱", False),
        ("运费15元", "寄新疆", False),
        ("原价 300 元买的", "多少钱", False),
        ("蓝牙 5.3 的", "什么版本", False),
        ("80元", "多少钱", True),
        ("80", "80行不行", False),  # the seller wrote an 80, and nothing here speaks of money
        ("70", "70行不行", True),
        ("70", "多少钱", False),
        ("打8折", "打折吗", True),
    ],
)
def test_a_lower_price_than_was_told_is_kept_back(words: str, asked: str, kept_back: bool) -> None:
    assert bool(money.invented(words, TOLD, asked, 10_000)) is kept_back


def test_where_the_price_is_not_known_none_may_be_named() -> None:
    assert money.invented("300元", frozenset(), "多少钱", None)


@given(st.integers(1, 9_999_999))
def test_a_price_that_we_write_is_read_as_itself(fen: int) -> None:
    assert money.names_only(f"{money.yuan(fen)}元给您，今天就发", fen)


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    assert all(each.fen >= 0 for each in money.sums(text))
