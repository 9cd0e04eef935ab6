"""The budget of a model: counted with each call, for a chat and for an account."""

from __future__ import annotations

import sqlalchemy as sa

from tests.store.samples import NOW, OTHER, SHOP
from xybot.model import AccountId, ChatId
from xybot.store import ai_calls
from xybot.store.ai_calls import DAY, Budget
from xybot.store.database import Database, Store
from xybot.store.schema import ai_calls as table

LIMITS = Budget(account=3, chat=2)


async def admit(
    store: Store,
    chat: str = "a",
    *,
    account: AccountId = SHOP,
    at: int = NOW,
    budget: Budget = LIMITS,
) -> str | None:
    return await store.transact(ai_calls.admit, account, ChatId(chat), budget, now=at)


async def test_a_call_is_counted_until_a_budget_is_used_up(store: Store) -> None:
    said = [await admit(store, chat) for chat in ("a", "a", "a", "b", "b", "a")]
    assert said == [None, None, "chat", None, "account", "account"]
    assert await admit(store, account=OTHER) is None


async def test_a_call_counts_for_a_day_and_is_then_forgotten(store: Store) -> None:
    await admit(store, at=NOW)
    await admit(store, at=NOW + 1)
    assert await admit(store, at=NOW + DAY - 1) == "chat"
    assert await admit(store, at=NOW + DAY) is None
    assert await store.transact(_rows) == 2


async def test_zero_is_no_limit(store: Store) -> None:
    free = Budget(account=0, chat=0)
    assert {await admit(store, budget=free) for _ in range(20)} == {None}
    assert await store.transact(_rows) == 20


def _rows(db: Database) -> int:
    return db.scalar(sa.select(sa.func.count()).select_from(table))
