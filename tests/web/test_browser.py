"""The console as a seller opens it: a real Chromium, the real program, a simulated Xianyu."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trio
from playwright.sync_api import expect

from tests.app.program import Program
from tests.app.world import World, open_world
from tests.web.browser import (
    DESKTOP,
    PHONE,
    Browser,
    in_a_thread,
    needs_browser,
    open_browser,
    outside,
)
from tests.web.office import ADMIN
from xybot.simulator.world import SimAccount

pytestmark = needs_browser

#: A folder for the pictures of the README: only those that it shows are made.
PICTURES = os.environ.get("XYBOT_PICTURES")
README = Path(__file__).parents[2] / "README.md"
SHOWN = frozenset(re.findall(r"docs/([\w-]+)\.png", README.read_text(encoding="utf-8")))
"""Where the pictures of the README go, when they are to be made anew."""
PHRASE = "您好，请稍等～"
on_both_screens = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])


@asynccontextmanager
async def open_shop_window(folder: Path) -> AsyncIterator[tuple[World, SimAccount, str]]:
    """A bot with a console, and its platform; gives the address of the console."""
    async with open_world(folder) as world:
        world.more = {
            "web": {"listen": "127.0.0.1:0", "token": ADMIN, "phrases": [PHRASE]},
            "default": {"reply": "稍后回复您"},
        }
        sim = world.open_account("shop-a")
        async with world.bot() as bot:
            url = next(line for line in bot.lines if "listening" in line).split()[-1]
            yield world, sim, url
            assert "出错" not in bot.output


@on_both_screens
async def test_a_seller_sees_a_buyer_takes_over_answers_and_hands_back(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with open_shop_window(tmp_path) as (world, sim, url):
        says = partial(outside, world.platform.buyer_says, sim, "小王")
        heard = partial(outside, world.heard, sim)

        def story() -> None:
            with open_browser(url, size) as browser:
                signs_in(browser)
                sees_a_buyer(browser, says)
                takes_over(browser, says, heard)
                hands_back(browser, says, heard)

        await in_a_thread(story)


def signs_in(browser: Browser) -> None:
    browser.go("/chats")
    assert browser.page.url.endswith("/sign-in")
    browser.page.get_by_label("令牌").fill("guess")
    browser.page.get_by_role("button", name="登录").click()
    browser.sees("令牌不对")
    browser.complaints.clear()  # The 401 was asked for.
    browser.sign_in(ADMIN)
    browser.sees("在线")


def sees_a_buyer(browser: Browser, says: partial[object]) -> None:
    page = browser.page
    page.get_by_role("link", name="会话", exact=True).click()
    browser.sees("还没有会话")
    says("在吗")
    page.get_by_role("link", name=re.compile("小王")).click()
    browser.sees("在吗")
    bot = page.locator(".bubble.bot")
    expect(bot.get_by_text("在的", exact=True)).to_be_visible()
    expect(page.locator(".bubble.buyer").first).to_contain_text("买家")
    bot.get_by_text("为什么").click()
    expect(bot).to_contain_text("通用规则")
    expect(bot).to_contain_text("“在吗”")
    says("能便宜点吗 <b>&amp;</b>")
    browser.sees("能便宜点吗 <b>&amp;</b>")  # Live, and as it was written.
    expect(page.locator(".bubble.bot")).to_have_count(2)


def takes_over(browser: Browser, says: partial[object], heard: partial[object]) -> None:
    page = browser.page
    page.get_by_role("button", name="接管").click()
    browser.sees("您接管了，机器人不说话")
    before = list(heard())
    says("还在吗")
    browser.sees("还在吗")
    page.get_by_role("button", name=PHRASE).click()
    expect(page.get_by_label("回复")).to_have_value(PHRASE)
    page.get_by_label("回复").press("Control+Enter")
    expect(page.locator(".bubble.seller").get_by_text(PHRASE)).to_be_visible()
    expect(page.locator(".bubble.seller")).to_contain_text("已送达平台")
    assert list(heard()) == [*before, PHRASE]
    expect(page.get_by_label("回复")).to_have_value("")


def hands_back(browser: Browser, says: partial[object], heard: partial[object]) -> None:
    browser.page.get_by_role("button", name="交还机器人").click()
    browser.sees("机器人在回答")
    before = browser.page.locator(".bubble.bot").count()
    says("有人在吗")
    bubbles = browser.page.locator(".bubble.bot")
    expect(bubbles).to_have_count(before + 1)
    expect(bubbles.last).to_contain_text("已送达平台")
    assert list(heard())[-1] == "在的"


@on_both_screens
async def test_a_rule_made_in_the_console_answers_the_next_buyer(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with open_shop_window(tmp_path) as (world, sim, url):

        def story() -> None:
            with open_browser(url, size) as browser:
                page = browser.page
                browser.sign_in(ADMIN)
                page.get_by_role("link", name="规则").click()
                page.get_by_label("买家说的话").fill("什么时候发货")
                page.get_by_role("button", name="试一试").click()
                browser.sees("→ 稍后回复您")
                page.get_by_text("添加规则").click()
                page.get_by_label("关键词").fill("发货\n快递")
                page.get_by_label("回复；").fill("今天发\n\n用顺丰")
                page.get_by_role("button", name="添加", exact=True).click()
                browser.sees("规则已添加")
                browser.sees("bot.d/console.toml")
                page.get_by_label("买家说的话").fill("什么时候发货")
                page.get_by_role("button", name="试一试").click()
                browser.sees("→ 用顺丰")
                outside(world.platform.buyer_says, sim, "小李", "什么时候发货")
                page.get_by_role("link", name="会话", exact=True).click()
                page.get_by_role("link", name=re.compile("小李")).click()
                browser.sees("用顺丰")
                browser.go("/rules?words=快递")
                browser.sees("七天里用了 1 次")
                page.get_by_role("button", name="删除").click()
                browser.sees("规则已删除")
                browser.does_not_see("快递")

        await in_a_thread(story)
        assert world.heard(sim) == ["今天发", "用顺丰"]
        assert "发货" not in world.bot_toml.read_text("utf-8")


async def test_an_open_page_goes_on_after_a_restart_of_the_bot(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        (taken,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = taken.socket.getsockname()[1]
        await taken.aclose()
        world.more = {"web": {"listen": f"127.0.0.1:{port}", "token": ADMIN}}
        sim = world.open_account("shop-a")

        async def restarted(bot: Program) -> None:
            await bot.stop()
            await trio.sleep(1)

        async def say_while_it_runs_again(told: trio.Event) -> None:
            async with world.bot():
                world.platform.buyer_says(sim, "小王", "第二句")
                await told.wait()

        async with world.bot() as bot, trio.open_nursery() as nursery:
            world.platform.buyer_says(sim, "小王", "第一句")
            seen = trio.Event()

            def story() -> None:
                with open_browser(f"http://127.0.0.1:{port}") as browser:
                    browser.sign_in(ADMIN)
                    browser.page.get_by_role("link", name="会话", exact=True).click()
                    browser.page.get_by_role("link", name=re.compile("小王")).click()
                    browser.sees("第一句")
                    loaded = browser.page.evaluate("performance.timeOrigin")
                    trio.from_thread.run(restarted, bot)
                    outside(nursery.start_soon, say_while_it_runs_again, seen)
                    browser.sees("第二句", within=30)
                    assert browser.page.evaluate("performance.timeOrigin") == loaded
                    browser.complaints.clear()  # That nobody answered for a while.
                    outside(seen.set)

            await in_a_thread(story)


@pytest.mark.parametrize(
    ("size", "dark"),
    [
        pytest.param(DESKTOP, False, id="desktop-light"),
        pytest.param(PHONE, True, id="phone-dark"),
        pytest.param(DESKTOP, True, id="desktop-dark", marks=pytest.mark.slow),
        pytest.param(PHONE, False, id="phone-light", marks=pytest.mark.slow),
    ],
)
async def test_every_page_is_accessible_and_pictured(
    tmp_path: Path, size: tuple[int, int], dark: bool
) -> None:
    async with open_shop_window(tmp_path) as (world, sim, url):
        for buyer, words in (
            ("小王", "在吗"),
            ("阿杰", "能便宜点吗"),
            ("奶茶不加糖", "👌 谢谢老板"),
        ):
            world.platform.buyer_says(sim, buyer, words)
        look = f"{'phone' if size is PHONE else 'desktop'}{'-dark' if dark else ''}"

        def picture(browser: Browser, name: str) -> None:
            if PICTURES and name in SHOWN:
                browser.shot(Path(PICTURES) / f"{name}.png")

        def story() -> None:
            with open_browser(url, size, dark=dark) as browser:
                browser.go("/sign-in")
                browser.is_accessible()
                browser.sign_in(ADMIN)
                for path in ("/", "/chats", "/drafts", "/rules", "/reports", "/accounts"):
                    browser.go(path)
                    browser.is_accessible()
                    picture(browser, f"{path.strip('/') or 'overview'}-{look}")
                for path in ("/settings", "/docs"):
                    browser.go(path)
                    browser.is_accessible()
                browser.go("/chats")
                browser.page.get_by_role("link", name=re.compile("小王")).click()
                expect(browser.page.locator(".bubble.bot")).to_have_count(1)
                browser.page.locator(".bubble.bot summary").click()
                browser.is_accessible()
                picture(browser, f"chat-{look}")

        await in_a_thread(story)


async def test_the_keyboard_is_enough(tmp_path: Path) -> None:
    async with open_shop_window(tmp_path) as (world, sim, url):
        world.platform.buyer_says(sim, "小王", "在吗")

        def story() -> None:
            with open_browser(url) as browser:
                page = browser.page
                browser.go("/sign-in")
                expect(page.get_by_label("令牌")).to_be_focused()
                page.keyboard.type(ADMIN)
                page.keyboard.press("Enter")
                page.get_by_role("heading", name="概览").wait_for()
                page.keyboard.press("Tab")
                expect(page.get_by_text("跳到正文")).to_be_focused()
                tab_to(browser, "会话")
                page.keyboard.press("Enter")
                page.wait_for_url("**/chats")
                tab_to(browser, "小王")
                page.keyboard.press("Enter")
                page.wait_for_url("**/chats/**")
                browser.sees("在的")
                tab_to(browser, "接管")
                page.keyboard.press("Enter")
                browser.sees("您接管了")
                page.get_by_label("回复").focus()
                page.keyboard.type("我来")
                page.keyboard.press("Control+Enter")
                expect(page.locator(".bubble.seller").get_by_text("我来")).to_be_visible()
                expect(page.locator(".bubble.seller")).to_contain_text("已送达平台")

        await in_a_thread(story)
        assert world.heard(sim)[-1] == "我来"


def tab_to(browser: Browser, name: str) -> None:
    """Press Tab until something of this name has the focus."""
    for _ in range(40):
        browser.page.keyboard.press("Tab")
        text = browser.page.evaluate("document.activeElement.innerText") or ""
        if text.strip().partition("\n")[0] == name:
            return
    raise AssertionError(f"no Tab leads to {name}")


async def test_somebody_who_reads_english_gets_english(tmp_path: Path) -> None:
    async with open_shop_window(tmp_path) as (_, _, url):

        def story() -> None:
            with open_browser(url, language="en-GB") as browser:
                page = browser.page
                browser.go("/")
                page.get_by_label("Token").fill(ADMIN)
                page.get_by_role("button", name="Sign in").click()
                browser.sees("On line")
                page.get_by_role("button", name="中文").click()
                browser.sees("在线")
                page.get_by_role("link", name="设置").click()
                browser.sees("接口文档")
                page.get_by_role("button", name="English").click()
                expect(page.get_by_role("heading", name="Settings")).to_be_visible()

        await in_a_thread(story)
