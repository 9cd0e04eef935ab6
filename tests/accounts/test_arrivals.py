"""What a push means to us, before it is stored."""

from __future__ import annotations

from tests.wire import samples
from xybot.accounts import arrivals
from xybot.accounts.echoes import Echoes
from xybot.trade import OrderState
from xybot.wire import frames


def test_what_is_told_of_an_order_comes_with_the_entry_and_typed_words_tell_nothing() -> None:
    paid = samples.card(samples.trade_card(samples.order_url()))
    reminder = samples.EVERY_KIND["red reminder"][1]
    typed = samples.message(samples.trade_card(samples.order_url()), samples.by_person())
    push = frames.decode(samples.push(*map(samples.item, (paid, reminder, typed))))
    found = arrivals.of_push(push, samples.ME, Echoes())
    assert [each.trade and (each.trade.order, each.trade.state) for each in found] == [
        (samples.ORDER, OrderState.PAID),
        (None, OrderState.COMPLETED),
        None,
    ]
