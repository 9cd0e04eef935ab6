"""What happened to messages, as events."""

from __future__ import annotations

from typing import assert_never

from xybot.events import (
    ChatPaused,
    ChatResumed,
    MessageReceived,
    Quarantined,
    ReplyDrafted,
    ReplyDropped,
    ReplyRehearsed,
    ReplySent,
    SendHeld,
    SendRefused,
)
from xybot.model import AccountId, ChatId, Decision, Outgoing, Reply, Sayable, Text, Turn
from xybot.store.chats import FOREVER
from xybot.store.inbox import Arrival
from xybot.store.outbox import Held, Refused, Sent


def received(account: AccountId, arrival: Arrival) -> MessageReceived | Quarantined | None:
    """Return the event of something that came in; None when nobody cares."""
    if arrival.outcome is None and arrival.chat is not None:
        return MessageReceived(
            account=account,
            chat=arrival.chat,
            message=arrival.key,
            sender_name=arrival.sender_name or "",
            text=arrival.text or f"[{arrival.kind}]",
        )
    if arrival.outcome and arrival.outcome.startswith("undecodable"):
        return Quarantined(account=account, reason=arrival.outcome)
    return None


def said(
    account: AccountId, outgoing: Outgoing, settlement: Sent | Refused | Held
) -> ReplySent | SendRefused | SendHeld:
    """Return the event of a message whose fate is known, or is in doubt for good."""
    chat, text = outgoing.chat, words(outgoing.content)
    match settlement:
        case Sent(message):
            why = f"{outgoing.source}: {outgoing.because}"
            return ReplySent(account=account, chat=chat, message=message, text=text, why=why)
        case Refused(reason):
            return SendRefused(account=account, chat=chat, text=text, reason=reason)
        case Held(reason):
            return SendHeld(account=account, chat=chat, text=text, reason=reason)
        case _:
            assert_never(settlement)


def dropped(account: AccountId, outgoing: Outgoing, why: str) -> ReplyDropped:
    """Return the event of a message that is not said any more."""
    return ReplyDropped(account=account, chat=outgoing.chat, text=words(outgoing.content), why=why)


def kept(turn: Turn, reply: Reply, decision: Decision) -> ReplyDrafted | ReplyRehearsed:
    """Return the event of a reply that is not sent, or not yet."""
    kind = ReplyDrafted if decision.mode == "draft" else ReplyRehearsed
    return kind(
        account=turn.account,
        chat=turn.chat,
        text="\n".join(map(words, reply.contents)),
        why=decision.why,
        held=decision.held,
    )


def handed_over(turn: Turn, why: str) -> ChatPaused:
    """Return the event of a chat that we leave to its seller."""
    return ChatPaused(account=turn.account, chat=turn.chat, until=None, why=why)


def taken_over(account: AccountId, chat: ChatId, until: int) -> ChatPaused | ChatResumed:
    """Return the event of a chat that its seller took over until then (ms), or gave back (0)."""
    if not until:
        return ChatResumed(account=account, chat=chat)
    return ChatPaused(account=account, chat=chat, until=None if until == FOREVER else until)


def words(content: Sayable) -> str:
    """Return what is said, as text."""
    return content.text if isinstance(content, Text) else "[图片]"
