"""The web side of a shop: the real application over the real bot, in memory, on the mock clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import msgspec
import tomli_w
import trio

from tests.conftest import SHOP, Shop
from xybot.bot import Bot, means_of
from xybot.config import Loaded, load
from xybot.egress import Outside
from xybot.facts import Facts
from xybot.notify.hooks import Hooks
from xybot.replies.compose import composer
from xybot.web.app import application
from xybot.web.door import Door
from xybot.web.house import House
from xybot.web.metrics import Metrics
from xybot.web.visitors import Keys, given_keys

ADMIN, READ, SEND = (f"{name}-0123456789abcdef" for name in ("admin", "read", "send"))
TOKENS = [
    {"name": "reader", "token": READ, "scopes": ["read"]},
    {"name": "sender", "token": SEND, "scopes": ["send"]},
]
RULES = [{"keywords": ["在吗"], "reply": "在的"}]


@attrs.define(eq=False, kw_only=True)
class Office:
    """What a program, or a browser, gets to see of a shop."""

    shop: Shop
    house: House
    door: Door
    app: Any
    client: httpx.AsyncClient
    folder: Path

    @property
    def loaded(self) -> Loaded:
        return self.house.loaded()

    async def ask(
        self, method: str, path: str, body: object = None, *, token: str = ADMIN, **headers: str
    ) -> httpx.Response:
        """Ask for something as a program does."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            given["authorization"] = f"Bearer {token}"
        content = body if isinstance(body, bytes | None) else msgspec.json.encode(body)
        return await self.client.request(method, path, content=content, headers=given)

    async def get(self, path: str, **more: str) -> httpx.Response:
        return await self.ask("GET", path, **more)

    async def post(self, path: str, body: object = None, **more: str) -> httpx.Response:
        return await self.ask("POST", path, body, **more)

    def chat(self, buyer: str = "小王") -> str:
        """The id of the chat with a buyer."""
        return self.shop.platform.chat(self.shop.sim, buyer).id


def write_settings(folder: Path, shop: Shop, **more: object) -> Path:
    """Write a bot.toml for a shop."""
    cookie = folder / "shop-a.cookie"
    cookie.write_text(shop.sim.cookie_text, encoding="utf-8")
    cookie.chmod(0o600)
    table: dict[str, object] = {
        "accounts": [{"id": SHOP, "cookie": {"file": "shop-a.cookie"}}],
        "rules": RULES,
        "web": {"token": ADMIN, "tokens": TOKENS},
    }
    path = folder / "bot.toml"
    path.write_text(tomli_w.dumps(table | more), encoding="utf-8")
    return path


def house_of(shop: Shop, path: Path) -> House:
    """The house of a bot over a shop; its one account is the shop's."""
    chronicle, loaded = shop.chronicle, load(path)
    facts = Facts(store=shop.store, now_ms=shop.now_ms)
    bot = Bot(
        path=path,
        loaded=loaded,
        chronicle=chronicle,
        demo=None,
        facts=facts,
        hooks=Hooks(chronicle=chronicle, outside=Outside(), now_ms=shop.now_ms),
        composer=composer(loaded, means_of(chronicle, facts)),
    )

    def ring(_account: str) -> None:
        shop.summons.ring()
        if shop.supervising is not None:
            shop.supervising.bell.ring()

    return attrs.evolve(
        bot.house(),
        status=lambda _: shop.status.now,
        ring=ring,
        clock=shop.now_ms,
        now_ms=shop.now_ms,
    )


@asynccontextmanager
async def open_office(shop: Shop, folder: Path, **settings: object) -> AsyncIterator[Office]:
    """Open the web side of a shop."""
    house = house_of(shop, write_settings(folder, shop, **settings))
    web = house.loaded().config.web
    assert web is not None
    door = Door(keys=Keys(given_keys(web)), house=house, secure=False)
    metrics = Metrics()
    app = application(door, metrics)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        trio.open_nursery() as nursery,
        httpx.AsyncClient(transport=transport, base_url="http://xybot") as client,
    ):
        await nursery.start(house.stream.serve)
        with house.chronicle.feed.heard_by(metrics.hear):
            yield Office(shop=shop, house=house, door=door, app=app, client=client, folder=folder)
        nursery.cancel_scope.cancel()


def errors(answer: httpx.Response) -> Mapping[str, str]:
    """The wrong fields of a request: path -> words."""
    return {each["path"]: each["message"] for each in answer.json()["error"]["fields"]}


@attrs.define(eq=False)
class Wire:
    """A request to the application as a server makes it, for what a client would not do."""

    app: Any
    method: str
    path: str
    headers: Mapping[str, str]
    pieces: tuple[bytes, ...] = ()
    status: int = 0
    sent: bytes = b""
    gone: trio.Event = attrs.Factory(trio.Event)
    """Set it, and the other side is gone."""
    _next: int = 0

    async def run(self) -> None:
        path, _, query = self.path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(k.encode(), v.encode()) for k, v in self.headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("xybot", 80),
        }
        await self.app(scope, self._receive, self._send)

    async def _receive(self) -> dict[str, object]:
        if self._next <= len(self.pieces):
            piece = self.pieces[self._next] if self._next < len(self.pieces) else b""
            self._next += 1
            more = self._next < len(self.pieces)
            return {"type": "http.request", "body": piece, "more_body": more}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.sent += message.get("body", b"")
            await trio.lowlevel.checkpoint()
