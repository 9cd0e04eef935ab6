"""Turns, rules and what sources say to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xybot.config import Config, Loaded, Rule
from xybot.egress import Outside
from xybot.model import (
    AccountId,
    ChatId,
    Content,
    Item,
    ItemId,
    Message,
    MessageId,
    Text,
    Turn,
    UserId,
)
from xybot.replies.source import Answer, Facts, Means, Source
from xybot.store.database import Store

SHOP = AccountId("shop-a")
NOW = 1_790_000_000_000


def line(
    content: str | Content, n: int = 1, *, item: str | None = "81", sent_at: int = NOW
) -> Message:
    return Message(
        id=MessageId(f"{n}.PNM"),
        chat=ChatId("c1"),
        sender=UserId("2201"),
        sender_name="小王",
        content=Text(content) if isinstance(content, str) else content,
        item=None if item is None else ItemId(item),
        sent_at=sent_at,
    )


def turn(*lines: str | Content | Message, account: str = SHOP, item: str | None = "81") -> Turn:
    messages = tuple(
        each if isinstance(each, Message) else line(each, n, item=item)
        for n, each in enumerate(lines)
    )
    return Turn(account=AccountId(account), chat=ChatId("c1"), messages=messages)


def rule(*keywords: str, n: int = 0, **more: Any) -> Rule:
    settings = {"reply": f"reply {n}", "where": f"bot.toml: rules[{n}]"} | more
    return Rule(keywords=keywords, **settings)


async def no_facts(_account: AccountId, _item: ItemId) -> Item | None:
    """Know nothing of any item."""
    return None


def means(store: Store, outside: Outside | None = None, facts: Facts = no_facts) -> Means:
    """What sources use: a store, and whatever else a test gives."""
    return Means(store=store, facts=facts, outside=outside or Outside(), now_ms=lambda: NOW)


def loaded(config: Config) -> Loaded:
    """Settings as if they had been read."""
    return Loaded(config=config, folder=Path(), cookies={}, warnings=(), files=())


async def said(source: Source, asked: Turn) -> str | None:
    """Return the words of an answer, None for a pass."""
    answer: Answer = await source.answer(asked)
    contents = getattr(answer, "contents", None)
    if contents is None:
        return None
    return "\n".join(each.text for each in contents)
