"""Runs the accounts that should run: one child task each, and one loop.

The loop compares what the store wants with what is running, and starts or cancels the
difference.  Starting, stopping, parking, resuming and taking over changed settings are
therefore one act: change a row, ring the bell.  Another process (`xybot resume`) cannot
ring it, so the loop looks at the store every few seconds as well.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

import attrs
import structlog
import trio

from xybot.accounts.backoff import Backoff
from xybot.accounts.status import Status
from xybot.doorbell import Doorbell
from xybot.errors import (
    AttentionRequired,
    Cause,
    LoginRequired,
    SessionTaken,
    VerificationRequired,
    cause_of,
    first_error,
)
from xybot.model import AccountId, AccountState
from xybot.store import accounts
from xybot.store.accounts import Parked, Roster, Wanted
from xybot.store.database import Store

log = structlog.get_logger()

STOPPED: Final = "退出或停用 (the bot ended, or the account was switched off)"


@attrs.define(eq=False, kw_only=True)
class Supervisor:
    """The only owner of account tasks."""

    store: Store
    run_account: Callable[[AccountId, Status], Awaitable[None]]
    status_of: Callable[[AccountId], Status]
    rng: random.Random
    bell: Doorbell = attrs.Factory(Doorbell)
    look_every: float = 3
    """Seconds until the store is looked at though nobody rang."""
    _running: dict[Wanted, trio.CancelScope] = attrs.field(factory=dict, init=False)
    _parked: set[AccountId] = attrs.field(factory=set, init=False)

    async def run(self) -> NoReturn:
        """Keep what runs equal to what is wanted, until cancelled."""
        async with trio.open_nursery() as nursery:
            while True:
                roster = await self.store.insist(accounts.roster)
                self._tell(roster)
                wanted = roster.wanted
                for account in self._running.keys() - wanted:
                    self._running[account].cancel()
                busy = {account.id for account in self._running}
                for account in wanted - self._running.keys():
                    if account.id not in busy:  # Its earlier self is still leaving.
                        await nursery.start(self._supervise, account, name=f"account {account.id}")
                with trio.move_on_after(self.look_every):
                    await self.bell.wait()
        raise AssertionError("the loop never ends")

    def _tell(self, roster: Roster) -> None:
        """Tell of parked accounts: of those that were so before the start, and that are gone."""
        for each in roster.parked:
            self._tell_parked(each)
        # One that runs says itself when it has ended; a parked one has nobody else.
        on = {each.id for each in roster.wanted} | {each.id for each in roster.parked}
        for id_ in self._parked - on:
            self.status_of(id_).change(AccountState.CLOSED, STOPPED, cause=Cause.STOPPED)
        self._parked &= on

    def _tell_parked(self, parked: Parked) -> None:
        self._parked.add(parked.id)
        # An account that its seller paused is as it should be; any other needs them.
        wished = parked.cause is Cause.PAUSED
        state = AccountState.CLOSED if wished else AccountState.FAILED
        self.status_of(parked.id).change(state, parked.reason, cause=parked.cause)

    async def _supervise(
        self, account: Wanted, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        status = self.status_of(account.id)
        with trio.CancelScope() as scope:
            self._running[account] = scope
            self._parked.discard(account.id)
            task_status.started()
            try:
                await self._restart_until_parked(account.id, status)
            finally:
                del self._running[account]
                self.bell.ring()
                if account.id not in self._parked:  # Of those it has been told.
                    status.change(AccountState.CLOSED, STOPPED, cause=Cause.STOPPED)

    async def _restart_until_parked(self, account: AccountId, status: Status) -> None:
        backoff = Backoff(self.rng, first=5, longest=300)
        parked: Parked | None = None
        while parked is None:
            try:
                await self.run_account(account, status)
            except* AttentionRequired as group:
                parked = Parked(account, needed(account, group), cause_of(group))
            except* Exception as group:
                # An account is a failure domain: its crash is logged, and its own.
                log.exception("account.crashed", account=account, exc_info=group)
            if parked is None:
                delay, words = next(backoff), "程序内部错误 (an error of ours)"
                status.change(AccountState.RECONNECTING, words, cause=Cause.BUG, next_try=delay)
                await trio.sleep(delay)
        self._tell_parked(parked)
        # It must not dial before this is stored.
        await self.store.insist(accounts.park, parked.id, parked.reason, parked.cause)


def needed(account: AccountId, group: BaseExceptionGroup[AttentionRequired]) -> str:
    """Say what the seller has to do, Chinese first; an address stands last, to be copied."""
    first, resume = first_error(group), f"xybot resume {account}"
    match first:
        case VerificationRequired(url=url):
            where = f": {url}" if url else ""
            return (
                f"平台要求人工验证，已停止一切请求；请在浏览器打开并完成验证，然后运行 {resume} "
                f"(the platform wants a person: verify in a browser, then run {resume}){where}"
            )
        case LoginRequired():
            return (
                f"登录失效，请重新登录并粘贴新的 cookie；cookie 没变则运行 {resume} "
                f"(log in again and paste the new cookie, or run {resume}): {first}"
            )
        case SessionTaken():
            return (
                f"账号在别处登录，已停下以免互踢；退出别处的登录后运行 {resume} "
                f"(logged in elsewhere, not fighting: log out there, then run {resume}): {first}"
            )
    return f"需要卖家处理，之后运行 {resume} (needs its seller, then run {resume}): {first}"
