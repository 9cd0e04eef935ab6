"""Every fault of the order API, at every moment of a sale: delivered once, or held and why."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest
import trio
from trio.testing import MockClock

from tests.conftest import SHOP, Shop, open_shop
from tests.orders.test_delivery import month, stock
from xybot.simulator.faults import Faults
from xybot.simulator.world import SimOrder
from xybot.store import ledger, orders
from xybot.trade import OrderState


@attrs.frozen(kw_only=True)
class Row:
    """How a fault strikes, and how it ends."""

    strike: Callable[[Faults], object]
    end: Callable[[Faults], object] | None = None
    holds: bool = False
    """Whether its order may be held for it."""


ROWS = {
    "slow_orders": Row(strike=lambda it: it.slow_orders(20), end=lambda it: it.slow_orders(0)),
    "late_orders": Row(strike=lambda it: it.late_orders(15), end=lambda it: it.late_orders(0)),
    "forbid_orders": Row(
        strike=Faults.forbid_orders, end=lambda it: it.forbid_orders(on=False), holds=True
    ),
    "shop_sleeps": Row(strike=Faults.shop_sleeps, end=lambda it: it.shop_sleeps(on=False)),
    "fail_orders": Row(strike=lambda it: it.fail_orders(3)),
    "lose_order_answers": Row(strike=lambda it: it.lose_order_answers(2)),
}
#: After the payment (s): before it, as it is checked, as it is sent, as it is confirmed, later.
MOMENTS = (-1.0, 0.0, 0.02, 0.04, 0.1, 0.5, 5.0)


async def strike(shop: Shop, row: Row, at: float) -> None:
    await trio.sleep_until(at)
    row.strike(shop.faults)
    if row.end is not None:
        await trio.sleep(60)
        row.end(shop.faults)


async def sale(row: Row, moment: float) -> None:
    async with open_shop() as shop, trio.open_nursery() as nursery:
        shop.goods = (month(shop),)
        await stock(shop, "AAA-1", "AAA-2")
        shop.faults.slow(0.01)
        nursery.start_soon(shop.run)
        await trio.sleep(5)
        paid_at = trio.current_time() + 3
        nursery.start_soon(strike, shop, row, paid_at + moment)
        sold = shop.platform.buyer_orders(shop.sim, "小王")
        await trio.sleep_until(paid_at)
        shop.platform.buyer_pays(shop.sim, sold)
        await trio.sleep(600)
        await reckon(shop, sold, row)
        nursery.cancel_scope.cancel()


async def reckon(shop: Shop, sold: SimOrder, row: Row) -> None:
    found = await shop.store.transact(orders.find, SHOP, sold.id)
    audit = await shop.store.transact(ledger.audit)
    assert found is not None
    assert audit.wrong == ()
    if row.holds and found.state is OrderState.HELD:
        assert found.why
        assert sold.shipment is None
        assert len(shop.heard) <= 1
        return
    assert (found.state, shop.heard) == (OrderState.CONFIRMED, ["卡密：AAA-1"]), found.why
    assert sold.shipment is not None
    assert sold.shipment.after == ("卡密：AAA-1",)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("name", ROWS)
def test_a_sale_survives_every_fault_of_the_order_api(name: str, moment: float) -> None:
    trio.run(sale, ROWS[name], moment, clock=MockClock(autojump_threshold=0))
