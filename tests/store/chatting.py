"""A conversation, stored as the bot would store it."""

from __future__ import annotations

import attrs

from tests.store.samples import BUYER, CHAT, SHOP, arrival
from xybot.model import ChatId, Content, Decision, Message, MessageId, Reply, Text, Turn
from xybot.store import chats, outbox, turns
from xybot.store.chats import ByHand, Moment
from xybot.store.database import Store
from xybot.store.outbox import Sent, Settlement


async def heard(store: Store, key: str, content: Content, *, at: int, own: bool = False) -> None:
    """Take in a line of the buyer's, or of our own account."""
    line = attrs.evolve(arrival(key, content, sent_at=at), kind="own" if own else "line")
    line = attrs.evolve(line, outcome="own" if own else None)
    moment = Moment(account=SHOP, by_hand=ByHand(pause=0), now=at)
    await store.transact(chats.take_in, moment, [line])


async def decided(store: Store, key: str, words: str, *, at: int, mode: str = "send") -> None:
    """Answer a line, up to where the answer is queued, or kept as a draft."""
    line = Message(
        id=MessageId(key),
        chat=ChatId(CHAT),
        sender=BUYER,
        sender_name="小王",
        content=Text("?"),
        item=None,
        sent_at=at,
    )
    asked = Turn(account=SHOP, chat=CHAT, messages=(line,))
    reply = Reply(contents=(Text(words),), source="rules", because="r")
    decision = Decision(reply=reply, passed=(), mode=mode)
    await store.transact(turns.answer, asked, decision, (f"u-{key}",), now=at)


async def settled(store: Store, key: str, as_: Settlement, *, at: int) -> None:
    """Send what is queued, and note what became of it."""
    await store.transact(outbox.take_due, SHOP, frozenset(), most=10, now=at)
    await store.transact(outbox.settle, SHOP, f"u-{key}", as_, now=at)


async def answered(store: Store, key: str, words: str, *, at: int) -> None:
    """Answer a line, and hear the answer come back as the platform sends it."""
    await decided(store, key, words, at=at)
    await settled(store, key, Sent(MessageId(f"bot-{key}")), at=at)
    await heard(store, f"bot-{key}", Text(words), at=at + 1, own=True)
