"""What a step of an order means to those who listen."""

from __future__ import annotations

import attrs
import pytest

from xybot.events import DeliveryHeld, DeliverySent, OrderUpdated, StockLow
from xybot.model import AccountId, ChatId, OrderId, Outgoing, Text, UserId
from xybot.store.deliveries import SOURCE
from xybot.store.outbox import Held, Refused, Sent
from xybot.telling import advanced, dropped, said
from xybot.trade import OrderState, Step

SHOP, ORDER = AccountId("shop-a"), OrderId("2849113000012345678")
CODE = "AAAA-BBBB-0001"
GIVEN = Outgoing(
    uuid="-1",
    chat=ChatId("c1"),
    to=UserId("2201"),
    content=Text(f"卡密 {CODE}"),
    source=SOURCE,
    because="order",
)
PAID = Step(order=ORDER, old=OrderState.PLACED, new=OrderState.PAID, source="card", why="已付款")


def test_a_step_is_told_with_where_it_is_known_from() -> None:
    assert list(advanced(SHOP, PAID)) == [
        OrderUpdated(
            account=SHOP,
            order=ORDER,
            old=OrderState.PLACED,
            new=OrderState.PAID,
            source="card",
            why="已付款",
        )
    ]


@pytest.mark.parametrize("fate", [Sent(None), Refused("no"), Held("?")])
def test_what_becomes_of_goods_is_told_without_a_word_of_them(fate: Sent | Refused | Held) -> None:
    assert CODE not in repr(said(SHOP, GIVEN, fate))
    assert CODE not in repr(dropped(SHOP, GIVEN, "refunded"))
    assert CODE in repr(said(SHOP, attrs.evolve(GIVEN, source="rules"), fate))


@pytest.mark.parametrize("state", OrderState)
def test_what_is_told_again_and_changes_nothing_is_no_event(state: OrderState) -> None:
    assert list(advanced(SHOP, attrs.evolve(PAID, old=state, new=state))) == []


def test_a_held_order_is_told_as_such_with_the_reason() -> None:
    _, held = advanced(SHOP, attrs.evolve(PAID, new=OrderState.HELD, why="库存不足"))
    assert held == DeliveryHeld(account=SHOP, order=ORDER, why="库存不足")


def test_a_delivery_is_told_when_the_platform_has_all_of_its_messages() -> None:
    step = attrs.evolve(PAID, old=OrderState.DELIVERING, new=OrderState.DELIVERED, source="bot")
    _, sent = advanced(SHOP, attrs.evolve(step, goods="steam-50", messages=2))
    assert sent == DeliverySent(account=SHOP, order=ORDER, goods="steam-50", messages=2)


def test_a_delivery_by_the_sellers_hand_sent_nothing_of_ours() -> None:
    step = attrs.evolve(PAID, old=OrderState.HELD, new=OrderState.DELIVERED, source="seller")
    assert [each.name for each in advanced(SHOP, step)] == ["order.update"]


def test_low_stock_tells_the_batch_and_what_is_left() -> None:
    step = attrs.evolve(PAID, old=OrderState.PAID, new=OrderState.DELIVERING, source="bot")
    low, update = advanced(SHOP, attrs.evolve(step, runs_low=("steam-50", 3)))
    assert low == StockLow(account=SHOP, batch="steam-50", left=3)
    assert update.name == "order.update"
