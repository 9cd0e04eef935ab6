"""Kill the bot before and after every transaction of a sale: no code is lost or given twice.

Each paid order gets its own codes once, is confirmed only when its buyer has them, and the
books say so: imported = unused + reserved + sent + quarantined, each with its receipts.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import attrs
import pytest
import trio
from trio.testing import MockClock

from tests.conftest import clock_ms, new_platform
from tests.test_crash import Mortal, live
from xybot.config.goods import Goods
from xybot.simulator.platform import Platform
from xybot.simulator.world import SimOrder
from xybot.store import codes, ledger
from xybot.store.database import inline, open_store

CODES = ("AAA", "BBB", "CCC", "DDD", "EEE")


async def buyers(platform: Platform, sold: list[SimOrder]) -> None:
    """Two who pay at once, a card that comes twice, a lost answer, and one who changes his mind."""
    sim = next(iter(platform.world.accounts.values()))
    faults = platform.faults(sim)
    await trio.sleep(2)
    for buyer, quantity in (("小王", 2), ("阿杰", 1)):
        sold.append(platform.buyer_orders(sim, buyer, quantity))
    faults.duplicate(2)
    for each in sold[:2]:
        platform.buyer_pays(sim, each)
    await trio.sleep(20)
    faults.lose_answers(1)
    faults.lose_order_answers(1)
    sold.append(platform.buyer_orders(sim, "柚子"))
    platform.buyer_pays(sim, sold[2])
    await trio.sleep(60)
    sold.append(platform.buyer_orders(sim, "老赵"))
    platform.buyer_closes(sim, sold[3])


@attrs.frozen
class Outcome:
    """How a story ended."""

    died: bool
    said: list[str]
    """The codes that buyers were told, each time they were."""
    shipped: list[bool]
    early: list[str]
    """What was confirmed before its buyer had the goods."""
    counts: tuple[int, int, int]
    """Unused, reserved, sent."""
    wrong: tuple[str, ...]


async def story(path: Path, n: int, *, before: bool) -> Outcome:
    platform = new_platform(seed=7)
    sim = platform.add_account("shop-a")
    item = platform.world.items_of[sim.user_id][0].id
    goods = (Goods(name="卡", items=(item,), kind="codes", batch="b", text="{codes}"),)
    async with open_store(path, run=inline) as store:
        await store.transact(codes.import_, "b", CODES, now=clock_ms())
    sold: list[SimOrder] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(buyers, platform, sold)
        died = await live(platform, path, Mortal(n, before), 200, goods=goods)
        await trio.sleep(20)
        await live(platform, path, inline, 600, goods=goods)
    async with open_store(path, run=inline) as store:
        audit = await store.transact(ledger.audit)
        (stock,) = await store.transact(codes.stock, now=clock_ms())
    told = [line for _, _, text in platform.heard(sim) for line in text.split("\n")]
    return Outcome(
        died=died,
        said=sorted(line for line in told if line in CODES),
        shipped=[each.shipment is not None for each in sold],
        early=[each.id for each in sold if each.shipment and not _had(each)],
        counts=(stock.unused, stock.reserved, stock.sent),
        wrong=audit.wrong,
    )


def _had(order: SimOrder) -> bool:
    """Tell whether its chat had as many codes as were bought when it was said to be shipped."""
    assert order.shipment is not None
    words = "\n".join(order.shipment.after).split("\n")
    return sum(word in CODES for word in words) >= order.quantity


@pytest.mark.parametrize("before", [True, False])
def test_a_kill_at_any_transaction_gives_each_code_once_and_confirms_only_afterwards(
    tmp_path: Path, before: bool
) -> None:
    n, died = 0, True
    while died:
        n += 1
        clock = MockClock(autojump_threshold=0)
        ended = trio.run(partial(story, tmp_path / f"{n}.db", n, before=before), clock=clock)
        died = ended.died
        wanted = Outcome(
            died=died,
            said=["AAA", "BBB", "CCC", "DDD"],
            shipped=[True, True, True, False],
            early=[],
            counts=(1, 0, 4),
            wrong=(),
        )
        assert ended == wanted, f"killed at transaction {n}"
    assert n > 30, "the story has too few transactions to prove anything"
