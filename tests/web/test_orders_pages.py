"""Orders in the console: what waits is seen at once, and nothing happens by one stray click."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.conftest import SHOP
from tests.store import selling
from tests.store.selling import CODE, ORDER
from tests.web.office import READ, SEND
from tests.web.reader import Browser, Page, chat_of, hear
from tests.web.test_pages import CHINESE, HOSTILE
from xybot.store import codes
from xybot.trade import OrderState

PATH = f"/orders/{SHOP}/{ORDER}"
BOTH = "卡密不够 (not enough codes)"


async def put(browser: Browser, order: str = ORDER, **values: object) -> None:
    await do(browser, selling.put, order=order, **values)


async def do(browser: Browser, what: Any, *args: object, **values: object) -> None:
    await browser.office.shop.store.transact(partial(what, account=SHOP, **values), *args)


def actions(page: Page) -> set[str]:
    found = {each["action"] for tag, each in page.tags if tag == "form" and "action" in each}
    return {each.rpartition("/")[2] for each in found if each and each.startswith(PATH)}


async def test_a_held_order_is_counted_on_every_page_and_listed_with_its_reason(
    autojump_clock, browser: Browser
) -> None:
    await put(browser, state=OrderState.HELD, why=BOTH)
    await put(browser, "2", state=OrderState.COMPLETED)
    for path in ("/", "/chats", "/orders"):
        assert "1" in (await browser.open(path)).at("span.count")
    assert (await browser.open("/")).has("有 1 个订单等您处理")
    page = await browser.open("/orders?show=held")
    assert page.has("卡密不够")
    assert not page.has("not enough codes")
    assert len(page.at("span.name")) == 1
    assert page.at("span.tag bad") == ["等您处理"]


async def test_the_list_is_searched_and_goes_on_page_by_page(
    autojump_clock, browser: Browser
) -> None:
    for n in range(45):
        await put(browser, f"{n}", title=f"第{n}号", changed_at=n)
    page = await browser.open("/orders")
    seen = page.at("span.name")
    (more,) = [
        each["href"] for tag, each in page.tags if tag == "a" and "cursor" in (each["href"] or "")
    ]
    assert more is not None
    seen += (await browser.open(more)).at("span.name")
    assert seen == [f"第{n}号" for n in reversed(range(45))]
    assert (await browser.open("/orders?words=第44")).at("span.name") == ["第44号"]
    assert (await browser.open("/orders?words=nothing")).has("没有符合的订单")
    assert (await browser.open("/orders?cursor=x")).status == 422


async def test_where_nothing_is_yet_the_page_says_so(autojump_clock, browser: Browser) -> None:
    assert (await browser.open("/orders")).has("还没有订单")
    assert (await browser.open("/stock")).has("还没有卡密")
    assert (await browser.open(PATH)).status == 404


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_pages_of_orders_are_in_the_language_of_their_reader(
    autojump_clock, browser: Browser, language: str
) -> None:
    browser.office.client.cookies.set("lang", language)
    for n, state in enumerate(OrderState):
        await put(browser, f"{n}", state=state, title="x", why=BOTH, knife=True, due_at=1, tries=2)
        for line, sent in enumerate(("sent", "held", "queued", "refused", "dropped", "sending")):
            await do(browser, selling.deliver, line, order=f"{n}", state=sent, reason=BOTH)
        for source in ("card", "update", "tip", "reminder", "api", "bot", "seller"):
            await do(browser, selling.step, state, order=f"{n}", source=source, told="paid")
    await browser.office.shop.store.transact(codes.import_, "batch", ["A"], now=1)
    paths = ["/orders", "/orders?words=zz", "/stock", "/"]
    for path in (*paths, *(f"/orders/{SHOP}/{n}" for n in range(len(OrderState)))):
        page = await browser.open(path)
        assert page.status == 200
        left = {text for _, text in page.texts if CHINESE.search(text)} - {"中文"}
        assert bool(left) is (language == "zh"), (path, left)


async def test_one_order_is_not_called_orders_in_english(autojump_clock, browser: Browser) -> None:
    browser.office.client.cookies.set("lang", "en")
    await put(browser)
    page = await browser.open(PATH)
    for words in ("Order", "Account", "See the chat"):
        assert words in {text.strip() for _, text in page.texts}, words
    assert (await browser.open("/stock")).has("Code")


async def test_a_story_is_told_with_its_steps_and_messages(
    autojump_clock, browser: Browser
) -> None:
    await put(browser, state=OrderState.HELD, spec="容量:64G", quantity=3, goods="month")
    await do(browser, selling.step, OrderState.PAID, words="我已付款，等待你发货")
    await do(browser, selling.deliver, state="held", reason="读不到 (cannot be read)")
    page = await browser.open(PATH)
    for words in ("容量:64G", "¥9.90", "month", "我已付款，等待你发货", "不确定是否送达", "读不到"):
        assert page.has(words), words


async def test_what_can_be_done_is_behind_a_second_click_and_fits_the_order(
    autojump_clock, browser: Browser
) -> None:
    await put(browser, state=OrderState.HELD)
    page = await browser.open(PATH)
    assert actions(page) == {"deliver", "confirm"}
    assert page.at("summary") == ["发货，或再试一次", "只确认发货"]
    opened = [each for tag, each in page.tags if tag == "details" and "open" in each]
    assert opened == []
    await do(browser, selling.deliver)
    assert actions(await browser.open(PATH)) == {"confirm", "again"}


@pytest.mark.parametrize("state", [OrderState.CLOSED, OrderState.REFUNDED, OrderState.PLACED])
async def test_nothing_is_offered_where_nothing_can_be_done(
    autojump_clock, browser: Browser, state: OrderState
) -> None:
    await put(browser, state=state)
    assert actions(await browser.open(PATH)) == set()


async def test_for_what_the_account_bought_nothing_is_offered(
    autojump_clock, browser: Browser
) -> None:
    await put(browser, role="buyer")
    page = await browser.open(PATH)
    assert actions(page) == set()
    assert page.has("这是您买的东西")


async def test_a_held_order_is_released_and_the_page_says_what_follows(
    autojump_clock, browser: Browser
) -> None:
    await put(browser, state=OrderState.HELD, why=BOTH)
    answer = await browser.send(f"{PATH}/deliver")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PATH}?notice=order_deliver")
    page = await browser.open(answer.headers["location"])
    assert page.has("几秒内处理")
    assert page.has("已付款")


async def test_a_wish_that_came_too_late_is_refused_in_words(
    autojump_clock, browser: Browser
) -> None:
    await put(browser, state=OrderState.REFUNDED)
    for wish in ("deliver", "confirm", "again"):
        page = Page(await browser.send(f"{PATH}/{wish}"))
        assert page.status == 409
        assert len(page.alerts) == 1


async def test_codes_are_shown_after_a_click_and_only_then(
    autojump_clock, browser: Browser
) -> None:
    await put(browser, state=OrderState.COMPLETED)
    await do(browser, selling.deliver)
    await do(browser, selling.give)
    for path in ("/orders", PATH, "/stock", "/"):
        assert CODE not in (await browser.open(path)).html
    answer = await browser.send(f"{PATH}/codes")
    assert Page(answer).at("code") == [CODE]
    assert answer.headers["cache-control"] == "no-store"
    assert (await browser.office.client.get(f"{PATH}/codes")).status_code == 405


async def test_who_may_only_read_is_offered_nothing_and_shown_no_code(
    autojump_clock, browser: Browser
) -> None:
    await put(browser, state=OrderState.HELD)
    await do(browser, selling.give)
    await browser.sign_in(READ)
    page = await browser.open(PATH)
    assert actions(page) == set()
    assert page.status == 200
    for wish in ("deliver", "codes"):
        answer = await browser.send(f"{PATH}/{wish}")
        assert answer.status_code == 403
        assert CODE not in answer.text
    await browser.sign_in(SEND)
    assert (await browser.open("/orders")).status == 403


async def test_what_people_wrote_is_text(autojump_clock, browser: Browser) -> None:
    for n, text in enumerate(HOSTILE):
        safe = text.replace("\0", "")
        values = {"title": safe, "spec": safe, "why": safe, "goods": safe, "buyer": safe}
        await put(browser, f"{n}", state=OrderState.HELD, **values)
        await do(browser, selling.step, OrderState.PAID, order=f"{n}", words=safe)
        await do(browser, selling.deliver, order=f"{n}", state="held", reason=safe)
        await do(browser, selling.give, safe, order=f"{n}", batch=f"{n}{safe}")
        (await browser.open(f"/orders/{SHOP}/{n}")).assert_harmless()
        shown = Page(await browser.send(f"/orders/{SHOP}/{n}/codes"))
        shown.assert_harmless()
        assert shown.at("code") == [safe]
    (await browser.open("/orders")).assert_harmless()
    (await browser.open("/stock")).assert_harmless()


async def test_stock_tells_what_is_left_and_what_became_of_a_code(
    autojump_clock, browser: Browser
) -> None:
    store, now = browser.office.shop.store, browser.office.house.now_ms()
    await store.transact(codes.import_, "month", [CODE, "B"], now=now)
    await store.transact(codes.reserve, "month", 1, account=SHOP, order=ORDER, now=now)
    page = await browser.open("/stock")
    assert page.at("td.number")[:4] == ["1", "1", "0", "0"]
    found = Page(await browser.send("/stock/history", code=f" {CODE} "))
    assert [each.strip() for each in found.at("li")] == ["导入", "留给订单"]
    assert ORDER in found.at("a")
    await store.transact(codes.import_, "table", [" x "], now=now)
    assert Page(await browser.send("/stock/history", code=" x ")).alerts == []
    assert Page(await browser.send("/stock/history", code="nope")).alerts == ["没有这条卡密。"]
    await browser.sign_in(READ)
    assert (await browser.send("/stock/history", code=CODE)).status_code == 403


async def test_goods_in_a_conversation_are_seen_by_an_admin_and_in_no_list(
    autojump_clock, browser: Browser
) -> None:
    await hear(browser)
    path = chat_of(browser)
    values = {"chat": browser.office.chat(), "source": "goods", "message": "9.PNM"}
    await put(browser, chat=values["chat"])
    await do(browser, selling.deliver, **values)
    assert (await browser.open(path)).has(CODE)
    assert CODE not in (await browser.open("/chats")).html
    await browser.sign_in(READ)
    page = await browser.open(path)
    assert CODE not in page.html
    assert page.has("发货内容")
