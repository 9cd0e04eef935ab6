"""Which goods an order gets: exactly those that are for it, and never a guess."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.orders.samples import CARD, OTHER, SHOP, goods
from xybot.config import Goods
from xybot.model import ItemId
from xybot.orders.goods import Hold, find

TITLE = "会员月卡 自动发货"


def found(*there: Goods, account=SHOP, item=CARD, title: str | None = TITLE, spec="") -> str:
    """Return the name of what is given, or the reason why nothing is."""
    answer = find(there, account, item, title, spec)
    return answer.reason if isinstance(answer, Hold) else answer.name


def test_an_order_gets_the_goods_of_its_item() -> None:
    others = (goods("季卡", items=("81",)), goods("年卡", items=("82", "83")))
    assert found(*others, goods("月卡", items=("80", CARD))) == "月卡"


@pytest.mark.parametrize("written", ["月卡", "会员月卡", "/月卡|季卡/", "自动发货", "/^会员/"])
def test_an_order_gets_the_goods_of_its_title(written: str) -> None:
    assert found(goods("月卡", title=written)) == "月卡"


def test_letter_case_does_not_count_in_titles() -> None:
    assert found(goods("月卡", title="vip"), title="VIP 月卡") == "月卡"


def test_goods_of_another_account_are_not_given() -> None:
    theirs = goods("月卡", accounts=(OTHER,))
    assert found(theirs, account=OTHER) == "月卡"
    reason = found(theirs)
    assert "shop-a" in reason
    assert "no goods for this item" in reason


def test_two_accounts_may_sell_the_same_item_each_with_its_own_goods() -> None:
    there = (goods("一", accounts=(SHOP,)), goods("二", accounts=(OTHER,)))
    assert (found(*there), found(*there, account=OTHER)) == ("一", "二")


# Specifications.

WHITE, BLACK = "颜色:白;容量:64G", "颜色:黑;容量:64G"


def test_a_specification_must_be_the_same_to_the_letter() -> None:
    there = (goods("白", spec=WHITE), goods("黑", spec=BLACK), goods("无"))
    assert found(*there, spec=WHITE) == "白"
    assert found(*there, spec=f" {BLACK} ") == "黑"
    assert found(*there, spec="") == "无"


@pytest.mark.parametrize(
    "spec", ["颜色:红;容量:64G", "颜色:白", "颜色：白;容量:64G", "*", "颜色:白;容量:64G;"]
)
def test_a_specification_that_nobody_sells_is_held_with_what_to_write(spec: str) -> None:
    reason = found(goods("白", spec=WHITE), goods("无"), spec=spec)
    assert f"没有规格“{spec}”的货" in reason
    assert f"“{WHITE}”、没写 spec" in reason
    assert "nobody sells this specification" in reason


def test_goods_without_a_specification_are_not_for_orders_with_one_and_the_reverse() -> None:
    assert "没写 spec" in found(goods("无"), spec=WHITE)
    reason = found(goods("白", spec=WHITE))
    assert "订单没有规格" in reason
    assert WHITE in reason


@pytest.mark.parametrize("spec", ["", WHITE, "随便什么"])
def test_a_star_stands_for_any_specification_and_for_none(spec: str) -> None:
    assert found(goods("月卡", spec="*"), spec=spec) == "月卡"


# Never a guess.


def test_an_item_that_nobody_sells_is_held_with_what_to_write() -> None:
    reason = found(goods("季卡", items=("81",)), goods("年卡", title="年卡"))
    assert CARD in reason
    assert TITLE in reason
    assert "[[goods]]" in reason
    assert "no goods for this item" in found()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"title": "月卡"}),
        ({"title": "会员"}, {"title": "/月卡/"}),
        ({"spec": WHITE}, {"title": "月卡", "spec": "*"}),
        ({"accounts": (SHOP,)}, {"title": "月卡"}),
    ],
)
def test_several_goods_that_fit_are_as_bad_as_none(one: dict, other: dict) -> None:
    there = (goods("一", **one), goods("二", **other))
    for order in permutations(there):
        reason = found(*order, spec=WHITE if "spec" in one else "")
        assert "several goods fit" in reason
        assert "“一”（bot.toml: 一）" in reason
        assert "“二”（bot.toml: 二）" in reason


@pytest.mark.parametrize("title", [None, ""])
def test_a_title_that_is_unknown_fits_no_goods_and_rules_none_out(title: str | None) -> None:
    anything = goods("教程", title="/.*/")
    for there in ((anything,), (goods("月卡"), anything)):
        reason = found(*there, title=title)
        assert "教程" in reason
        assert "its title is unknown" in reason
    both = goods("月卡", items=(CARD,), title="月卡")
    assert found(both, title=title) == "月卡"
    assert found(goods("月卡"), goods("白", title="月卡", spec=WHITE), title=title) == "月卡"


shelves = st.lists(
    st.builds(
        lambda n, accounts, items, spec: {"accounts": accounts, "items": items, "spec": spec},
        st.integers(),
        st.sampled_from([(), (SHOP,), (OTHER,), (SHOP, OTHER)]),
        st.sampled_from([("81",), ("82",), ("81", "82")]),
        st.sampled_from(["", "*", WHITE, BLACK]),
    ),
    max_size=5,
)


@given(shelves, st.sampled_from([SHOP, OTHER]), st.sampled_from(["81", "82"]), st.data())
def test_what_is_given_fits_and_nothing_else_does(shelf, account, item, data) -> None:
    spec = data.draw(st.sampled_from(["", WHITE, BLACK, "别的"]))
    there = [goods(f"{n}", **each) for n, each in enumerate(shelf)]
    fitting = [
        each.name
        for each in there
        if (account in each.accounts or not each.accounts)
        and item in each.items
        and each.spec in (spec, "*")
    ]
    answer = find(there, account, ItemId(item), TITLE, spec)
    assert ([] if isinstance(answer, Hold) else [answer.name]) == fitting[: len(fitting) == 1]
