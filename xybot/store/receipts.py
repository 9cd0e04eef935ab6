"""Receipts: what happened to each code, in rows of which every one proves the one before it.

The proof of a row is a hash over the proof before it, over the row, and over what of its code
must stay as it was: the text when it was imported, the message when it was sent, the reason
when it was quarantined.  So nobody can change, take away or move a row, or change a code,
without making all proofs after it anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, Literal, TypeAlias

import attrs
import msgspec
import sqlalchemy as sa

from xybot.model import AccountId, OrderId
from xybot.store.database import Database
from xybot.store.prepared import Prepared, Row, parameters
from xybot.store.schema import codes, receipts

What: TypeAlias = Literal[
    "imported", "reserved", "returned", "sent", "seen", "confirmed", "quarantined"
]
_AnyRow: TypeAlias = Row | sa.Row[tuple[object, ...]]

#: What happened before -> what may happen next; None is nothing.
_NEXT: Final[Mapping[str | None, frozenset[str]]] = {
    None: frozenset({"imported"}),
    "imported": frozenset({"reserved", "quarantined"}),
    "reserved": frozenset({"returned", "sent"}),
    "returned": frozenset({"reserved", "quarantined"}),
    "sent": frozenset({"seen", "confirmed"}),
    "seen": frozenset({"confirmed"}),
    "confirmed": frozenset({"seen"}),
    "quarantined": frozenset(),
}
#: What happened last -> the state that a code has then.
_STATE: Final = {
    "imported": "unused",
    "reserved": "reserved",
    "returned": "unused",
    "sent": "sent",
    "seen": "sent",
    "confirmed": "sent",
    "quarantined": "quarantined",
}
_NOBODY: Final[tuple[object, ...]] = (None, None)
"""The account and the order of a code that is nobody's."""
_GIVEN: Final = frozenset({"reserved", "sent"})
"""The states in which a code is an order's."""
_MOST: Final = 20
"""Faults of a kind that are told one by one."""
_FETCHED: Final = 1000
"""Rows in memory at a time, of a million."""

#: Its sequence remembers rows that were taken away at the end.
_LAST: Final = Prepared(
    sa.text(
        "SELECT coalesce(max(seq), 0) AS id,"
        " (SELECT proof FROM receipts ORDER BY id DESC LIMIT 1) AS proof"
        " FROM sqlite_sequence WHERE name = 'receipts'"
    )
)
_SEALED: Final = Prepared(
    sa.text(
        "SELECT codes.id AS code, batch, codes.code AS text, line, why"
        " FROM json_each(:ids) AS wanted JOIN codes ON codes.id = wanted.value"
        " ORDER BY wanted.key"
    )
)
_INSERT: Final = Prepared(sa.insert(receipts).values(parameters(receipts)))
_OF_CODE: Final = (
    sa.select(receipts).where(receipts.c.code == sa.bindparam("of")).order_by(receipts.c.id)
)
_CHAIN: Final = (
    sa.select(
        receipts,
        codes.c.id.label("known"),
        codes.c.batch,
        codes.c.code.label("text"),
        codes.c.line,
        codes.c.why,
    )
    .outerjoin(codes, codes.c.id == receipts.c.code)
    .order_by(receipts.c.id)
)
_BY_CODE: Final = (
    sa.select(
        codes.c.id,
        codes.c.batch,
        codes.c.state,
        codes.c.imported_at,
        codes.c.account.label("of"),
        codes.c.order.label("for"),
        codes.c.line,
        codes.c.why,
        receipts.c.what,
        receipts.c.at,
        receipts.c.account,
        receipts.c.order,
    )
    .outerjoin(receipts, receipts.c.code == codes.c.id)
    .order_by(codes.c.id, receipts.c.id)
)
_STEP: Final = slice(8, 12)
"""Where the columns of a receipt stand there."""


@attrs.frozen
class Receipt:
    """One thing that happened to a code."""

    what: str
    at: int
    account: AccountId | None
    order: OrderId | None


def add(  # noqa: PLR0913  # what a row has
    db: Database,
    ids: Sequence[int],
    what: What,
    *,
    at: int,
    account: AccountId | None = None,
    order: OrderId | None = None,
) -> None:
    """Write down what has happened to some codes, whose rows say so already.

    Args:
      db: the database.
      ids: the codes.
      what: it is.
      at: when (ms).
      account: that sells them; None: nobody does yet.
      order: whose they are, or were until now.
    """
    if not ids:
        return
    (last,) = _LAST.rows(db, {})
    proof, rows = last.proof or "", []
    sealed = _SEALED.rows(db, {"ids": msgspec.json.encode(list(ids)).decode()})
    for id_, code in enumerate(sealed, last.id + 1):
        values = {"id": id_, "code": code.code, "what": what, "at": at}
        values |= {"account": account, "order": order}
        proof = _proof(proof, values.values(), _seal(what, code))
        rows.append(values | {"proof": proof})
    _INSERT.many(db, rows)


