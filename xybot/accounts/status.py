"""Where the connection of an account stands; every change is an event, once."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from xybot.errors import Cause
from xybot.events import AccountStatus
from xybot.model import AccountId, AccountState


@attrs.define(eq=False)
class Status:
    """One for each account; outlives the account's tasks."""

    account: AccountId
    _tell: Callable[[AccountStatus], None]
    _now_ms: Callable[[], int]
    now: AccountStatus = attrs.field(init=False)
    """The last change."""

    def __attrs_post_init__(self) -> None:
        at = AccountState.DISCONNECTED
        self.now = AccountStatus(account=self.account, old=at, new=at, reason="", since=0)

    @property
    def state(self) -> AccountState:
        """Where the connection stands."""
        return self.now.new

    @property
    def reason(self) -> str:
        """Why, in words for the seller."""
        return self.now.reason

    @property
    def cause(self) -> Cause | None:
        """Why, for programs."""
        return self.now.cause

    def change(
        self,
        state: AccountState,
        reason: str,
        *,
        cause: Cause | None = None,
        next_try: float | None = None,
    ) -> None:
        """Note and tell a change; what is the case already is not news."""
        if state is self.state and reason == self.reason:
            return
        self.now = AccountStatus(
            account=self.account,
            old=self.state,
            new=state,
            reason=reason,
            cause=cause,
            since=self._now_ms(),
            next_try=next_try,
        )
        self._tell(self.now)
