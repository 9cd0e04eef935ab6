"""Pages of the console: in both languages, whatever people wrote is text, and forms tell wrongs."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
import trio

from tests.conftest import SHOP, Shop, open_shop
from tests.web.office import ADMIN, READ, SEND, open_office
from tests.web.reader import Browser, Page, chat_of, draft, hear
from xybot import clock
from xybot.errors import Cause
from xybot.model import AccountState
from xybot.store import accounts

PLACES = (
    "/",
    "/chats",
    "/drafts",
    "/orders",
    "/stock",
    "/rules",
    "/reports",
    "/accounts",
    "/settings",
    "/docs",
)
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=1>',
    "' onmouseover='alert(1)",
    "</textarea></script><svg onload=1>&lt;b&gt;&amp;",
    "\u202eevil مرحبا",
    "😀👩‍👩‍👧",
    "a\0b",
    "{{7*7}}{% raw %}{# x #}${7*7}",
)
CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
OURS = {"title", "h1", "h2", "h3", "th", "dt", "label", "button", "nav", "option"}


@pytest.fixture
async def today(autojump_clock, tmp_path: Path) -> AsyncIterator[Browser]:
    """A browser before a bot on the clock of this machine, as the rehearsal is."""
    async with open_shop(now_ms=clock.now_ms) as shop, open_office(shop, tmp_path) as office:
        browser = Browser(office)
        await browser.sign_in(ADMIN)
        yield browser


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_every_page_is_wholly_in_the_language_of_its_reader(
    autojump_clock, browser: Browser, language: str
) -> None:
    draft(browser)
    await hear(browser, buyer="Bob")
    browser.office.shop.faults.cut()
    await trio.sleep(20)
    browser.office.client.cookies.set("lang", language)
    for path in (*PLACES, chat_of(browser, "Bob"), "/chats?words=nothing", f"/chats/{SHOP}/1"):
        page = await browser.open(path)
        assert page.status == (404 if path.endswith("/1") else 200)
        html = next(each for tag, each in page.tags if tag == "html")
        assert html["lang"] == ("en" if language == "en" else "zh-CN")
        ours = {text for place, text in page.texts if place.partition(".")[0] in OURS}
        ours |= {value for _, each in page.tags for value in [each.get("placeholder") or ""]}
        left = {text for text in ours if CHINESE.search(text)} - {"中文"}
        assert bool(left) is (language == "zh"), (path, left)
        if path not in {
            "/rules",
            "/settings",
            "/docs",
        }:  # The seller's own words, and ours in both.
            rest = {text for _, text in page.texts if CHINESE.search(text)} - {"中文"}
            assert bool(rest) is (language == "zh"), (path, rest)


async def test_the_language_is_switched_on_any_page_and_one_stays_there(
    autojump_clock, browser: Browser
) -> None:
    assert (await browser.open("/rules")).at("h1") == ["规则"]
    for language, title in (("en", "Rules"), ("zh", "规则")):
        answer = await browser.send("/language", to=language, back="/rules")
        assert (answer.status_code, answer.headers["location"]) == (303, "/rules")
        assert (await browser.open("/rules")).at("h1") == [title]


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil", "", "x"])
async def test_the_language_switch_leads_to_no_other_site(
    autojump_clock, browser: Browser, back: str
) -> None:
    answer = await browser.send("/language", to="en", back=back)
    assert re.match(r"/(?![/\\])", answer.headers["location"])


async def test_what_buyers_wrote_is_text_in_the_list_and_in_the_conversation(
    autojump_clock, browser: Browser
) -> None:
    for n, text in enumerate(HOSTILE):
        await hear(browser, text, f"{n}{text}")
    listed = await browser.open("/chats")
    listed.assert_harmless()
    for n, text in enumerate(HOSTILE):
        assert f"{n}{text}" in listed.at("span.name")
        assert text in listed.at("span.last")
        page = await browser.open(chat_of(browser, f"{n}{text}"))
        page.assert_harmless()
        assert page.at("p.words") == [text, text]  # The bot repeats what it hears.
        assert page.at("h1") == [f"{n}{text}"]


async def test_a_line_without_end_is_whole_in_its_conversation_and_short_in_the_list(
    autojump_clock, browser: Browser
) -> None:
    endless = "<b>" + "长" * 100_000
    await hear(browser, endless)
    listed, page = await browser.open("/chats"), await browser.open(chat_of(browser))
    assert endless in page.at("p.words")
    (short,) = listed.at("span.last")
    assert 10 < len(short) <= 61
    assert len(listed.html) < 20_000


async def test_drafts_and_rules_and_reasons_of_any_kind_are_text(
    autojump_clock, browser: Browser
) -> None:
    for text in HOSTILE:
        draft(browser, text)
        await hear(browser, buyer=text)
        rule = {"keywords": [text], "reply": [text]}
        assert (await browser.office.post("/api/v1/rules", rule)).status_code == 201
        browser.office.shop.status.change(AccountState.FAILED, text, cause=Cause.OTHER)
        page = await browser.open("/")
        page.assert_harmless()
        assert text in page.at("p.reason")
    page = await browser.open("/drafts")
    page.assert_harmless()
    assert page.at("textarea") == list(HOSTILE)
    page = await browser.open("/rules")
    page.assert_harmless()
    assert page.at("span.keyword") == ["在吗", *HOSTILE]
    assert page.at("p.said") == ["在的", *HOSTILE]


@pytest.mark.parametrize("name", [*HOSTILE, "%", "1" * 5000, "账号", "\udcff"])
async def test_names_in_addresses_are_text_too_and_lead_nowhere(
    autojump_clock, browser: Browser, name: str
) -> None:
    await hear(browser)
    named = quote(name, safe="", errors="surrogateescape")
    asked = [(f"/chats?{query}={named}", 200) for query in ("words", "account", "show", "notice")]
    asked += [(f"/chats?cursor={named}", 422), (f"{chat_of(browser)}?before={named}", 422)]
    if "/" not in name:  # That would be another address.
        asked += [(f"/chats/{SHOP}/{named}", 404), (f"/chats/{named}/1", 404)]
    for path, status in asked:
        page = await browser.open(path)
        page.assert_harmless()
        assert page.status == status


async def test_where_nothing_is_yet_the_page_says_what_to_do(
    autojump_clock, open_for_business: Shop, tmp_path: Path
) -> None:
    async with open_office(open_for_business, tmp_path, rules=[], accounts=[]) as office:
        browser = Browser(office)
        await browser.sign_in(ADMIN)
        for path, words in {
            "/": "[[accounts]]",
            "/chats": "买家一开口，这里就会出现",
            "/chats?show=drafts": "没有符合的会话",
            "/drafts": "drafts = true",
            "/rules": "[[rules]]",
            "/rules?words=x": "没有含这个词的规则",
            "/reports": "还没有断过线",
            "/accounts": "请在下面添加",
        }.items():
            assert (await browser.open(path)).has(words), path


async def test_what_the_seller_writes_is_said_and_the_bot_keeps_out(
    autojump_clock, browser: Browser
) -> None:
    await hear(browser)
    path = chat_of(browser)
    answer = await browser.send(f"{path}/say", text=" 我来说 <b>\n")
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    page = await browser.open(path)
    assert page.at("p.words")[-1] == "我来说 <b>"
    assert page.has("机器人安静到")
    await hear(browser, "多少钱")
    assert browser.office.shop.heard == ["hello", "我来说 <b>"]
    await browser.send(f"{path}/hand-back")
    await hear(browser, "在吗")
    assert browser.office.shop.heard[-1] == "在吗"


async def test_words_that_could_not_be_said_stay_in_the_form(
    autojump_clock, browser: Browser
) -> None:
    await hear(browser)
    path = f"{chat_of(browser)}/say"
    for text in ("", "</textarea>" + "长" * 5000):
        page = Page(await browser.send(path, text=text))
        assert (page.status, len(page.alerts)) == (422, 1)
        assert page.at("textarea") == ([text] if text else [])
    await browser.office.shop.store.transact(accounts.pause, SHOP, "您暂停了 (paused)")
    page = Page(await browser.send(path, text="好"))
    assert (page.status, page.alerts, page.at("textarea")) == (409, ["您暂停了"], ["好"])
    assert browser.office.shop.heard == ["hello"]


async def test_a_rule_that_cannot_be_used_is_told_and_stays_in_the_form(
    autojump_clock, browser: Browser
) -> None:
    given = {"keywords": "(退<\n款", "mode": "regex", "reply": "一\n\n二", "hours": "9:00-18:00"}
    page = Page(await browser.send("/rules/add", **given))
    assert page.status == 422
    assert "正则表达式" in page.alerts[0]
    assert page.at("textarea") == [given["keywords"], given["reply"]]
    values = [each.get("value") for tag, each in page.tags if each.get("name") == "hours"]
    assert values == [given["hours"]]
    selected = [each["value"] for tag, each in page.tags if "selected" in each]
    assert "regex" in selected
    answer = await browser.send("/rules/add", **given | {"keywords": "退<\n款"})
    assert answer.status_code == 303
    rule = (await browser.office.get("/api/v1/rules")).json()["items"][-1]
    assert (rule["keywords"], rule["reply"]) == (["退<", "款"], ["一", "二"])
    assert (await browser.send(f"/rules/{rule['id']}/remove")).status_code == 303
    assert Page(await browser.send(f"/rules/{rule['id']}/remove")).status == 404


async def test_a_line_can_be_tried_and_nobody_hears_of_it(autojump_clock, today: Browser) -> None:
    page = Page(await today.send("/rules/try", **{"try": "在吗 <b>", "account": SHOP}))
    assert page.status == 200
    assert page.has("→ 在的")
    values = [each.get("value") for tag, each in page.tags if each.get("name") == "try"]
    assert values == ["在吗 <b>"]
    assert Page(await today.send("/rules/try", **{"try": "x", "account": "?"})).status == 404
    assert await today.office.shop.books() == ()


async def test_a_draft_is_changed_approved_or_dropped_on_its_page(
    autojump_clock, browser: Browser
) -> None:
    draft(browser)
    for text in ("一", "二"):
        await hear(browser, text, text)
    found = (await browser.office.get("/api/v1/drafts")).json()["items"]
    one, two = (f"/drafts/{SHOP}/{each['uuid']}" for each in found)
    empty = Page(await browser.send(one, text="  ", do="approve"))
    assert (empty.status, len(empty.alerts)) == (422, 1)
    assert (await browser.send(one, text="一！", do="keep")).status_code == 303
    assert (await browser.open("/drafts")).at("textarea") == ["一！", "二"]
    assert (await browser.send(one, text="一！！", do="approve")).status_code == 303
    assert (await browser.send(two, do="reject")).status_code == 303
    assert Page(await browser.send(two, text="二", do="approve")).status == 404
    await trio.sleep(5)
    assert browser.office.shop.heard == ["一！！"]
    assert (await browser.open("/drafts")).at("textarea") == []


async def test_a_bad_cookie_is_judged_field_by_field_and_never_shown_again(
    autojump_clock, browser: Browser
) -> None:
    bad = "unb=12SECRET; _m_h5_tk=SECRET_1; cookie2=SECRET"
    before = (await browser.open("/accounts")).at("h2")
    for path in ("/accounts", f"/accounts/{SHOP}/cookie"):
        page = Page(await browser.send(path, id="shop-b", cookie=bad))
        assert page.status == 422
        assert "SECRET" not in page.html
        fields = [name for name in page.at("code") if name in {"unb", "_m_h5_tk", "cookie2"}]
        assert fields == ["unb", "_m_h5_tk", "cookie2"]
        wrong = [each for tag, each in page.tags if tag == "li" and each.get("class") == "wrong"]
        assert len(wrong) == 2
    given = [each["value"] for tag, each in page.tags if each.get("name") == "id"]
    assert given == ["shop-b"]
    assert (await browser.open("/accounts")).at("h2") == before
    other = browser.office.shop.platform.add_account("b").cookie_text
    answer = await browser.send("/accounts", id="shop-b", cookie=other)
    assert answer.status_code == 303
    page = await browser.open("/accounts")
    assert "shop-b" in page.at("h2")
    assert other.partition("cookie2=")[2][:32] not in page.html
    assert (browser.office.folder / "bot.d" / "shop-b.cookie").stat().st_mode & 0o777 == 0o600


async def test_a_reader_is_shown_no_form_and_who_may_only_send_is_shown_nothing(
    autojump_clock, browser: Browser
) -> None:
    await hear(browser)
    await browser.sign_in(READ)
    for path in (*PLACES, chat_of(browser)):
        page = await browser.open(path)
        actions = {each["action"] for tag, each in page.tags if "action" in each}
        assert actions <= {
            "/language",
            "/sign-out",
            "/chats",
            "/orders",
            "/rules",
            "/rules/try#try",
        }
    denied = Page(await browser.send(f"{chat_of(browser)}/say", text="x"))
    assert denied.status == 403
    await browser.sign_in(SEND)
    for path in (*PLACES, chat_of(browser)):
        page = await browser.open(path)
        assert page.status == 403
        assert not page.has("小王")
    assert browser.office.shop.heard == ["hello"]