def of(db: Database, code: int) -> tuple[Receipt, ...]:
    """Return what happened to a code, in its order."""
    rows = db.execute(_OF_CODE, {"of": code})
    return tuple(Receipt(row.what, row.at, row.account, row.order) for row in rows)


def verify(db: Database) -> tuple[str, ...]:
    """Return, in sentences for the seller, what of receipts and codes does not fit."""
    return (*few(_breaks(db)), *few(_contradictions(db)))


def few(sentences: Iterable[str]) -> Iterator[str]:
    """Yield the first of many sentences of a kind, and how many more there are."""
    more = 0
    for n, sentence in enumerate(sentences):
        if n < _MOST:
            yield sentence
        else:
            more += 1
    if more:
        yield f"还有 {more} 处类似的问题 (and {more} more of this kind)"


def _proof(before: str, row: Iterable[object], seal: object) -> str:
    return hashlib.sha256(msgspec.json.encode([before, *row, seal])).hexdigest()


def _seal(what: str, code: _AnyRow) -> object:
    """Return what of a code must stay as it was when this happened."""
    match what:
        case "imported":
            return hashlib.sha256(msgspec.json.encode([code.batch, code.text])).hexdigest()
        case "sent":
            return code.line
        case "quarantined":
            return code.why
        case _:
            return None


def _breaks(db: Database) -> Iterator[str]:
    """Yield where the chain of proofs is broken."""
    last, proof = 0, ""
    for row in db.execute(_CHAIN, execution_options={"yield_per": _FETCHED}):
        id_, code, what, _at, _account, _order, proven, known = row[:8]
        if known is None:
            yield f"回执 {id_}: 卡密 {code} 不见了 (the code of a receipt is missing)"
        elif id_ != last + 1:
            # What it proved is not there to be compared with.
            yield _missing(last + 1, id_ - 1)
        elif proven != _proof(proof, row[:6], _seal(what, row)):
            yield (
                f"回执 {id_} 或它的卡密 {code} 被改动过，或者换了位置 "
                "(a receipt or its code was changed, or moved)"
            )
        last, proof = id_, proven
    (end,) = _LAST.rows(db, {})
    if end.id != last:
        yield _missing(last + 1, end.id)


def _missing(first: int, last: int) -> str:
    which = f"{first}" if first == last else f"{first}–{last}"
    return f"回执 {which} 不见了 (receipts are missing)"


def _contradictions(db: Database) -> Iterator[str]:
    """Yield the codes that are not what their receipts say."""
    found = db.execute(_BY_CODE, execution_options={"yield_per": _FETCHED})
    for id_, rows in groupby(found, key=itemgetter(0)):
        history = tuple(rows)
        if (problem := _problem(history)) is not None:
            yield f"卡密 {id_}（{history[0].batch}）: {problem}"


def _problem(history: Sequence[sa.Row[*tuple[Any, ...]]]) -> str | None:
    code = history[0]
    if code.what is None:
        return "没有回执 (a code without receipts)"
    last: str | None = None
    owner = _NOBODY
    for row in history:
        what, _, *named = row[_STEP]
        if what not in _NEXT.get(last, frozenset()):
            return f"回执的顺序不可能是「{last} → {what}」 (impossible order of receipts)"
        if what == "reserved":
            owner = tuple(named)
        if tuple(named) != owner:
            return "回执说它属于另一个订单 (its receipts name two orders)"
        if what == "returned":
            owner = _NOBODY
        last = what
    if code.imported_at != code.at:
        return "导入时间与回执不符 (imported at another time)"
    return _mismatch(code, _STATE[history[-1].what], owner)


def _mismatch(code: _AnyRow, state: str, owner: tuple[object, ...]) -> str | None:
    if code.state != state:
        return f"状态是 {code.state}，回执却说 {state} (its state is not what its receipts say)"
    if (code.of, getattr(code, "for")) != owner:
        return "记着的订单与回执不符 (its order is not that of its receipts)"
    if (state in _GIVEN and None in owner) or (state not in _GIVEN and code.line is not None):
        return "说不清它属于哪个订单 (nobody can tell whose it is)"
    if (code.why is not None) != (state == "quarantined"):
        return "隔离原因与状态不符 (a reason for a quarantine, or none)"
    return None
