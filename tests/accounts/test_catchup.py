"""What pushes did not bring is read back; every gap ends in a report."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from tests.conftest import EPOCH, SHOP, Shop, new_platform, open_shop
from xybot.accounts.chat import Patience
from xybot.errors import Cause
from xybot.events import GapClosed, ReplyDropped, ReplySkipped
from xybot.replies.compose import Composer
from xybot.store import gaps
from xybot.store.database import Database
from xybot.store.schema import gaps as table


def reports(shop: Shop) -> list[GapClosed]:
    return [event for event in shop.events if isinstance(event, GapClosed)]


def as_in_the_shop(shop: Shop) -> None:
    """Let the shop leave old lines to its seller, as a real composer does."""
    answered, composer = shop.decide, Composer(sources=(), expiry=300)

    async def decide(turn, now):
        decision = await composer.decide(turn, now)
        return decision if decision.late else await answered(turn, now)

    shop.decide = decide


@asynccontextmanager
async def away(shop: Shop, seconds: float) -> AsyncIterator[None]:
    """Cut the line, and let nobody dial for so long; what is said meanwhile is never pushed."""
    shop.faults.refuse_dial(1000)
    shop.faults.cut()
    await trio.sleep(0.1)
    yield
    await trio.sleep(seconds)
    shop.faults.forget_backlog()
    shop.faults.calm()
    await trio.sleep(120)


async def test_what_was_said_in_a_gap_is_read_back_and_answered(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    async with away(shop, 60):
        shop.says("在吗", "小王")
        shop.says("有货吗", "小王")
        shop.says("多少钱", "阿杰")
    assert sorted(shop.heard) == ["在吗+有货吗", "多少钱"]
    (report,) = reports(shop)
    assert (report.recovered, report.answered, report.unaccounted) == (3, 3, 0)
    assert report.cause == Cause.ABORTED.value
    assert report.because
    assert report.since == pytest.approx(EPOCH + 500, abs=1000)
    assert 60_000 <= report.until - report.since <= 130_000


async def test_what_is_too_late_is_stored_and_left_to_the_seller(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    as_in_the_shop(shop)
    async with away(shop, 900):
        shop.says("在吗")
        await trio.sleep(700)
        shop.says("还在吗", "阿杰")
        shop.says("急", "小李")
        await trio.sleep(150)
        shop.says("有货吗", "柚子")
    assert shop.heard == []
    shop.says("好的", "柚子")
    await trio.sleep(10)
    assert shop.heard == ["好的"]
    (report,) = reports(shop)
    assert (report.recovered, report.answered, report.late) == (4, 0, 4)
    outcomes = {row.content.text: row.outcome for row in await shop.books() if row.kind == "text"}
    assert outcomes["在吗"] == outcomes["急"] == "late"
    late = [event for event in shop.events if isinstance(event, ReplySkipped)]
    assert len(late) == 4


async def test_a_message_that_is_never_pushed_is_found_by_the_slow_timer(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.patience = Patience(catch_up_every=60)
    await trio.sleep(600)
    shop.faults.swallow_pushes()
    shop.says("在吗")
    await trio.sleep(100)
    assert shop.heard == ["在吗"]
    assert len(shop.connects) == 1
    assert reports(shop) == []


async def test_a_pointer_is_followed_at_once(autojump_clock, open_for_business: Shop) -> None:
    shop = open_for_business
    shop.faults.swallow_pushes()
    said = shop.platform.buyer_says(shop.sim, "小王", "在吗")
    await trio.sleep(5)
    assert shop.heard == []
    shop.platform.point(shop.sim, said)
    await trio.sleep(5)
    assert shop.heard == ["在吗"]


@pytest.mark.parametrize("kind", [1, 2])
async def test_pushes_that_the_platform_gave_up_on_are_read_back_and_it_is_told_so(
    autojump_clock, open_for_business: Shop, kind: int
) -> None:
    shop = open_for_business
    shop.faults.lose_pushes(100)
    shop.says("在吗")
    await trio.sleep(1)
    shop.faults.calm()
    shop.faults.forget_backlog(kind)
    await trio.sleep(20)
    assert shop.heard == ["在吗"]
    shop.says("有货吗")
    await trio.sleep(20)
    assert shop.heard == ["在吗", "有货吗"]
    assert shop.platform.desks.of(shop.sim).too_long is None


async def test_a_long_absence_is_read_back_page_by_page(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    rng = random.Random(3)
    async with away(shop, 10):
        for n in range(150):
            shop.says(f"line {n}", "话多的人")
        for n in range(120):
            shop.says(f"hello {n}", f"buyer {n}")
            await trio.sleep(rng.choice((0, 0, 0.3)))
    said = [line for text in shop.heard for line in text.split("+")]
    wanted = [*(f"line {n}" for n in range(150)), *(f"hello {n}" for n in range(120))]
    assert sorted(said) == sorted(wanted)
    assert [line for line in said if line.startswith("line")] == wanted[:150]
    assert reports(shop)[-1].recovered == 270


async def test_lines_from_before_the_first_start_are_the_sellers_but_for_fresh_ones(
    autojump_clock, shop: Shop, nursery: trio.Nursery
) -> None:
    shop.says("去年的事", "旧客")
    await trio.sleep(1000)
    shop.says("刚才的事", "新客")
    shop.faults.forget_backlog()
    await trio.sleep(100)
    nursery.start_soon(shop.run)
    await trio.sleep(60)
    assert shop.heard == ["刚才的事"]
    assert [row.content.text for row in await shop.books() if row.kind == "text"] == ["刚才的事"]
    assert reports(shop) == []


async def test_a_restart_reads_back_what_was_said_meanwhile_and_reports_on_it(
    autojump_clock, tmp_path: Path
) -> None:
    platform = new_platform()
    sim = platform.add_account(SHOP)
    async with open_shop(tmp_path / "x.db", platform=platform) as shop:
        with trio.move_on_after(100):
            await shop.run()
    for _ in range(60):
        platform.buyer_says(sim, "小王", "在吗")
        await trio.sleep(1)
    platform.faults(sim).forget_backlog()
    async with open_shop(tmp_path / "x.db", platform=platform) as shop:
        with trio.move_on_after(100):
            await shop.run()
    (report,) = reports(shop)
    assert report.cause == Cause.STARTED.value
    assert (report.recovered, report.answered) == (60, 60)
    assert "+".join(shop.heard) == "+".join(["在吗"] * 60)


async def test_what_the_seller_answered_on_the_phone_meanwhile_is_not_answered_again(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    async with away(shop, 30):
        shop.says("在吗", "小王")
        await trio.sleep(5)
        shop.platform.seller_says(shop.sim, "小王", "在的")
        await trio.sleep(5)
        shop.says("好的", "小王")
        shop.says("有货吗", "阿杰")
    assert shop.heard == ["有货吗"]
    (report,) = reports(shop)
    assert (report.recovered, report.answered, report.skipped) == (3, 1, 2)


async def test_a_seller_who_answered_long_ago_and_left_hands_only_the_rest_to_the_bot(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    async with away(shop, 30):
        shop.says("在吗", "小王")
        await trio.sleep(5)
        shop.platform.seller_says(shop.sim, "小王", "在的")
        await trio.sleep(700)
        shop.says("好的", "小王")
    assert shop.heard == ["好的"]


async def test_a_reply_that_was_ready_when_the_seller_answered_is_not_said(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.says("在吗", "小王")
    await trio.sleep(1)
    async with away(shop, 30):
        await trio.sleep(5)  # It is ready now, and cannot be said.
        shop.platform.seller_says(shop.sim, "小王", "在的")
    assert shop.heard == []
    assert [event.text for event in shop.events if isinstance(event, ReplyDropped)] == ["在吗"]


async def test_a_reply_that_could_not_be_said_for_too_long_is_left_to_the_seller(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.says("在吗", "小王")
    await trio.sleep(1)
    async with away(shop, 600):
        pass
    assert shop.heard == []
    assert [event.text for event in shop.events if isinstance(event, ReplyDropped)] == ["在吗"]


async def test_while_the_platform_refuses_to_tell_the_past_sales_go_on_and_it_is_asked_again(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.faults.cut()
    shop.says("在吗", "小王")
    shop.faults.forget_backlog()
    shop.faults.busy_reads(9)
    await trio.sleep(20)
    shop.says("有货吗", "阿杰")
    await trio.sleep(10)
    assert shop.heard == ["有货吗"]
    await trio.sleep(120)
    assert shop.heard == ["有货吗", "在吗"]


async def test_a_recalled_line_is_not_answered(autojump_clock, open_for_business: Shop) -> None:
    shop = open_for_business
    async with away(shop, 20):
        said = shop.platform.buyer_says(shop.sim, "小王", "说错了")
        shop.platform.buyer_recalls(shop.sim, said)
        shop.says("在吗", "小王")
    assert shop.heard == ["在吗"]


async def test_orders_and_pictures_come_back_as_what_they_are(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    async with away(shop, 20):
        order = shop.platform.buyer_orders(shop.sim, "小王")
        shop.platform.buyer_pays(shop.sim, order)
        shop.platform.buyer_shows(shop.sim, "小王", "https://img.example/1.jpg")
    rows = await shop.books()
    kinds = [row.kind for row in rows]
    assert kinds.count("card") >= 1
    assert kinds.count("image") == 1
    assert {row.outcome for row in rows if row.kind == "card"} == {"not a person: card"}


async def test_a_gap_is_stored_once_with_its_report(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    for _ in range(3):
        async with away(shop, 20):
            shop.says("在吗")

    def rows(db: Database):
        return db.execute(table.select().order_by(table.c.id)).all()

    stored = await shop.store.transact(rows)
    assert [(row.recovered, row.answered) for row in stored] == [(1, 1)] * 3
    assert all(row.reported_at >= row.ended_at > row.began_at for row in stored)
    assert len(reports(shop)) == 3
    assert await shop.store.transact(gaps.report, SHOP, now=0) == ()


async def test_a_pass_that_is_broken_off_goes_on_where_it_was(
    autojump_clock, open_for_business: Shop
) -> None:
    shop = open_for_business
    shop.faults.cut()
    for n in range(40):
        shop.says(f"hello {n}", f"buyer {n}")
        await trio.sleep(0.01)
    shop.faults.forget_backlog()
    for _ in range(20):  # Flow control: after ten answers, patience for a quarter of a minute.
        await trio.sleep(4)
        shop.faults.busy_reads(10)
    await trio.sleep(400)
    assert sorted(shop.heard) == sorted(f"hello {n}" for n in range(40))
