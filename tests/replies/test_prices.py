"""How far a price goes down, over all prices, limits, conversations and offers."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xybot.config import Haggle
from xybot.model import Item, ItemId, Offer, Pass, Sku
from xybot.replies.offers import Asks, Less, Percent, PostFree, Price, Wish
from xybot.replies.prices import (
    Accept,
    Answer,
    Counter,
    LastWord,
    Limits,
    counter,
    limits,
    listed,
)

ITEM = ItemId("81")
PRICE = 100_00


def talk(limits: Limits, *wishes: Wish, price: int = PRICE) -> list[Answer]:
    """Haggle, every answer being heard."""
    past: list[Offer] = []
    said = []
    for wish in wishes:
        said.append(counter(price, limits, past, wish))
        past.extend(heard(said[-1]))
    return said


def heard(answer: Answer) -> tuple[Offer, ...]:
    match answer:
        case Counter(fen, asked) | Accept(fen, asked):
            return (Offer(item=ITEM, asked=asked, made=fen),)
        case LastWord(_, asked):
            return (Offer(item=ITEM, asked=asked, made=None),)
        case Pass():
            return ()


def named(said: list[Answer]) -> list[int | str]:
    return [x.fen if isinstance(x, Counter) else type(x).__name__.lower() for x in said]


TEN_PERCENT = Limits(percent=10_00)
TO_70 = Limits(floor=70_00)

amounts = st.integers(1, 200_000_00)
numbers = st.one_of(
    st.builds(Price, amounts), st.builds(Percent, st.integers(1, 999)), st.builds(Less, amounts)
)
asked_for = st.one_of(numbers, st.just(Asks()))
wishes = st.one_of(asked_for, st.builds(PostFree, st.none() | asked_for))
all_limits = st.builds(
    Limits,
    floor=st.none() | st.integers(0, 200_000_00),
    percent=st.none() | st.integers(0, 100_00),
    amount=st.none() | st.integers(0, 200_000_00),
    shares=st.lists(st.integers(1, 1000), max_size=6).map(tuple),
    postage_included=st.booleans(),
)
pasts = st.lists(
    st.builds(Offer, item=st.just(ITEM), asked=st.none() | amounts, made=st.none() | amounts),
    max_size=6,
)


def least(price: int, limits: Limits) -> float:
    """The least that may be named, told in another way than the code tells it."""
    bounds: list[float] = [1]
    if limits.floor is not None:
        bounds.append(limits.floor)
    if limits.percent is not None:
        bounds.append(price - price * limits.percent / 10_000)
    if limits.amount is not None:
        bounds.append(price - limits.amount)
    return max(bounds) if len(bounds) > 1 else price


def ours(price: int, past: list[Offer]) -> int:
    return min([price, *(x.made for x in past if x.made is not None)])


@given(amounts, all_limits, pasts, wishes)
def test_no_price_is_ever_named_below_the_limits_or_above_what_we_named_before(
    price: int, limits: Limits, past: list[Offer], wish: Wish
) -> None:
    said = counter(price, limits, past, wish)
    if isinstance(said, Counter):
        assert least(price, limits) - 1e-6 <= said.fen < ours(price, past)
    if isinstance(said, Accept | LastWord):
        assert least(price, limits) - 1e-6 <= said.fen <= ours(price, past)


@given(amounts, all_limits, pasts, wishes)
def test_a_counter_offer_is_above_what_was_asked_and_a_taken_offer_is_not(
    price: int, limits: Limits, past: list[Offer], wish: Wish
) -> None:
    said = counter(price, limits, past, wish)
    for offer in heard(said):
        assert offer.is_counter == isinstance(said, Counter)
        assert offer.is_deal == isinstance(said, Accept)
    if isinstance(said, Accept):
        assert said.fen == min(said.asked, ours(price, past))


@given(amounts, all_limits, st.lists(wishes, max_size=12))
def test_a_talk_has_no_more_counter_offers_than_rounds_and_one_last_word(
    price: int, limits: Limits, asked: list[Wish]
) -> None:
    said = talk(limits, *asked, price=price)
    counters = [x.fen for x in said if isinstance(x, Counter)]
    assert len(counters) <= len(limits.shares)
    assert counters == sorted(set(counters), reverse=True)
    assert sum(isinstance(x, LastWord) for x in said) <= 1
    prices = [x.fen for x in said if isinstance(x, Counter | Accept)]
    assert prices == sorted(prices, reverse=True)
    ends = [n for n, x in enumerate(said) if isinstance(x, Accept | LastWord)]
    assert not any(isinstance(x, Counter) for x in said[min(ends, default=len(said)) :])


@given(amounts, all_limits, asked_for)
def test_what_we_would_name_next_is_taken_from_the_buyer(
    price: int, limits: Limits, wish: Wish
) -> None:
    following = counter(price, limits, (), Asks())
    if isinstance(following, Counter):
        assert counter(price, limits, (), Price(following.fen)) == Accept(
            following.fen, following.fen
        )
        below = counter(price, limits, (), Price(following.fen - 1))
        assert below == Counter(following.fen, following.fen - 1)


@given(amounts, wishes, st.sampled_from(["floor", "percent", "amount"]))
def test_zero_means_zero(price: int, wish: Wish, kind: str) -> None:
    none = Limits(
        floor=price if kind == "floor" else None,
        percent=0 if kind == "percent" else None,
        amount=0 if kind == "amount" else None,
    )
    for said in talk(none, wish, wish, price=price):
        assert not isinstance(said, Counter)
        assert not isinstance(said, Accept) or said.fen == price


def test_without_any_limit_there_is_no_discount() -> None:
    assert named(talk(Limits(), Asks(), Asks(), Price(80_00))) == ["lastword", "pass", "pass"]


def test_the_strictest_limit_holds() -> None:
    for strictest in ({"floor": 95_00}, {"percent": 5_00}, {"amount": 5_00}):
        all_ = Limits(**({"floor": 60_00, "percent": 40_00, "amount": 40_00} | strictest))
        assert all_.lowest(PRICE) == 95_00


def test_limits_are_rounded_in_favour_of_the_seller_and_nothing_is_free() -> None:
    assert Limits(percent=1_00).lowest(150) == 149
    assert Limits(percent=100_00).lowest(5) == Limits(floor=0).lowest(5) == 1
    tiny = Limits(amount=10)
    assert named(talk(tiny, *[Asks()] * 4, price=105)) == [102, 100, 95, "lastword"]


@given(
    st.integers(50_00, PRICE),
    st.lists(st.none() | st.integers(50_00, PRICE), max_size=3),
    st.lists(st.integers(1, 9), max_size=5).map(tuple),
)
def test_what_was_named_never_rises_whatever_the_settings_were_then(
    floor: int, made: list[int | None], shares: tuple[int, ...]
) -> None:
    past = [Offer(item=ITEM, asked=None, made=each) for each in made]
    said = counter(PRICE, Limits(floor=floor, shares=shares), past, Asks())
    if isinstance(said, Counter):
        assert floor <= said.fen < ours(PRICE, past)


def test_a_step_that_would_not_go_down_is_the_last_word() -> None:
    past = [Offer(item=ITEM, asked=None, made=75_00)]
    assert counter(PRICE, TO_70, past, Asks()) == LastWord(75_00, None)


def test_the_last_word_stays_the_last_when_settings_become_generous() -> None:
    past = [Offer(item=ITEM, asked=None, made=None)]
    assert isinstance(counter(PRICE, TO_70, past, Asks()), Pass)


def test_far_above_the_price_is_no_offer() -> None:
    assert isinstance(talk(TO_70, Price(200_01))[0], Pass)
    assert talk(TO_70, Price(200_00)) == [Accept(PRICE, 200_00)]


def test_the_discount_is_spread_equally_over_the_rounds() -> None:
    assert named(talk(TO_70, *[Asks()] * 5)) == [90_00, 80_00, 70_00, "lastword", "pass"]


def test_the_discount_is_spread_by_the_shares_of_the_steps() -> None:
    steps = attrs.evolve(TO_70, shares=(50, 30, 20))
    assert named(talk(steps, *[Asks()] * 4)) == [85_00, 76_00, 70_00, "lastword"]


def test_no_rounds_is_the_last_word_at_once() -> None:
    none = attrs.evolve(TO_70, shares=())
    over = Pass("议价已结束 (haggling is over)")
    assert talk(none, Price(80_00), Price(80_00)) == [LastWord(PRICE, 80_00), over]


def test_whole_yuan_are_preferred_and_rounded_up() -> None:
    assert named(talk(Limits(floor=80_50), *[Asks()] * 4)) == [94_00, 87_00, 81_00, "lastword"]
    small = Limits(percent=10_00)
    assert named(talk(small, *[Asks()] * 4, price=5_00)) == [4_90, 4_70, 4_50, "lastword"]
    assert named(talk(small, *[Asks()] * 4, price=1)) == ["lastword", "pass", "pass", "pass"]


def test_an_offer_above_ours_is_taken_at_ours() -> None:
    assert talk(TO_70, Price(120_00)) == [Accept(PRICE, 120_00)]
    assert talk(TO_70, Asks(), Price(95_00)) == [Counter(90_00, None), Accept(90_00, 95_00)]


def test_our_last_price_stands_after_the_last_word() -> None:
    said = talk(TO_70, Asks(), Asks(), Asks(), Asks(), Price(60_00), Price(70_00))
    assert said[3:] == [
        LastWord(70_00, None),
        Pass("议价已结束 (haggling is over)"),
        Accept(70_00, 70_00),
    ]


def test_a_deal_is_a_deal() -> None:
    said = talk(TO_70, Price(92_00), Price(85_00), Asks(), Price(92_00))
    assert said == [
        Accept(92_00, 92_00),
        LastWord(92_00, 85_00),
        Pass("议价已结束 (haggling is over)"),
        Accept(92_00, 92_00),
    ]


def test_less_is_meant_from_our_last_price_and_percent_from_the_listed_one() -> None:
    said = talk(TO_70, Asks(), Less(5_00), Percent(650))
    assert said == [Counter(90_00, None), Accept(85_00, 85_00), LastWord(85_00, 65_00)]
    assert talk(TO_70, Less(500_00)) == [Counter(90_00, 0)]


def test_free_postage_is_only_promised_where_prices_include_it() -> None:
    included = attrs.evolve(TO_70, postage_included=True)
    assert talk(included, PostFree(Price(95_00))) == [Accept(95_00, 95_00)]
    assert isinstance(talk(TO_70, PostFree(Price(95_00)))[0], Pass)
    assert talk(TO_70, PostFree(Price(50_00))) == [Counter(90_00, 50_00)]
    assert talk(TO_70, PostFree(Asks())) == [Counter(90_00, None)]
    assert all(isinstance(talk(x, PostFree(None))[0], Pass) for x in (included, TO_70))


def test_a_floor_above_the_price_names_nothing() -> None:
    (said,) = talk(Limits(floor=100_01), Price(100_01))
    assert isinstance(said, Pass)
    assert "100" not in said.reason


def test_a_stricter_setting_does_not_take_back_what_was_named_nor_go_on_from_there() -> None:
    past = [Offer(item=ITEM, asked=None, made=80_00)]
    assert isinstance(counter(PRICE, TEN_PERCENT, past, Price(80_00)), Pass)
    assert isinstance(counter(PRICE, TEN_PERCENT, past, Asks()), Pass)


def test_settings_become_fen() -> None:
    setting = Haggle(floor=80.55, max_percent=12.5, max_yuan=20.0, steps=(50.0, 0.5))
    assert limits(setting) == Limits(floor=80_55, percent=12_50, amount=20_00, shares=(5000, 50))
    assert len(limits(Haggle()).shares) == 3
    assert len(limits(Haggle(rounds=5)).shares) == 5
    assert limits(Haggle(rounds=0)).shares == ()


def sku(price: int | None) -> Sku:
    return Sku(id="1", name="颜色:白", price=price, stock=1)


@pytest.mark.parametrize(
    ("item", "written", "price"),
    [
        (Item(id=ITEM, title="x", price=88_00), None, 88_00),
        (Item(id=ITEM, title="x", price=88_00), 99.5, 88_00),
        (Item(id=ITEM, title="x"), 99.5, 99_50),
        (Item(id=ITEM, title="x", skus=(sku(5_00), sku(5_00), sku(None))), None, 5_00),
        (Item(id=ITEM, title="x", price=5_00, skus=(sku(5_00), sku(6_00))), 5.0, None),
        (Item(id=ITEM, title="x", price=0), None, None),
        (None, 99.5, 99_50),
        (None, None, None),
    ],
)
def test_the_price_is_the_platforms_else_the_sellers(
    item: Item | None, written: float | None, price: int | None
) -> None:
    found = listed(item, written)
    assert found == price if price is not None else isinstance(found, Pass)
