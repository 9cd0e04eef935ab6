"""What the recorded cards, tips and reminders tell of their orders; `XYBOT_CAPTURES` has them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.wire import samples
from xybot.model import UserId
from xybot.trade import OrderState, Trade
from xybot.wire import chatlines, payload, reading

FOLDER = Path(os.environ.get("XYBOT_CAPTURES") or "nowhere")
ME = UserId("2202491241240")
S = OrderState

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="XYBOT_CAPTURES names no folder")


def decoded(name: str) -> Any:
    (path,) = FOLDER.glob(f"{name}_*.json")
    return json.loads(path.read_text("utf-8"))["decoded"]


def told(fields: Any) -> Trade:
    trade = reading.read(payload.entry({"data": fields}), ME).facts.trade
    assert trade is not None
    return trade


def as_card(content: Any) -> Any:
    return samples.card(content, {"sessionType": "1"})


CARDS = {
    "17": ("2503688126356636370", S.PLACED, "seller", "3987877506", "我已拍下，待付款"),
    "34": ("3310145690545023994", S.PAID, "seller", "2222862355581", "我已付款，等待你发货"),
    "35": ("3310145690545023994", S.PLACED, "seller", "2222862355581", "我已拍下，待付款"),
    "36": ("3310145690545023994", S.PLACED, "buyer", None, "我已拍下，待付款"),
}


@pytest.mark.parametrize("name", CARDS)
def test_a_recorded_card_tells_its_order(name: str) -> None:
    found = told(decoded(name))
    assert CARDS[name] == (found.order, found.state, found.role, found.buyer, found.words)
    assert (found.source, found.knife) == ("card", False)


def test_the_recorded_edit_was_paid_whatever_its_stale_reminder_says() -> None:
    found = told(decoded("29"))
    assert (found.order, found.state, found.source) == (None, S.PAID, "update")
    assert (found.role, found.words) == ("seller", "已付款，待发货")


def test_the_recorded_tip_closed_some_order_of_its_chat() -> None:
    push = chatlines.read(chatlines.from_history(decoded("64")), UserId("2753634884"))
    assert push.facts.trade is not None
    found = push.facts.trade
    assert (found.order, found.state, found.role, found.source) == (None, S.CLOSED, "seller", "tip")
    assert (found.chat, found.buyer) == ("51388124157", "2218849062051")


def test_the_recorded_red_reminder_waits_for_a_payment() -> None:
    found = told(decoded("18"))
    assert (found.chat, found.order, found.state) == ("47983389096", None, S.PLACED)
    assert found.source == "reminder"


@pytest.mark.parametrize(
    ("name", "order", "state"),
    [("48", "1", S.PLACED), ("49", "5118251546854009018", S.PAID)],
)
def test_recorded_contents_are_of_a_buyer(name: str, order: str, state: OrderState) -> None:
    push = samples.read(as_card(decoded(name)))
    assert push.facts.trade is not None
    found = push.facts.trade
    assert (found.order, found.state, found.role, found.buyer) == (order, state, "buyer", None)


def test_a_hint_of_the_platform_and_what_people_typed_tell_of_no_order() -> None:
    for name in ("15", "32", "43"):
        assert reading.read(payload.entry({"data": decoded(name)}), ME).facts.trade is None
