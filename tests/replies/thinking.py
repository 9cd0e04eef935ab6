"""An `[ai]` source whose model is made up, in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import trio

from tests.conftest import EPOCH
from tests.replies.samples import turn
from xybot.config import Ai as Settings
from xybot.config import Config
from xybot.egress import Outside
from xybot.errors import ReplyError
from xybot.model import AccountId, Item, ItemId, Pass
from xybot.replies.ai import Ai, ai_source
from xybot.replies.source import Means
from xybot.simulator.model import FakeModel
from xybot.store.database import Store, inline, open_store

ITEM = Item(
    id=ItemId("81"),
    title="九成新蓝牙耳机",
    price=10_000,
    stock=2,
    status="在线",
    description="用了一年，电池健康，送 1 个充电盒",
)


def now_ms() -> int:
    return EPOCH + round(1000 * trio.current_time())


async def facts(_account: AccountId, item: ItemId) -> Item | None:
    return ITEM if item == ITEM.id else None


def means(store: Store, model: FakeModel) -> Means:
    outside = Outside(transport=httpx.ASGITransport(model.app))
    return Means(store=store, facts=facts, outside=outside, now_ms=now_ms)


def source(store: Store, model: FakeModel, *, config: Config | None = None, **settings: Any) -> Ai:
    ai = Settings(**({"url": "http://model/v1", "model": "m-1"} | settings))
    config = config or Config()
    found = ai_source(Config(**(_fields(config) | {"ai": ai})), means(store, model))
    assert found is not None
    return found


def _fields(config: Config) -> dict[str, Any]:
    return {"items": config.items, "haggle": config.haggle, "accounts": config.accounts}


@asynccontextmanager
async def open_ai(
    model: FakeModel, *, config: Config | None = None, **settings: Any
) -> AsyncIterator[Ai]:
    """An AI source on a store of its own."""
    async with open_store(None, run=inline) as store:
        yield source(store, model, config=config, **settings)


async def reason(model: FakeModel, asked: str, **settings: object) -> str:
    """Ask, and return why nothing is said."""
    async with open_ai(model, **settings) as ai:
        try:
            answer = await ai.answer(turn(asked))
        except ReplyError as exc:
            return str(exc)
    assert isinstance(answer, Pass), answer
    return answer.reason
