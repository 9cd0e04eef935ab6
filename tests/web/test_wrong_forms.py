"""Forms of the console that cannot be granted: said on a page that goes on working."""

from __future__ import annotations

import gc
import re

import pytest

from tests import pictures
from tests.conftest import SHOP
from tests.web.office import READ
from tests.web.reader import Browser, Page, chat_of, draft, hear
from xybot.config.checks import PICTURE_HOSTS

PNG = pictures.png(3, 2, b"\0" * 50)
CHINESE = re.compile("[\u4e00-\u9fff]")


async def send_file(browser: Browser, path: str, **files: tuple[str, bytes]) -> Page | None:
    """Send a form with files; None when it was granted."""
    csrf = (await browser.open("/settings")).csrf
    answer = await browser.office.client.post(path, data={"csrf": csrf}, files=files)
    return None if answer.status_code == 303 else Page(answer)


async def test_what_is_wrong_with_words_is_said(autojump_clock, browser: Browser) -> None:
    await hear(browser)
    page = Page(await browser.send(f"{chat_of(browser)}/say", text=""))
    assert (page.status, page.alerts) == (422, ["请先写点什么"])
    page = Page(await browser.send(f"{chat_of(browser)}/say", text="长" * 5001))
    assert page.alerts == ["太长，最多 5000 字"]


async def test_the_language_is_switched_on_a_page_that_tells_a_wrong(
    autojump_clock, browser: Browser
) -> None:
    page = Page(await browser.send("/rules/add", keywords="(", mode="regex", reply="x"))
    assert page.status == 422
    back = next(each["value"] for _, each in page.tags if each.get("name") == "back")
    answer = await browser.send("/language", to="en", back=back or "")
    assert (await browser.open(answer.headers["location"])).at("h1") == ["Rules"]


async def test_a_page_that_tells_a_wrong_goes_on_being_live(
    autojump_clock, browser: Browser
) -> None:
    await hear(browser)
    page = Page(await browser.send(f"{chat_of(browser)}/say", text=""))
    live = {each["hx-get"] for _, each in page.tags if "hx-get" in each}
    assert live
    for path in live:
        assert (await browser.office.client.get(path or "")).status_code == 200


async def test_a_picture_is_sent_and_leaves_no_open_file_behind(
    autojump_clock, browser: Browser
) -> None:
    await hear(browser)
    browser.office.house.data.mkdir()
    assert await send_file(browser, f"{chat_of(browser)}/say", picture=("p.png", PNG)) is None
    gc.collect()  # A warning of an open file would fail the test.
    assert (await browser.open(chat_of(browser))).has("您亲自写的")


async def test_what_is_no_picture_is_refused(autojump_clock, browser: Browser) -> None:
    await hear(browser)
    page = await send_file(browser, f"{chat_of(browser)}/say", picture=("p.png", b"junk"))
    assert page is not None
    assert page.status == 422
    assert page.alerts


@pytest.mark.parametrize("path", ["/rules/add", "/language", "/sign-out"])
async def test_an_expired_page_is_told_on_a_page(
    autojump_clock, browser: Browser, path: str
) -> None:
    page = Page(await browser.office.client.post(path, data={"csrf": "old"}))
    assert (page.status, page.alerts) == (403, ["页面已过期，请刷新后再试"])


async def test_an_address_that_there_is_not_is_told_on_a_page(
    autojump_clock, browser: Browser
) -> None:
    html = {"accept": "text/html,application/xhtml+xml"}
    page = Page(await browser.office.client.get("/rulez", headers=html))
    assert (page.status, page.alerts) == (404, ["没有这个地址"])
    answer = await browser.office.client.get("/api/v1/rulez", headers=html)
    assert answer.json()["error"]["code"] == "http"


@pytest.mark.parametrize("id_", ["y" * 300, ".", "..", "a b", "a/b", ""])
async def test_a_name_of_no_use_is_refused(autojump_clock, browser: Browser, id_: str) -> None:
    cookie = browser.office.shop.platform.add_account("b").cookie_text
    page = Page(await browser.send("/accounts", id=id_, cookie=cookie))
    assert page.status == 422
    assert page.alerts


async def test_an_account_is_added_once(autojump_clock, browser: Browser) -> None:
    cookie = browser.office.shop.platform.add_account("b").cookie_text
    assert (await browser.send("/accounts", id="甲=1", cookie=cookie)).status_code == 303
    page = Page(await browser.send("/accounts", id="甲=1", cookie=cookie))
    assert (page.status, page.alerts) == (422, ["甲=1: 已经有这个账号"])


async def test_wrongs_are_told_in_the_language_of_the_page(
    autojump_clock, browser: Browser
) -> None:
    browser.office.client.cookies.set("lang", "en")
    page = Page(await browser.send("/accounts", id="a b", cookie="x"))
    assert page.alerts
    assert not CHINESE.search("".join(page.alerts))


async def test_a_notice_is_one_of_ours(autojump_clock, browser: Browser) -> None:
    assert (await browser.open("/rules?notice=rule_added")).has("规则已添加，马上生效。")
    assert not (await browser.open("/rules?notice=call+0800")).has("0800")


async def test_who_only_reads_does_not_mark_as_read(autojump_clock, browser: Browser) -> None:
    await hear(browser)
    await browser.sign_in(READ)
    assert (await browser.send(f"{chat_of(browser)}/seen")).status_code == 403
    assert not [
        each for _, each in (await browser.open(chat_of(browser))).tags if each.get("hx-post")
    ]
    (chat,) = (await browser.office.get("/api/v1/chats")).json()["items"]
    assert chat["unread"] == 1


async def test_what_kept_us_from_answering_has_a_name_for_people(
    autojump_clock, browser: Browser
) -> None:
    page = Page(await browser.send("/rules/try", **{"try": "x", "account": SHOP}))
    assert "message_expiry" not in page.html


async def test_pictures_of_the_platforms_hosts_may_be_shown(
    autojump_clock, browser: Browser
) -> None:
    answer = await browser.office.client.get("/chats")
    policy = answer.headers["content-security-policy"]
    assert all(f"https://*{host}" in policy for host in PICTURE_HOSTS)


async def test_a_draft_that_is_gone_is_told(autojump_clock, browser: Browser) -> None:
    draft(browser)
    await hear(browser)
    page = Page(await browser.send(f"/drafts/{SHOP}/gone", do="approve", text="x"))
    assert (page.status, page.alerts) == (404, ["草稿 gone: 没有找到"])
