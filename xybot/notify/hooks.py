"""Events, posted to the seller's own services: in order, signed, again until they are taken.

A service gets `POST url` with the event as JSON (as in `GET /api/v1/events`) and the headers

* `X-Xybot-Event`: its type; `X-Xybot-Id`: its number, which never comes twice and grows;
* `X-Xybot-Timestamp`: seconds since 1970; a service should refuse what is five minutes old;
* `X-Xybot-Signature`: `sha256=` and the hex HMAC-SHA256 of `timestamp.body` under the secret.

Any 2xx is a yes.  All else is tried again, later and later, for a day; what is refused as wrong
(4xx) is given up after a few tries.  Meanwhile nothing newer is posted to that service, so it
sees everything in order; other hooks go on.  An event may come twice (when a yes is lost).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable
from typing import Final

import attrs
import structlog
import trio

from xybot.chronicle import Chronicle
from xybot.config import Hook
from xybot.doorbell import Doorbell
from xybot.egress import Asked, Outside
from xybot.errors import ConfigError, TransientError
from xybot.events import KINDS
from xybot.secret import Secret
from xybot.store import events, hooks
from xybot.store.events import Recorded
from xybot.store.hooks import Progress

log = structlog.get_logger()

_AT_ONCE: Final = 100
"""Events that are read in one go."""
_FIRST: Final = 1.0
_LONGEST: Final = 300.0
_FOR: Final = 86_400_000
"""Milliseconds for which an event is tried; the events behind it wait for so long."""
_REFUSED: Final = range(400, 500)
_LATER: Final = frozenset({408, 409, 425, 429})
"""Statuses of 400 and more that mean: not now."""
_TRIES: Final = 5
"""How often what is refused as wrong is tried."""
_FAMILIES: Final = frozenset(f"{kind.name.partition('.')[0]}.*" for kind in KINDS)
_NAMES: Final = frozenset(kind.name for kind in KINDS)


@attrs.frozen(kw_only=True)
class Ready:
    """A hook of bot.toml, ready to be told."""

    setting: Hook
    secret: Secret

    @property
    def name(self) -> str:
        """What it is known by."""
        return self.setting.name

    def wants(self, event: Recorded) -> bool:
        """Tell whether an event is posted here."""
        setting, family = self.setting, f"{event.name.partition('.')[0]}.*"
        if setting.accounts and event.account not in setting.accounts:
            return False
        return not setting.events or event.name in setting.events or family in setting.events


def ready(settings: Iterable[Hook]) -> tuple[Ready, ...]:
    """Make the hooks of bot.toml ready.

    Raises:
      ConfigError: a secret cannot be read, or an event has no such name.
    """
    made = []
    for n, hook in enumerate(settings):
        if unknown := sorted(set(hook.events) - _NAMES - _FAMILIES):
            known = ", ".join(sorted(_NAMES))
            raise ConfigError(
                f"hooks[{n}].events（第 {n + 1} 条）: 没有这种事件 {unknown[0]}，可用："
                f"{known} (no such event; known: {known})"
            )
        made.append(Ready(setting=hook, secret=hook.secret.resolve()))
    return tuple(made)


@attrs.define(eq=False, kw_only=True)
class Hooks:
    """Tells every hook what happens."""

    chronicle: Chronicle
    outside: Outside
    now_ms: Callable[[], int]
    _ready: tuple[Ready, ...] = ()
    _changed: Doorbell = attrs.field(factory=Doorbell, init=False)

    def take_over(self, changed: tuple[Ready, ...]) -> None:
        """Go on with other settings."""
        if changed != self._ready:
            self._ready = changed
            self._changed.ring()

    async def serve(self) -> None:
        """Post events until cancelled."""
        while True:
            async with trio.open_nursery() as nursery:
                for hook in self._ready:
                    nursery.start_soon(self._follow, hook, name=f"hook {hook.name}")
                await self._changed.wait()
                nursery.cancel_scope.cancel()

    async def _follow(self, hook: Ready) -> None:
        store, newest = self.chronicle.store, self.chronicle.newest
        at = await store.insist(hooks.progress, hook.name, newest=newest)
        while True:
            await self.chronicle.wait_beyond(at.cursor)
            for event in await store.read(events.after, at.cursor, most=_AT_ONCE):
                at = await self._tell(hook, event, at)
            await store.insist(hooks.keep, hook.name, at)

    async def _tell(self, hook: Ready, event: Recorded, at: Progress) -> Progress:
        """Post an event until it is taken, or given up; return where the hook stands then."""
        done = Progress(cursor=event.id)
        if not hook.wants(event):
            return done
        while True:
            await trio.sleep(max(0, at.next_at - self.now_ms()) / 1000)
            answer = await self._post(hook, event)
            if isinstance(answer, int) and answer // 100 == 2:  # any yes
                if at.trouble:
                    log.info("hook.back", account=event.account, hook=hook.setting.host)
                await self.chronicle.store.insist(hooks.keep, hook.name, done)
                return done
            tries = at.tries + 1
            said = f"HTTP {answer}" if isinstance(answer, int) else answer
            if _is_hopeless(answer, tries) or self.now_ms() - event.at > _FOR:
                log.error(
                    "hook.gave_up", account=event.account, hook=hook.setting.host, reason=said
                )
                return done
            if not at.trouble:
                log.warning(
                    "hook.failed", account=event.account, hook=hook.setting.host, reason=said
                )
            pause = min(_FIRST * 2 ** (tries - 1), _LONGEST)
            at = Progress(
                cursor=event.id - 1,
                tries=tries,
                next_at=self.now_ms() + round(1000 * pause),
                trouble=said,
            )
            await self.chronicle.store.insist(hooks.keep, hook.name, at)

    async def _post(self, hook: Ready, event: Recorded) -> int | str:
        """Return the status of the answer, or why there was none."""
        body = event.envelope.encode("utf-8", "replace")
        at = str(self.now_ms() // 1000)
        asked = Asked(
            url=hook.setting.url,
            body=body,
            headers={
                "X-Xybot-Event": event.name,
                "X-Xybot-Id": str(event.id),
                "X-Xybot-Timestamp": at,
                "X-Xybot-Signature": f"sha256={signature(hook.secret, at, body)}",
            },
            timeout=hook.setting.timeout,
        )
        try:
            # Whatever it says beside its status is of no interest.
            return (await self.outside.stream_json(asked, lambda _: False)).status
        except TransientError as exc:
            return str(exc)


def signature(secret: Secret, timestamp: str, body: bytes) -> str:
    """Return what proves that a post is ours, and when it was made."""
    signed = timestamp.encode() + b"." + body
    return hmac.new(secret.reveal().encode(), signed, hashlib.sha256).hexdigest()


def _is_hopeless(answer: int | str, tries: int) -> bool:
    refused = isinstance(answer, int) and answer in _REFUSED and answer not in _LATER
    return refused and tries >= _TRIES
