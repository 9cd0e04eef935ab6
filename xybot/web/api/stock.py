"""Codes that are sold: how many there are, and what became of one."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Final

import attrs
from msgspec import Meta

from xybot.model import AccountId, OrderId
from xybot.store import codes, receipts
from xybot.store.codes import Found
from xybot.store.database import Database
from xybot.store.receipts import Receipt
from xybot.web.api.shapes import Ms
from xybot.web.endpoint import endpoint
from xybot.web.house import House


@attrs.frozen(kw_only=True)
class Batch:
    """How many codes of a batch there are."""

    batch: str
    imported: int
    """unused + reserved + sent + quarantined."""
    unused: int
    reserved: int
    sent: int
    quarantined: int
    sent_lately: int
    """In the last seven days."""
    days_left: int | None
    """For how many days they last if they sell as lately; null: none were sold."""


@attrs.frozen(kw_only=True)
class Stock:
    """Every batch of codes, by name."""

    items: tuple[Batch, ...]


@attrs.frozen(kw_only=True)
class CodeSought:
    """A code."""

    code: Annotated[str, Meta(min_length=1, max_length=5000)] = attrs.field(repr=False)
    batch: Annotated[str, Meta(max_length=200)] = ""
    """Only in this batch."""


@attrs.frozen(kw_only=True)
class CodeReceipt:
    """One thing that happened to a code."""

    what: Annotated[
        str,
        Meta(
            description="imported · reserved · returned · sent · seen · confirmed · quarantined",
        ),
    ]
    at: Ms
    account: AccountId | None
    order: OrderId | None


@attrs.frozen(kw_only=True)
class CodeFound:
    """Where a code is, and what became of it."""

    batch: str
    state: Annotated[str, Meta(description="unused · reserved · sent · quarantined")]
    account: AccountId | None
    order: OrderId | None
    why: str | None
    """It is quarantined."""
    receipts: tuple[CodeReceipt, ...]


@attrs.frozen(kw_only=True)
class CodeHistory:
    """A code in each batch that has it; none does: it is not ours."""

    items: tuple[CodeFound, ...]


@endpoint("GET", "/api/v1/stock", "read")
async def get_stock(house: House) -> Stock:
    """卡密库存：没用的、留着的、发出的、隔离的 (codes, by batch and by what became of them)."""
    found = await house.store.read(partial(codes.stock, now=house.now_ms()))
    return Stock(items=tuple(map(_batch, found)))


def _batch(found: codes.Stock) -> Batch:
    return Batch(
        batch=found.batch,
        imported=found.imported,
        unused=found.unused,
        reserved=found.reserved,
        sent=found.sent,
        quarantined=found.quarantined,
        sent_lately=found.sent_lately,
        days_left=found.days_left,
    )


@endpoint("POST", "/api/v1/codes/history", "admin")
async def code_history(house: House, body: CodeSought) -> CodeHistory:
    """一条卡密的来龙去脉 (what became of a code).

    The code is in the body, not in the address: addresses are kept in logs.
    """
    found = await house.store.read(history, body.code, body.batch or None)
    return CodeHistory(items=tuple(_found(code, told) for code, told in found))


def history(
    db: Database, code: str, batch: str | None
) -> tuple[tuple[Found, tuple[Receipt, ...]], ...]:
    """Return where a code is, and its receipts."""
    found = codes.find(db, code, batch)
    return tuple((each, receipts.of(db, each.id)) for each in found)


def _found(code: Found, told: tuple[Receipt, ...]) -> CodeFound:
    return CodeFound(
        batch=code.batch,
        state=code.state,
        account=code.account,
        order=code.order,
        why=code.why,
        receipts=tuple(CodeReceipt(**attrs.asdict(each)) for each in told),
    )


ENDPOINTS: Final = (get_stock, code_history)
