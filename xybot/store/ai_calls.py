"""Questions to a model: how many were asked, so that nobody's budget is a surprise."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import attrs
import sqlalchemy as sa

from xybot.model import AccountId, ChatId
from xybot.store.database import Database
from xybot.store.schema import ai_calls

DAY: Final = 86_400_000
"""Milliseconds that a call counts."""

Spent: TypeAlias = Literal["account", "chat"]
"""Whose budget is used up."""


@attrs.frozen(kw_only=True)
class Budget:
    """Calls within 24 hours; 0 is no limit."""

    account: int
    chat: int


_MINE: Final = ai_calls.c.account == sa.bindparam("of")
_OLD: Final = sa.delete(ai_calls).where(_MINE, ai_calls.c.at <= sa.bindparam("until"))
_COUNT: Final = sa.select(
    sa.func.count(), sa.func.count().filter(ai_calls.c.chat == sa.bindparam("in"))
).where(_MINE)


def admit(
    db: Database, account: AccountId, chat: ChatId, budget: Budget, *, now: int
) -> Spent | None:
    """Count one more call, unless a budget is used up; then say which, and count nothing.

    A call counts when it is admitted, whatever becomes of it: it may have to be paid for.
    """
    db.execute(_OLD, {"of": account, "until": now - DAY})
    of_account, of_chat = db.execute(_COUNT, {"of": account, "in": chat}).one()
    if budget.account and of_account >= budget.account:
        return "account"
    if budget.chat and of_chat >= budget.chat:
        return "chat"
    db.execute(sa.insert(ai_calls).values(account=account, chat=chat, at=now))
    return None
