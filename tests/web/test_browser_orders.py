"""Orders in a real browser: a seller sees what waits, decides, and looks at codes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.app.world import now_ms
from tests.store import selling
from tests.store.selling import CODE, ORDER
from tests.web.browser import DESKTOP, PHONE, Browser, in_a_thread, needs_browser, open_browser
from tests.web.office import ADMIN
from tests.web.test_browser import open_shop_window, tab_to
from xybot.store import codes
from xybot.store.database import Database, Store, open_store
from xybot.trade import OrderState

pytestmark = needs_browser

HELD = "2849113000012345670"
WHY = "卡密不够，补货后自动发 (not enough codes in the batch)"


def sold(db: Database) -> None:
    """One order that waits for its seller, and one that is done."""
    now = now_ms()
    selling.put(db, HELD, state=OrderState.HELD, why=WHY, title="很长的标题" * 12, created_at=now)
    selling.step(db, OrderState.PAID, order=HELD, at=now, words="我已付款，等待你发货")
    selling.put(db, state=OrderState.COMPLETED, goods="month", spec="容量:64G", quantity=2)
    selling.step(db, OrderState.PAID, at=now)
    selling.step(db, OrderState.PLACED, at=now, state="paid", source="api")
    selling.deliver(db, settled_at=now, seen_at=now)
    selling.deliver(db, 1, state="held", reason="读不到 (cannot be read)")
    selling.give(db)
    selling.give(db, "很长的卡密" * 40)
    codes.import_(db, "week", ["A", "B"], now=now)


@asynccontextmanager
async def open_sales(folder: Path) -> AsyncIterator[tuple[Store, str]]:
    """A bot with a console and two orders; gives what another process would work on."""
    async with (
        open_shop_window(folder) as (_, _, url),
        open_store(folder / "data" / "xybot.db") as store,
    ):
        await store.transact(sold)
        yield store, url


def fits(browser: Browser) -> None:
    """Nothing makes the page wider than its window."""
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert browser.page.evaluate(wide) <= 0


@pytest.mark.parametrize(
    ("size", "dark"),
    [
        pytest.param(DESKTOP, False, id="desktop-light"),
        pytest.param(PHONE, True, id="phone-dark"),
        pytest.param(DESKTOP, True, id="desktop-dark", marks=pytest.mark.slow),
        pytest.param(PHONE, False, id="phone-light", marks=pytest.mark.slow),
    ],
)
async def test_the_pages_of_orders_are_accessible_and_fit_their_window(
    tmp_path: Path, size: tuple[int, int], dark: bool
) -> None:
    async with open_sales(tmp_path) as (_, url):

        def story() -> None:
            with open_browser(url, size, dark=dark) as browser:
                browser.sign_in(ADMIN)
                paths = ("/", "/orders", "/orders?show=held", f"/orders/shop-a/{HELD}", "/stock")
                for path in (*paths, f"/orders/shop-a/{ORDER}"):
                    browser.go(path)
                    for each in browser.page.locator("main summary").all():
                        each.click()
                    browser.is_accessible()
                    fits(browser)
                browser.page.get_by_role("button", name="显示卡密").click()
                browser.sees(CODE)
                browser.is_accessible()
                fits(browser)
                browser.go("/stock")
                browser.page.get_by_label("卡密").fill("A")
                browser.page.get_by_role("button", name="查它的经过").click()
                browser.sees("导入")
                browser.is_accessible()
                fits(browser)

        await in_a_thread(story)


async def test_a_seller_finds_what_waits_and_has_it_delivered(tmp_path: Path) -> None:
    async with open_sales(tmp_path) as (_, url):

        def story() -> None:
            with open_browser(url) as browser:
                page = browser.page
                browser.sign_in(ADMIN)
                page.get_by_role("link", name="有 1 个订单等您处理").click()
                page.get_by_role("link", name=re.compile(HELD)).click()
                browser.sees("卡密不够，补货后自动发")
                expect(page.get_by_role("button", name="确定发货")).to_be_hidden()
                tab_to(browser, "发货，或再试一次")
                page.keyboard.press("Enter")
                tab_to(browser, "确定发货")
                page.keyboard.press("Enter")
                browser.sees("几秒内处理")
                browser.does_not_see("确定重发")

        await in_a_thread(story)


async def test_an_open_list_shows_a_step_without_being_loaded_again(tmp_path: Path) -> None:
    async with open_sales(tmp_path) as (_, url):

        def story() -> None:
            with open_browser(url) as browser:
                browser.sign_in(ADMIN)
                browser.go("/orders?show=held")
                browser.sees("卡密不够")
                loaded = browser.page.evaluate("performance.timeOrigin")
                path = f"{url}/api/v1/accounts/shop-a/orders/{HELD}/confirm"
                answer = httpx.post(path, headers={"authorization": f"Bearer {ADMIN}"})
                assert answer.status_code == 200
                # The platform never heard of this order, so it may be back, for another reason.
                expect(browser.page.get_by_text("卡密不够")).to_have_count(0)
                assert browser.page.evaluate("performance.timeOrigin") == loaded

        await in_a_thread(story)
