"""A browser without a script: it opens pages, reads them, and sends their forms."""

from __future__ import annotations

from html.parser import HTMLParser

import attrs
import httpx
import trio

from tests.conftest import SHOP
from tests.web.office import Office
from xybot.model import Decision, Reply, Text, Turn

SCRIPTS = ["/static/htmx.min.js", "/static/hx-sse.min.js", "/static/console.js"]


class Page(HTMLParser):
    """What a browser makes of a page: its tags, and its texts with where they stand."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._inside: list[str] = []
        self.status, self.html = answer.status_code, answer.text
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        self.feed(answer.text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        self.tags.append((tag, found))
        if tag not in {"meta", "link", "input", "img", "br", "polyline"}:
            self._inside.append(f"{tag}.{found.get('class') or ''}")

    def handle_endtag(self, tag: str) -> None:
        while self._inside and not self._inside.pop().startswith(f"{tag}."):
            pass

    def handle_data(self, data: str) -> None:
        self.texts += [(where, data) for where in self._inside[-1:] if data.strip()]

    def at(self, where: str) -> list[str]:
        """The texts of the elements of a tag, or of a tag and class: `p.words`."""
        return [text for place, text in self.texts if place == where or place == f"{where}."]

    def has(self, words: str) -> bool:
        return any(words in text for _, text in self.texts)

    @property
    def alerts(self) -> list[str]:
        return self.at("p.wrong") + self.at("p.notice bad")

    @property
    def csrf(self) -> str:
        found = [each["value"] for tag, each in self.tags if each.get("name") == "csrf"]
        assert found[0]
        return found[0]

    def assert_harmless(self) -> None:
        """Nothing that somebody wrote became a part of the page."""
        assert [each.get("src") for tag, each in self.tags if tag == "script"] == SCRIPTS
        for tag, each in self.tags:
            assert tag not in {"img", "iframe", "object", "base", "style"}
            assert not [name for name in each if name.startswith("on")]
            assert not (each.get("href") or "").strip().lower().startswith("javascript")
        assert "49" not in [text.strip() for _, text in self.texts]


@attrs.define(eq=False)
class Browser:
    """A browser that is signed in."""

    office: Office

    async def open(self, path: str) -> Page:
        return Page(await self.office.client.get(path))

    async def send(self, path: str, **fields: str) -> httpx.Response:
        """Send a form, with what the page has put into it."""
        csrf = (await self.open("/settings")).csrf
        return await self.office.client.post(path, data={"csrf": csrf, **fields})

    async def sign_in(self, token: str) -> None:
        answer = await self.office.client.post("/sign-in", data={"token": token})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")


def chat_of(browser: Browser, buyer: str = "小王") -> str:
    return f"/chats/{SHOP}/{browser.office.chat(buyer)}"


async def hear(browser: Browser, text: str = "hello", buyer: str = "小王") -> None:
    browser.office.shop.says(text, buyer)
    await trio.sleep(5)


def draft(browser: Browser, text: str = "") -> None:
    async def decide(turn: Turn, _now: int) -> Decision:
        reply = Reply(contents=(Text(text or turn.text),), source="ai", because="x")
        return Decision(reply=reply, passed=(), mode="draft", held="像联系方式 (a contact)")

    browser.office.shop.decide = decide
