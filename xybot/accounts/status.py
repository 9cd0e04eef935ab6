"""Where the connection of an account stands; every change is an event, once."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from xybot.errors import Cause
from xybot.events import AccountStatus, EventFeed
from xybot.model import AccountId, AccountState


@attrs.define(eq=False)
class Status:
    """One for each account; outlives the account's tasks."""

    account: AccountId
    _feed: EventFeed
    _now_ms: Callable[[], int]
    state: AccountState = AccountState.DISCONNECTED
    reason: str = ""
    cause: Cause | None = None
    since: int = 0

    def change(
        self,
        state: AccountState,
        reason: str,
        *,
        cause: Cause | None = None,
        next_try: float | None = None,
    ) -> None:
        """Note and publish a change; what is the case already is not news."""
        if state is self.state and reason == self.reason:
            return
        old, self.state, self.reason, self.cause = self.state, state, reason, cause
        self.since = self._now_ms()
        self._feed.publish(
            AccountStatus(
                account=self.account,
                old=old,
                new=state,
                reason=reason,
                cause=cause,
                since=self.since,
                next_try=next_try,
            )
        )
