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
) -> None:
    """Store the decision, queue its reply and close the messages it answers.

    Args:
      db: the database.
      turn: whose messages are dealt with hereby.
      decision: the reply, if any, and why.
      uuids: one for each content of the reply.
      now: milliseconds.
    """
    outcome = _outcome(decision)
    id_ = _record(db, turn, decision, outcome, now)
    inbox.close(db, turn.account, [message.id for message in turn.messages], outcome, id_)
    if decision.reply is None:
        return
    to = turn.last.sender
    messages = [
        Outgoing(
            uuid=uuid,
            chat=turn.chat,
            to=to,
            content=content,
            source=decision.reply.source,
            because=decision.reply.because,
        )
        for uuid, content in zip(uuids, decision.reply.contents, strict=True)
    ]
    outbox.put(db, turn.account, messages, turn=id_, now=now)


def fail(db: Database, turn: Turn, reason: str, *, now: int) -> None:
    """Close a turn that broke while it was being answered; the seller sees why."""
    decision = Decision(reply=None, passed=(("xybot", reason),))
    id_ = _record(db, turn, decision, "failed", now)
    inbox.close(db, turn.account, [message.id for message in turn.messages], "failed", id_)


def _outcome(decision: Decision) -> str:
    if decision.reply is None:
        return "skipped"
    return "answered" if decision.reply.contents else "silent"


def _record(db: Database, turn: Turn, decision: Decision, outcome: str, now: int) -> int:
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
    key = _INSERT.run(db, row)
    assert key is not None
    return key
