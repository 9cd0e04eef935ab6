"""Accounts: where they stand, pause and resume, connect anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, TypeAlias

import attrs

from xybot.config import AccountConfig
from xybot.errors import Cause
from xybot.model import AccountId
from xybot.store import accounts
from xybot.store.database import Database
from xybot.web import cursors
from xybot.web.api import shapes
from xybot.web.api.shapes import Account, InAccount
from xybot.web.cursors import Paging
from xybot.web.endpoint import endpoint
from xybot.web.house import House
from xybot.web.problems import Problem
from xybot.web.sending import known

PAUSED: Final = "您暂停了这个账号，恢复后继续 (you paused this account: resume it to go on)"
_NOT_RUNNING: Final = ("not_running", "这个账号没有在运行 (the account is not running)")
_NOT_STOPPED: Final = (
    "not_stopped",
    "这个账号没有停下，无需恢复 (the account is not paused or parked)",
)

Change: TypeAlias = Callable[[Database, AccountId], bool]
"""Changes what the store wants of an account; False: there was nothing to change."""


@attrs.frozen(kw_only=True)
class Accounts:
    """A page of accounts, in the order of bot.toml."""

    items: tuple[Account, ...]
    next: str | None


@endpoint("GET", "/api/v1/accounts", "read")
async def list_accounts(house: House, query: Paging) -> Accounts:
    """列出所有账号和连接状态 (every account, and where its connection stands)."""
    configs, more = cursors.part(house.loaded().config.accounts, query, lambda each: each.id)
    parked = await house.store.read(stopped)
    return Accounts(items=tuple(_shown(house, each, parked) for each in configs), next=more)


@endpoint("GET", "/api/v1/accounts/{account}", "read", refusals=(404,))
async def get_account(house: House, path: InAccount) -> Account:
    """一个账号：状态、原因、下次重试 (one account: state, reason, next try)."""
    config = known(house, path.account)
    return _shown(house, config, await house.store.read(stopped))


@endpoint("POST", "/api/v1/accounts/{account}/pause", "admin", refusals=(404, 409))
async def pause_account(house: House, path: InAccount) -> Account:
    """暂停账号，断开连接，直到恢复；重启也记得 (take it off line until it is resumed)."""
    return await _changed(house, path, partial(accounts.pause, reason=PAUSED), _NOT_RUNNING)


@endpoint("POST", "/api/v1/accounts/{account}/resume", "admin", refusals=(404, 409))
async def resume_account(house: House, path: InAccount) -> Account:
    """让暂停的、或等您处理的账号继续 (let a paused or parked account go on)."""
    return await _changed(house, path, accounts.resume, _NOT_STOPPED)


@endpoint("POST", "/api/v1/accounts/{account}/reconnect", "admin", refusals=(404, 409))
async def reconnect_account(house: House, path: InAccount) -> Account:
    """马上重新连接 (connect anew, at once)."""
    return await _changed(house, path, accounts.redial, _NOT_RUNNING)


async def _changed(
    house: House, path: InAccount, change: Change, refusal: tuple[str, str]
) -> Account:
    config = known(house, path.account)
    if not await house.store.insist(change, path.account):
        raise Problem(409, *refusal)
    house.ring(path.account)
    return _shown(house, config, await house.store.read(stopped))


def stopped(db: Database) -> Mapping[AccountId, Cause]:
    """Return the accounts that are switched on and may not run, and why."""
    return {each.id: each.cause for each in accounts.roster(db).parked}


def _shown(house: House, config: AccountConfig, parked: Mapping[AccountId, Cause]) -> Account:
    return shapes.account(config, house.status(config.id), parked.get(config.id))


ENDPOINTS: Final = (
    list_accounts,
    get_account,
    pause_account,
    resume_account,
    reconnect_account,
)
