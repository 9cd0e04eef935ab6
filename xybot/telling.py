"""What happened to messages and orders, as events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

import attrs

from xybot.events import (
    ChatLimited,
    ChatPaused,
    ChatResumed,
    DeliveryHeld,
    DeliverySent,
    Event,
    GapClosed,
    MessageReceived,
    OrderUpdated,
    Quarantined,
    ReplyDrafted,
    ReplyDropped,
    ReplyRehearsed,
    ReplySent,
    ReplySkipped,
    SendHeld,
    SendRefused,
    StockLow,
    WroteByHand,
)
from xybot.model import AccountId, ChatId, Decision, Outgoing, Reply, Sayable, Text, Turn
from xybot.store import chats, deliveries, turns
from xybot.store.chats import FOREVER, Intake
from xybot.store.follow_ups import Followed
from xybot.store.gaps import Report
from xybot.store.inbox import Arrival
from xybot.store.outbox import Held, Refused, Sent
from xybot.store.writing import Taken
from xybot.trade import OrderState, Step


def taken_in(account: AccountId, found: Sequence[Arrival], intake: Intake) -> Iterator[Event]:
    """Yield what arrivals mean, in the order in which it is best told."""
    for outgoing, message in intake.sent:
        yield said(account, outgoing, Sent(message))
    for outgoing in intake.dropped:
        yield dropped(account, outgoing, chats.BY_HAND)
    for chat, until in intake.paused.items():
        yield taken_over(account, chat, until)
    yield from stepped(account, intake.steps)
    told = set()
    for arrival in found:
        if arrival.key in intake.fresh and arrival.key not in told:
            told.add(arrival.key)  # A frame may carry an entry twice.
            if arrival.key in intake.by_hand and arrival.chat is not None:
                goods = arrival.key in intake.goods
                yield by_hand(account, arrival, arrival.chat, goods=goods)
            elif (event := received(account, arrival)) is not None:
                yield event


def by_hand(account: AccountId, own: Arrival, chat: ChatId, *, goods: bool) -> WroteByHand:
    """Return the event of a line that the seller wrote; if it holds goods, without its words."""
    text = deliveries.UNSEEN if goods else own.text or f"[{own.kind}]"
    return WroteByHand(account=account, chat=chat, message=own.key, text=text)


def received(account: AccountId, arrival: Arrival) -> MessageReceived | Quarantined | None:
    """Return the event of something that came in; None when nobody cares."""
    if arrival.outcome is None and arrival.chat is not None:
        return MessageReceived(
            account=account,
            chat=arrival.chat,
            message=arrival.key,
            sender=arrival.sender,
            sender_name=arrival.sender_name or "",
            item=arrival.item,
            text=arrival.text or f"[{arrival.kind}]",
            sent_at=arrival.sent_at,
        )
    if arrival.outcome and arrival.outcome.startswith("undecodable"):
        return Quarantined(account=account, reason=arrival.outcome)
    return None


def said(
    account: AccountId, outgoing: Outgoing, settlement: Sent | Refused | Held
) -> ReplySent | SendRefused | SendHeld:
    """Return the event of a message whose fate is known, or is in doubt for good."""
    chat, uuid, text = outgoing.chat, outgoing.uuid, told_of(outgoing)
    match settlement:
        case Sent(message):
            return ReplySent(
                account=account,
                chat=chat,
                uuid=uuid,
                message=message,
                text=text,
                source=outgoing.source,
                why=f"{outgoing.source}: {outgoing.because}",
            )
        case Refused(reason):
            return SendRefused(account=account, chat=chat, uuid=uuid, text=text, reason=reason)
        case Held(reason):
            return SendHeld(account=account, chat=chat, uuid=uuid, text=text, reason=reason)
        case _:
            assert_never(settlement)


def dropped(account: AccountId, outgoing: Outgoing, why: str) -> ReplyDropped:
    """Return the event of a message that is not said any more."""
    return ReplyDropped(
        account=account,
        chat=outgoing.chat,
        uuid=outgoing.uuid,
        text=told_of(outgoing),
        why=why,
    )


def decided(turn: Turn, decision: Decision) -> Iterator[Event]:
    """Yield what a stored decision means, but for a reply that is sent: its fate is told."""
    if decision.stale:
        old = tuple(each for each in turn.messages if each.id in decision.stale)
        yield skipped(attrs.evolve(turn, messages=old), "late", turns.LATE)
    if decision.reply is None or not decision.reply.contents:
        yield skipped(turn, cause_of(decision), decision.why)
    elif decision.mode != "send":
        yield kept(turn, decision.reply, decision)
    if decision.alarm:
        yield ChatLimited(account=turn.account, chat=turn.chat, why=decision.why)
    if decision.hands_over:
        yield handed_over(turn, decision.why)


def skipped(turn: Turn, cause: str, why: str) -> ReplySkipped:
    """Return the event of a turn that gets no answer."""
    return ReplySkipped(account=turn.account, chat=turn.chat, text=turn.text, cause=cause, why=why)


def cause_of(decision: Decision) -> str:
    """Return one word for why nothing is said: a gate, late, silent, or no_answer."""
    if decision.reply is not None:
        return "silent"
    if decision.late:
        return "late"
    # A gate stops a turn alone; sources pass one after the other.
    return decision.passed[0][0] if len(decision.passed) == 1 else "no_answer"


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


def followed(account: AccountId, what: Followed | None) -> Iterator[Event]:
    """Yield what it means that a follow-up is not sent, or not yet; else its fate is told."""
    if what is None:
        return
    first = what.messages[0]
    match what.mode:
        case None:
            yield from (dropped(account, each, what.why) for each in what.messages)
        case "draft" | "dry_run":
            kind = ReplyDrafted if what.mode == "draft" else ReplyRehearsed
            yield kind(
                account=account,
                chat=first.chat,
                text="\n".join(words(each.content) for each in what.messages),
                why=f"{first.source}: {first.because}",
                held=what.why,
            )
        case "send":
            pass
        case _:
            assert_never(what.mode)


def handed_over(turn: Turn, why: str) -> ChatPaused:
    """Return the event of a chat that we leave to its seller."""
    return ChatPaused(account=turn.account, chat=turn.chat, until=None, why=why)


def taken_over(account: AccountId, chat: ChatId, until: int) -> ChatPaused | ChatResumed:
    """Return the event of a chat that its seller took over until then (ms), or gave back (0)."""
    if not until:
        return ChatResumed(account=account, chat=chat)
    return ChatPaused(account=account, chat=chat, until=None if until == FOREVER else until)


def taken(account: AccountId, chat: ChatId, what: Taken, reason: str) -> Iterator[Event]:
    """Yield what it means that somebody took a chat over from outside."""
    for outgoing in what.dropped:
        yield dropped(account, outgoing, reason)
    if what.until != what.before:
        yield taken_over(account, chat, what.until)


def gap_closed(account: AccountId, report: Report) -> GapClosed:
    """Return the event of a report on an outage."""
    return GapClosed(
        account=account,
        since=report.gap.began_at,
        until=report.gap.ended_at,
        cause=report.gap.cause,
        because=report.gap.because,
        recovered=report.recovered,
        answered=report.answered,
        late=report.late,
        skipped=report.skipped,
        unaccounted=report.unaccounted,
    )


def stepped(account: AccountId, steps: Iterable[Step]) -> Iterator[Event]:
    """Yield what steps of orders mean."""
    for step in steps:
        yield from advanced(account, step)


def advanced(account: AccountId, step: Step) -> Iterator[Event]:
    """Yield what a step of an order means; nothing where it stands as before."""
    if step.runs_low is not None:
        batch, left = step.runs_low
        yield StockLow(account=account, batch=batch, left=left)
    if step.new is step.old:
        return
    yield OrderUpdated(
        account=account,
        order=step.order,
        old=step.old,
        new=step.new,
        source=step.source,
        why=step.why,
    )
    if step.new is OrderState.HELD:
        yield DeliveryHeld(account=account, order=step.order, why=step.why)
    if step.new is OrderState.DELIVERED and step.messages:
        yield DeliverySent(
            account=account, order=step.order, goods=step.goods, messages=step.messages
        )


def told_of(outgoing: Outgoing) -> str:
    """Return what is told of the words of a message: goods are worth money, and not told."""
    return deliveries.UNSEEN if outgoing.source == deliveries.SOURCE else words(outgoing.content)


def words(content: Sayable) -> str:
    """Return what is said, as text."""
    return content.text if isinstance(content, Text) else "[图片]"
