"""Closing a turn: what was said, what we say to it, and why; in one transaction."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from xybot.model import Decision, Outgoing, Turn
from xybot.store import inbox, outbox
from xybot.store.codec import converter
from xybot.store.database import Database
from xybot.store.prepared import Prepared, parameters
from xybot.store.schema import turns

_INSERT: Final = Prepared(sa.insert(turns).values(parameters(turns, "id")))


def answer(
    db: Database, turn: Turn, decision: Decision, uuids: tuple[str, ...], *, now: int
) -> bool:
    """Store the decision, queue its reply and close the messages it answers.

    Args:
      db: the database.
      turn: whose messages are dealt with hereby.
      decision: the reply, if any, and why.
      uuids: one for each content of the reply.
      now: milliseconds.

    Returns:
      False when there was nothing left to answer: the seller was quicker.
    """
    id_ = _record(db, turn, decision, _outcome(decision), now)
    if id_ is None:
        return False
    if decision.reply is not None:
        to, reply = turn.last.sender, decision.reply
        messages = [
            Outgoing(
                uuid=uuid,
                chat=turn.chat,
                to=to,
                content=content,
                source=reply.source,
                because=reply.because,
            )
            for uuid, content in zip(uuids, reply.contents, strict=True)
        ]
        outbox.put(db, turn.account, messages, turn=id_, now=now)
    return True


def fail(db: Database, turn: Turn, reason: str, *, now: int) -> bool:
    """Close a turn that broke while it was being answered; the seller sees why.

    Returns:
      False when there was nothing left to close.
    """
    decision = Decision(reply=None, passed=(("xybot", reason),))
    return _record(db, turn, decision, "failed", now) is not None


def _outcome(decision: Decision) -> str:
    if decision.reply is not None:
        return "answered" if decision.reply.contents else "silent"
    return "late" if decision.late else "skipped"


def _record(db: Database, turn: Turn, decision: Decision, outcome: str, now: int) -> int | None:
    """Store a turn and close its lines; None, and nothing stored, when none was open."""
    keys = [message.id for message in turn.messages]
    if not inbox.any_open(db, turn.account, keys):
        return None
    reply = decision.reply
    row = {
        "account": turn.account,
        "chat": turn.chat,
        "decided_at": now,
        "outcome": outcome,
        "source": reply.source if reply else None,
        "because": reply.because if reply else None,
        "passed_json": converter.dumps(decision.passed).decode(),
    }
    id_ = _INSERT.run(db, row)
    assert id_ is not None
    inbox.close(db, turn.account, keys, outcome, id_)
    return id_
