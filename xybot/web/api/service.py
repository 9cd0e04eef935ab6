"""The program itself: is it ready, what do the numbers say, who is told of events."""

from __future__ import annotations

from typing import Final, Literal

import attrs
from starlette.responses import Response

from xybot.errors import Cause
from xybot.model import AccountId, AccountState
from xybot.store import hooks, overview
from xybot.store.hooks import Progress
from xybot.web.api.accounts import stopped
from xybot.web.api.shapes import Ms
from xybot.web.endpoint import endpoint
from xybot.web.house import House
from xybot.web.metrics import MEDIA_TYPE, Metrics


@attrs.frozen(kw_only=True)
class NotReady:
    """An account that is not on line, and why."""

    account: AccountId
    state: str
    reason: str
    cause: str | None


@attrs.frozen(kw_only=True)
class Readiness:
    """Every account that should be on line is."""

    ready: Literal[True] = True


@attrs.frozen(kw_only=True)
class Unreadiness:
    """Some account that should be on line is not."""

    accounts: tuple[NotReady, ...]
    ready: Literal[False] = False


@attrs.frozen(kw_only=True)
class HookShown:
    """A service that is told of events."""

    host: str
    events: tuple[str, ...]
    accounts: tuple[str, ...]
    behind: int
    """How many events it has not been told of yet."""
    tries: int
    """How often the next one was tried in vain."""
    next_at: Ms | None
    trouble: str | None
    """What the last try ended with; null when all is well."""


@attrs.frozen(kw_only=True)
class HooksShown:
    """Every service that is told of events."""

    items: tuple[HookShown, ...]


@endpoint("GET", "/ready", "read", others={503: Unreadiness})
async def ready(house: House) -> Readiness | Unreadiness:
    """每个账号都在线吗；不在线的为什么 (is every account on line; which is not, and why).

    Answers 200 when all are, 503 when one is not.  Accounts that are switched off or paused by
    their seller do not count.
    """
    parked = await house.store.read(stopped)
    found = []
    for config in house.loaded().config.accounts:
        status = house.status(config.id)
        wanted = config.enabled and parked.get(config.id) is not Cause.PAUSED
        if wanted and status.new is not AccountState.CONNECTED:
            cause = status.cause.value if status.cause else None
            found.append(
                NotReady(
                    account=config.id, state=status.new.value, reason=status.reason, cause=cause
                )
            )
    return Unreadiness(accounts=tuple(found)) if found else Readiness()


@endpoint("GET", "/metrics", "read", media=MEDIA_TYPE)
async def get_metrics(house: House, metrics: Metrics) -> Response:
    """给 Prometheus 的数字 (numbers for Prometheus)."""
    up = {
        each.id: house.status(each.id).new is AccountState.CONNECTED
        for each in house.loaded().config.accounts
    }
    depths = await house.store.read(overview.depths)
    text = metrics.text(up, depths, house.stream.listeners)
    return Response(text, media_type=MEDIA_TYPE)


@endpoint("GET", "/api/v1/hooks", "read")
async def list_hooks(house: House) -> HooksShown:
    """事件推送给谁、推到哪里、有没有问题 (who is told of events, and how far)."""
    known = await house.store.read(hooks.all_of)
    newest = house.chronicle.newest
    return HooksShown(
        items=tuple(
            _hook(each.host, each.events, each.accounts, known.get(each.name), newest)
            for each in house.loaded().config.hooks
        )
    )


def _hook(
    host: str,
    events: tuple[str, ...],
    accounts: tuple[AccountId, ...],
    at: Progress | None,
    newest: int,
) -> HookShown:
    at = at or Progress(cursor=newest)
    return HookShown(
        host=host,
        events=events,
        accounts=tuple(accounts),
        behind=max(0, newest - at.cursor),
        tries=at.tries,
        next_at=at.next_at or None,
        trouble=at.trouble,
    )


ENDPOINTS: Final = (ready, get_metrics, list_hooks)
