"""What comes in, and what it does to its chat: the seller's own hand takes a chat over."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from typing import Final

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from xybot.model import AccountId, ChatId, MessageId, Outgoing
from xybot.store import chatlist, deliveries, giving, inbox, orders, outbox
from xybot.store.codec import converter
from xybot.store.database import Database
from xybot.store.gaps import Gap
from xybot.store.inbox import Arrival
from xybot.store.prepared import Prepared
from xybot.store.schema import inbox as messages
from xybot.store.schema import pauses
from xybot.trade import Step

FOREVER: Final = 253_402_300_799_000
"""A pause that only the seller ends (ms; the last second of the calendar)."""
BY_HAND: Final = "卖家已亲自回复 (the seller answered by hand)"


@attrs.frozen(kw_only=True)
class ByHand:
    """What it means that the seller writes in a chat."""

    pause: int
    """Milliseconds that the bot keeps out of it; 0: it does not care."""
    toggle: str = ""
    """A line of just these words switches the bot off and on in a chat; empty: none does."""


@attrs.frozen(kw_only=True)
class Moment:
    """Whose arrivals are taken in, and when."""

    account: AccountId
    by_hand: ByHand
    now: int
    """Milliseconds, by the platform's clock."""
    gap: Gap | None = None
    """The time before this connection, if there is to be a report on it."""


@attrs.define(kw_only=True)
class Intake:
    """What became of arrivals."""

    fresh: frozenset[MessageId]
    """The keys of those not seen before."""
    by_hand: set[MessageId] = attrs.Factory(set)
    """Those of them that the seller wrote."""
    goods: set[MessageId] = attrs.Factory(set)
    """Those of them that hold goods, which nobody is told."""
    paused: dict[ChatId, int] = attrs.Factory(dict)
    """Chats that the seller took over, and until when (ms); 0: given back."""
    closed: dict[ChatId, set[MessageId]] = attrs.Factory(dict)
    """Open lines that need no answer any more, because the seller gave one."""
    sent: list[tuple[Outgoing, MessageId]] = attrs.Factory(list)
    """Messages of ours that turned out to be said."""
    dropped: list[Outgoing] = attrs.Factory(list)
    """Messages of ours that will not be said, because the seller was quicker."""
    steps: list[Step] = attrs.Factory(list)
    """Where orders went."""
    trades: bool = False
    """Whether anything was told of an order."""


def take_in(db: Database, moment: Moment, arrivals: Sequence[Arrival]) -> Intake:
    """Store arrivals, in their order, and do what those of our own account ask for."""
    fresh = inbox.insert_new(db, moment.account, arrivals, now=moment.now, gap=moment.gap)
    intake = Intake(fresh=fresh)
    chatlist.came(db, moment.account, _once(arrivals, fresh), now=moment.now)
    for arrival in _once(arrivals, fresh):
        if arrival.trade is not None:
            intake.trades = True
            intake.steps += orders.told(db, moment.account, arrival.trade, now=moment.now)
        if arrival.chat is None:
            continue
        if arrival.read:
            deliveries.seen(db, moment.account, arrival.chat, arrival.read, now=moment.now)
        if arrival.kind == "own":
            _take_own(db, moment, arrival, arrival.chat, intake)
    return intake


def _take_own(db: Database, moment: Moment, own: Arrival, chat: ChatId, intake: Intake) -> None:
    """Tell what we said from what the seller wrote."""
    account, now = moment.account, moment.now
    ours = outbox.recognise(db, account, own, now=now)
    if ours is None:
        intake.by_hand.add(own.key)
        chatlist.wrote(db, account, chat, at=own.sent_at or now)
        # Copied by the seller; or ours, and the platform changed its words.
        if own.text and deliveries.repeated(db, account, chat, own.text):
            inbox.veil(db, account, own.key, deliveries.UNSEEN)
            intake.goods.add(own.key)
        _heed(db, moment, own, chat, intake)
    elif ours.settled:
        intake.sent.append((ours.settled, own.key))
        intake.steps += giving.settled(db, account, ours.settled.uuid, now=now)


def _once(arrivals: Sequence[Arrival], fresh: Set[MessageId]) -> Collection[Arrival]:
    """Return the new ones; a frame may carry an entry twice."""
    return {each.key: each for each in arrivals if each.key in fresh}.values()


def unknown(db: Database, account: AccountId, chat: ChatId, keys: Sequence[str]) -> frozenset[str]:
    """Return which lines of a chat's history neither the inbox nor the outbox has."""
    asked = {"of": account, "keys": converter.dumps([*keys]).decode()}
    known = (row.message for row in _KNOWN.rows(db, asked))
    return frozenset(keys).difference(known, outbox.told(db, account, chat))


def _heed(db: Database, moment: Moment, own: Arrival, chat: ChatId, intake: Intake) -> None:
    """Do what a line by hand means: give its chat back, or keep out of it for a while."""
    by_hand, now = moment.by_hand, moment.now
    said_at = own.sent_at or now
    until = _paused_until(db, moment.account, chat)
    if by_hand.toggle and (own.text or "").strip() == by_hand.toggle:
        if until > now:
            _resume(db, moment.account, chat)
            intake.paused[chat] = 0
            return
        until = FOREVER
    elif by_hand.pause:
        until = max(until, said_at + by_hand.pause)
    else:
        return
    if until > now:
        _pause(db, moment.account, chat, until)
        intake.paused[chat] = until
    # What came after the words of a seller who has left again is ours.
    which = outbox.Which(chat=chat, until=FOREVER if until > now else said_at)
    why = f"skipped: {BY_HAND}"
    closed = inbox.close_chat(db, moment.account, chat, why, until=which.until)
    intake.closed.setdefault(chat, set()).update(closed)
    intake.dropped += outbox.drop(db, moment.account, which, BY_HAND, now=now)


_KNOWN: Final = Prepared(
    sa.select(messages.c.message).where(
        messages.c.account == sa.bindparam("of"),
        messages.c.message.in_(sa.text("SELECT value FROM json_each(:keys)")),
    )
)
_MINE: Final = pauses.c.account == sa.bindparam("of")
_UNTIL: Final = sa.select(pauses.c.until).where(_MINE, pauses.c.chat == sa.bindparam("in"))
_RESUME: Final = sa.delete(pauses).where(_MINE, pauses.c.chat == sa.bindparam("in"))


def _paused_until(db: Database, account: AccountId, chat: ChatId) -> int:
    found: int | None = db.scalar(_UNTIL, {"of": account, "in": chat})
    return found or 0


def _resume(db: Database, account: AccountId, chat: ChatId) -> None:
    db.execute(_RESUME, {"of": account, "in": chat})


def hand_over(db: Database, account: AccountId, chat: ChatId) -> None:
    """Keep out of a chat until its seller gives it back."""
    _pause(db, account, chat, FOREVER, "handed over")


def _pause(
    db: Database, account: AccountId, chat: ChatId, until: int, reason: str = "by hand"
) -> None:
    values = {"reason": reason, "until": until}
    statement = insert(pauses).values(account=account, chat=chat, **values)
    db.execute(statement.on_conflict_do_update(index_elements=["account", "chat"], set_=values))


def paused(db: Database, account: AccountId, *, now: int) -> Mapping[ChatId, int]:
    """Return the chats that are paused, and until when (ms); past pauses are forgotten."""
    db.execute(sa.delete(pauses).where(pauses.c.account == account, pauses.c.until <= now))
    rows = db.execute(sa.select(pauses).where(pauses.c.account == account))
    return {row.chat: row.until for row in rows}
