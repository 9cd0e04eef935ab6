"""Things to store."""

from __future__ import annotations

from xybot.model import (
    AccountId,
    ChatId,
    Content,
    ItemId,
    Message,
    MessageId,
    Outgoing,
    Sayable,
    Text,
    Turn,
    UserId,
)
from xybot.store.inbox import Arrival

SHOP = AccountId("shop-a")
OTHER = AccountId("shop-b")
CHAT = ChatId("c1")
BUYER = UserId("2201")
NOW = 1_790_000_000_000


def arrival(
    key: str,
    content: Content | None = Text("在吗"),  # noqa: B008  # frozen
    *,
    chat: str = CHAT,
    name: str = "小王",
    outcome: str | None = None,
    sent_at: int | None = NOW - 5,
) -> Arrival:
    return Arrival(
        key=MessageId(key),
        kind="line",
        raw=f"raw {key}",
        outcome=outcome,
        chat=ChatId(chat),
        sender=BUYER,
        sender_name=name,
        content=content,
        item=ItemId("81"),
        sent_at=sent_at,
    )


def message(key: str, text: str = "在吗", *, sender: str = BUYER) -> Message:
    return Message(
        id=MessageId(key),
        chat=CHAT,
        sender=UserId(sender),
        sender_name="小王",
        content=Text(text),
        item=ItemId("81"),
        sent_at=NOW - 5,
    )


def turn(*keys: str) -> Turn:
    return Turn(account=SHOP, chat=CHAT, messages=tuple(message(key) for key in keys))


def outgoing(uuid: str, chat: str = CHAT, content: Sayable | None = None) -> Outgoing:
    return Outgoing(
        uuid=uuid,
        chat=ChatId(chat),
        to=BUYER,
        content=content or Text(f"words of {uuid}"),
        source="rules",
        because="rules[0]",
    )
