"""A supplier of the seller's as the source of goods: asked again with the same key, never twice.

A supplier gets `POST url` with `order_id item_id item_title spec quantity send_user_name` as
JSON, and the headers

* `Idempotency-Key`: the same for every try of an order, also after a restart; a supplier must
  give the same goods for the same key;
* `Authorization: Bearer …`, where a key is set.

Any 2xx whose JSON has the goods where `answer` says is a success.  408, 425, 429, 5xx and an
answer that never came are tried again, later and later; any other 4xx is a no.  All else is a
doubt: perhaps there were goods, so a person has to look.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import attrs
import msgspec
import trio

from xybot.config import Supplier
from xybot.egress import Answer, Outside
from xybot.errors import TransientError
from xybot.orders.contents import Sale
from xybot.secret import Secret

_FIRST: Final = 1.0
"""Seconds before the second try; twice as many before each that follows."""
_LONGEST: Final = 30.0
_LATER: Final = frozenset({408, 425, 429})
"""Statuses below 500 that mean: not now."""
_LARGEST: Final = 20_000
"""Characters of what is given for one order; more is no code but a mistake."""


@attrs.frozen
class Supplied:
    """The goods, in their order."""

    codes: tuple[str, ...] = attrs.field(repr=False)


@attrs.frozen
class Doubt:
    """Nobody knows whether the supplier gave anything, and why."""

    reason: str


@attrs.frozen
class Refused:
    """The supplier gives nothing for this order, and why."""

    reason: str


Outcome: TypeAlias = Supplied | Doubt | Refused


async def ask(outside: Outside, supplier: Supplier, sale: Sale, key: Secret | None) -> Outcome:
    """Ask a supplier for the goods of an order, as often as its settings allow.

    Args:
      outside: the world; no cookie is known there.
      supplier: its settings.
      sale: the order.
      key: what `supplier.key` resolves to.
    """
    headers = {"Idempotency-Key": idempotency_key(sale)}
    if key is not None:
        headers["Authorization"] = f"Bearer {key.reveal()}"
    for n in range(supplier.retries):
        outcome = await _try(outside, supplier, sale, headers)
        if not isinstance(outcome, _NotNow):
            return outcome
        await trio.sleep(min(max(_FIRST * 2**n, outcome.pause), _LONGEST))
    outcome = await _try(outside, supplier, sale, headers)
    if isinstance(outcome, _NotNow):
        return Doubt(f"试了 {supplier.retries + 1} 次 (tries): {outcome.reason}")
    return outcome


def idempotency_key(sale: Sale) -> str:
    """Return what tells the order of an account from all others; the same whenever it is asked."""
    return hashlib.sha256(json.dumps([sale.account, sale.order_id]).encode()).hexdigest()[:40]


def fields(sale: Sale) -> Mapping[str, str | int]:
    """Return what a supplier is told of an order."""
    return {
        "order_id": sale.order_id,
        "item_id": sale.item_id,
        "item_title": sale.item_title,
        "spec": sale.spec,
        "quantity": sale.quantity,
        "send_user_name": sale.send_user_name,
    }


@attrs.frozen
class _NotNow:
    """It is to be asked again."""

    reason: str
    pause: float = 0.0
    """Seconds after which it said so."""


async def _try(
    outside: Outside, supplier: Supplier, sale: Sale, headers: Mapping[str, str]
) -> Outcome | _NotNow:
    try:
        answer = await outside.post_json(
            supplier.url, fields(sale), headers=headers, timeout=supplier.timeout
        )
    except TransientError as exc:
        return _NotNow(str(exc))
    return _read(answer, supplier.answer, sale.quantity)


def _read(answer: Answer, path: str, quantity: int) -> Outcome | _NotNow:
    status = answer.status
    if status in _LATER or status >= 500:  # the server's own trouble
        wanted = answer.retry_after.strip()
        plain = wanted.isascii() and wanted.isdecimal()
        return _NotNow(f"HTTP {status}", float(wanted) if plain else 0.0)
    match status // 100:
        case 2:
            return _goods(answer.body, path, quantity)
        case 4:
            return Refused(f"HTTP {status}")
        case _:
            return Doubt(f"看不懂的回答 (a strange answer): HTTP {status}")


def _goods(body: bytes, path: str, quantity: int) -> Supplied | Doubt:
    """Return the goods in an answer; what is wrong with it is said without a word of it."""
    try:
        found: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return Doubt("回答不是 JSON (its answer is not JSON)")
    for step in path.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    codes = [found] if isinstance(found, str) else found
    if not isinstance(codes, list) or not codes or not all(map(_is_code, codes)):
        return Doubt(f"回答的 {path} 不是文字，或者是空的 (no text at {path} in its answer)")
    if isinstance(found, list) and len(codes) < quantity:
        return Doubt(
            f"要 {quantity} 份，只给了 {len(codes)} 份 ({len(codes)} given for {quantity})"
        )
    if sum(map(len, codes)) > _LARGEST:
        return Doubt(f"给的内容太长，超过 {_LARGEST} 字 (more than {_LARGEST} characters)")
    return Supplied(tuple(codes))


def _is_code(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
