"""Closing a turn: what was said, what we say to it, and why; in one transaction."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import attrs
import sqlalchemy as sa

from xybot.model import Decision, MessageId, Outgoing, Turn
from xybot.store import chats, haggles, inbox, outbox
from xybot.store.codec import converter
from xybot.store.database import Database
from xybot.store.outbox import Origin
from xybot.store.prepared import Prepared, parameters
from xybot.store.schema import turns

LATE: Final = "消息已过期，请您亲自回复 (too late)"
_TOO_LATE: Final = Decision(reply=None, passed=(("message_expiry", LATE),), late=True)
_INSERT: Final = Prepared(sa.insert(turns).values(parameters(turns, "id")))


def answer(
    db: Database, turn: Turn, decision: Decision, uuids: tuple[str, ...], *, now: int
) -> bool:
    """Store the decision, queue its reply, close the lines it answers; hand the chat over.

    Args:
      db: the database.
      turn: whose messages are dealt with hereby.
      decision: the reply, if any, and why.
      uuids: one for each content of the reply.
      now: milliseconds.

    Returns:
      False when the seller was quicker with some of it: nothing is stored, and what is left
      has to be decided on anew.
    """
    if inbox.closed(db, turn.account, _keys(turn)):
        return False
    if decision.stale:
        old, turn = _parted(turn, decision.stale)
        _record(db, old, _TOO_LATE, "late", now)
    id_ = _record(db, turn, decision, _outcome(decision), now)
    if decision.reply is not None:
        origin = Origin(turn=id_, now=now, mode=decision.mode, held=decision.held)
        messages = _messages(turn, decision, uuids, now)
        outbox.put_as(db, turn.account, messages, origin)
        if decision.reply.offer is not None:
            haggles.record(db, turn, id_, decision.reply.offer, now=now)
        if decision.hands_over:
            chats.hand_over(db, turn.account, turn.chat)
    return True


def _parted(turn: Turn, stale: Collection[MessageId]) -> tuple[Turn, Turn]:
    """Return what of a turn is too old to be answered, and what is answered."""
    old = tuple(message for message in turn.messages if message.id in stale)
    fresh = tuple(message for message in turn.messages if message.id not in stale)
    return attrs.evolve(turn, messages=old), attrs.evolve(turn, messages=fresh)


def _messages(turn: Turn, decision: Decision, uuids: tuple[str, ...], now: int) -> list[Outgoing]:
    reply = decision.reply
    assert reply is not None
    delays = decision.delays or (0.0,) * len(reply.contents)
    return [
        Outgoing(
            uuid=uuid,
            chat=turn.chat,
            to=turn.last.sender,
            content=content,
            source=reply.source,
            because=reply.because,
            due_at=now + round(1000 * delay) if delay else None,
        )
        for uuid, content, delay in zip(uuids, reply.contents, delays, strict=True)
    ]


def fail(db: Database, turn: Turn, reason: str, *, now: int) -> bool:
    """Close a turn that broke while it was being answered; the seller sees why.

    Returns:
      False when there was nothing left to close.
    """
    if len(inbox.closed(db, turn.account, _keys(turn))) == len(turn.messages):
        return False
    _record(db, turn, Decision(reply=None, passed=(("xybot", reason),)), "failed", now)
    return True


def _keys(turn: Turn) -> list[MessageId]:
    return [message.id for message in turn.messages]


def _outcome(decision: Decision) -> str:
    if decision.reply is not None:
        return "answered" if decision.reply.contents else "silent"
    return "late" if decision.late else "skipped"


def _record(db: Database, turn: Turn, decision: Decision, outcome: str, now: int) -> int:
    """Store a turn and close its lines; return its id."""
    reply = decision.reply
    row = {
        "account": turn.account,
        "chat": turn.chat,
        "decided_at": now,
        "outcome": outcome,
        "source": reply.source if reply else None,
        "because": reply.because if reply else None,
        "passed_json": converter.dumps(decision.passed).decode(),
        "mode": decision.mode if reply else None,
        "held": decision.held or None,
        "rule": reply.rule if reply else None,
    }
    id_ = _INSERT.run(db, row)
    assert id_ is not None
    inbox.close(db, turn.account, _keys(turn), outcome, id_)
    return id_
