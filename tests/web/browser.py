"""A real browser, driven step by step from a thread of its own.

Playwright's steps block, so a whole story runs in one worker thread; what it needs of the world
that the test plays is called through `World` by `trio.from_thread`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
needs_browser = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"no {CHROMIUM}: apt-get install chromium"
)
#: Without them Chromium calls its maker at every start.
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP, PHONE = (1280, 800), (390, 844)
_RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}


@attrs.define(eq=False)
class Browser:
    """A window, and all that went wrong in it."""

    page: Page
    url: str
    complaints: list[str] = attrs.Factory(list)

    def go(self, path: str) -> None:
        self.page.goto(f"{self.url}{path}")

    def sign_in(self, token: str) -> None:
        self.go("/")
        self.page.get_by_label("令牌").fill(token)
        self.page.get_by_role("button", name="登录").click()
        self.page.get_by_role("heading", name="概览").wait_for()

    def sees(self, text: str, within: float = 10) -> None:
        """Wait until a text is on the page, without loading it again."""
        self.page.get_by_text(text).filter(visible=True).last.wait_for(timeout=within * 1000)

    def does_not_see(self, text: str) -> None:
        assert self.page.get_by_text(text).filter(visible=True).count() == 0

    def is_accessible(self) -> None:
        """Check the page against WCAG 2.1, A and AA: names, roles, contrast."""
        found = Axe().run(self.page, options=_RULES)
        assert found.violations_count == 0, found.generate_report()

    def shot(self, path: Path) -> None:
        self.page.screenshot(path=path)


@contextmanager
def open_browser(
    url: str, size: tuple[int, int] = DESKTOP, *, dark: bool = False, language: str = "zh-CN"
) -> Iterator[Browser]:
    """Open a window of this size; what went wrong in it fails the test in the end."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=[*_QUIET])
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale=language,
            color_scheme="dark" if dark else "light",
            has_touch=size[0] < 800,
        )
        browser = Browser(context.new_page(), url)
        browser.page.on("console", lambda told: _note(browser, told))
        browser.page.on("pageerror", lambda error: browser.complaints.append(str(error)))
        try:
            yield browser
        finally:
            chromium.close()
        assert browser.complaints == []


def _note(browser: Browser, told: Any) -> None:
    if told.type in ("error", "warning"):
        browser.complaints.append(f"{told.type}: {told.text}")


async def in_a_thread(story: Callable[[], None]) -> None:
    """Run a story to its end."""
    await trio.to_thread.run_sync(story)


def outside(act: Callable[..., object], *args: object) -> Any:
    """Do something in the world of the test, from inside a story."""
    return trio.from_thread.run_sync(act, *args)
