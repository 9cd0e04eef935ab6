"""Runs the accounts that should run: one child task each, and one loop.

The loop compares what the store wants with what is running, and starts or cancels the
difference.  Starting, stopping, parking, resuming and taking over changed settings are
therefore one act: change a row, ring the bell.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

import attrs
import structlog
import trio

from xybot.accounts.backoff import Backoff
from xybot.accounts.doorbell import Doorbell
from xybot.accounts.status import Status
from xybot.errors import (
    AttentionRequired,
    LoginRequired,
    SessionTaken,
    StoreUnavailable,
    VerificationRequired,
    first_error,
)
from xybot.model import AccountId, AccountState
from xybot.store import accounts
from xybot.store.accounts import Wanted
from xybot.store.database import Store

log = structlog.get_logger()

STOPPED: Final = "退出或停用 (the bot ended, or the account was switched off)"
_STORE_AGAIN: Final = 5.0
"""Seconds between attempts to reach a store that is not available."""


@attrs.define(eq=False, kw_only=True)
class Supervisor:
    """The only owner of account tasks."""

    store: Store
    run_account: Callable[[AccountId, Status], Awaitable[None]]
    status_of: Callable[[AccountId], Status]
    rng: random.Random
    bell: Doorbell = attrs.Factory(Doorbell)
    _running: dict[Wanted, trio.CancelScope] = attrs.field(factory=dict, init=False)

    async def run(self) -> NoReturn:
        """Keep what runs equal to what is wanted, until cancelled."""
        async with trio.open_nursery() as nursery:
            while True:
                wanted = await self._wanted()
                for account in self._running.keys() - wanted:
                    self._running[account].cancel()
                busy = {account.id for account in self._running}
                for account in wanted - self._running.keys():
                    if account.id not in busy:  # Its earlier self is still leaving.
                        await nursery.start(self._supervise, account, name=f"account {account.id}")
                await self.bell.wait()
        raise AssertionError("the loop never ends")

    async def _wanted(self) -> frozenset[Wanted]:
        while True:
            try:
                return await self.store.transact(accounts.wanted)
            except StoreUnavailable as exc:
                log.warning("store.unavailable", reason=str(exc))
                await trio.sleep(_STORE_AGAIN)

    async def _supervise(
        self, account: Wanted, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        status = self.status_of(account.id)
        with trio.CancelScope() as scope:
            self._running[account] = scope
            task_status.started()
            parked = False
            try:
                await self._restart_until_parked(account.id, status)
                parked = True
            finally:
                del self._running[account]
                self.bell.ring()
                if not parked:
                    status.change(AccountState.CLOSED, STOPPED)

    async def _restart_until_parked(self, account: AccountId, status: Status) -> None:
        backoff = Backoff(self.rng, first=5, longest=300)
        parked: str | None = None
        while parked is None:
            try:
                await self.run_account(account, status)
            except* AttentionRequired as group:
                parked = needed(group)
            except* Exception as group:
                # An account is a failure domain: its crash is logged, and its own.
                log.exception("account.crashed", account=account, exc_info=group)
            if parked is None:
                delay = next(backoff)
                status.change(
                    AccountState.RECONNECTING, "程序内部错误 (an error of ours)", next_try=delay
                )
                await trio.sleep(delay)
        status.change(AccountState.FAILED, parked)
        await self._park(account, parked)

    async def _park(self, account: AccountId, reason: str) -> None:
        """Store that an account waits for its seller; it must not dial before that."""
        while True:
            try:
                return await self.store.transact(accounts.park, account, reason)
            except StoreUnavailable:
                await trio.sleep(_STORE_AGAIN)


def needed(group: BaseExceptionGroup[AttentionRequired]) -> str:
    """Say what the seller has to do."""
    first = first_error(group)
    match first:
        case VerificationRequired(url=url):
            where = f"，请在浏览器打开并完成验证 (open this and verify): {url}" if url else ""
            return f"平台要求人工验证 (the platform wants a person){where}"
        case LoginRequired():
            return (
                f"登录失效，请重新登录并更新 cookie (log in again, paste the new cookie): {first}"
            )
        case SessionTaken():
            return f"账号在别处登录，已停止以免互踢 (logged in elsewhere, not fighting): {first}"
    return str(first)
