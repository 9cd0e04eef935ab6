"""One run of the bot: what its accounts are made of, and what a changed bot.toml does."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import structlog
import trio

from xybot import egress
from xybot.accounts.account import Account
from xybot.accounts.chat import Patience
from xybot.accounts.clock import PlatformClock
from xybot.accounts.pictures import Album
from xybot.accounts.status import Status
from xybot.accounts.supervisor import Supervisor
from xybot.chronicle import Chronicle
from xybot.clock import now_ms
from xybot.config import Loaded, Platform, editing, load
from xybot.config.editing import Edit
from xybot.doorbell import Doorbell
from xybot.errors import ConfigError
from xybot.facts import Facts
from xybot.model import AccountId, Decision, Turn
from xybot.notify import hooks
from xybot.notify.hooks import Hooks, Ready
from xybot.orders.delivery import Delivery, watch
from xybot.orders.follow_ups import FollowingUp
from xybot.orders.reconcile import Reconcile
from xybot.orders.wrapping import Wrapping
from xybot.reload import changed, follow, postponed
from xybot.replies.compose import Composer, composer
from xybot.replies.source import Means
from xybot.secret import Secret
from xybot.store import accounts
from xybot.store.accounts import Setting
from xybot.store.database import Store
from xybot.store.follow_ups import SOURCE
from xybot.tools.offline import offline
from xybot.web.house import House
from xybot.wire.ids import Ids
from xybot.xianyu import session as sessions
from xybot.xianyu.dial import dialler
from xybot.xianyu.mtop import Mtop
from xybot.xianyu.session import Session

if TYPE_CHECKING:
    from xybot.tools.demo import Demo

log = structlog.get_logger()


@attrs.define(eq=False, kw_only=True)
class Bot:
    """One run of the bot, on one configuration after another."""

    path: Path
    loaded: Loaded
    chronicle: Chronicle
    demo: Demo | None
    _composer: Composer
    rng: random.Random = attrs.Factory(random.SystemRandom)
    facts: Facts
    hooks: Hooks
    supervisor: Supervisor = attrs.field(init=False)
    _statuses: dict[AccountId, Status] = attrs.field(factory=dict, init=False)
    _summons: defaultdict[AccountId, Doorbell] = attrs.field(
        factory=lambda: defaultdict(Doorbell), init=False
    )
    _changing: trio.Lock = attrs.field(factory=trio.Lock, init=False)
    _rehearsing: tuple[Loaded, Composer] | None = attrs.field(default=None, init=False)
    """The composer of `xybot.tools.offline`, and the settings that it was made of."""
    _clock: PlatformClock = attrs.field(factory=lambda: PlatformClock(now_ms), init=False)
    """There is one platform, so what one account is told of its time is true for all."""

    def __attrs_post_init__(self) -> None:
        self.supervisor = Supervisor(
            store=self.store, run_account=self._run_account, status_of=self._status, rng=self.rng
        )

    @property
    def store(self) -> Store:
        """Where everything is kept."""
        return self.chronicle.store

    def ring(self, account: AccountId) -> None:
        """Have an account, and its supervisor, look at what the store says of it now."""
        self._summons[account].ring()
        self.supervisor.bell.ring()

    def house(self) -> House:
        """Return what the web side is to know of us."""
        ids = Ids(now_ms, self.rng)
        return House(
            chronicle=self.chronicle,
            loaded=lambda: self.loaded,
            status=lambda account: self._status(account).now,
            ring=self.ring,
            clock=self._clock.now_ms,
            uuid=ids.uuid,
            rehearse=self._rehearse,
            change=self._change,
            now_ms=now_ms,
        )

    async def run(self) -> None:
        """Answer buyers until cancelled."""
        await self._configure()
        log.info("bot.started", accounts=len(self._settings()))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(follow, self.path, self.loaded, self._reload, name="reload")
            nursery.start_soon(self.hooks.serve, name="hooks")
            nursery.start_soon(self.supervisor.run, name="supervisor")
            nursery.start_soon(watch, self.store, self.ring, self._clock.now_ms, name="orders")

    async def _configure(self) -> None:
        await self.store.insist(accounts.configure, self._settings())
        self.supervisor.bell.ring()

    async def _reload(self, loaded: Loaded | ConfigError) -> None:
        try:
            if isinstance(loaded, ConfigError):
                raise loaded
            made, told = self._made_of(loaded)
        except ConfigError as exc:
            log.error("config.refused", reason=str(exc))  # noqa: TRY400  # no bug of ours
        else:
            old, self._composer = self._composer, made
            for warning in made.warnings:
                if warning not in old.warnings:
                    log.warning("config.warning", note=warning)
            self.hooks.take_over(told)
            await self._take_over(loaded)

    def _made_of(self, loaded: Loaded) -> tuple[Composer, tuple[Ready, ...]]:
        """Return who answers and who is told by other settings.

        Raises:
          ConfigError: they cannot be used.
        """
        whole = self.demo.complete(loaded) if self.demo else loaded
        made = composer(whole, means_of(self.chronicle, self.facts))
        return made, hooks.ready(loaded.config.hooks)

    async def _change(self, edit: Edit) -> bool:
        """Edit the settings as they stand on disk, and take over what they say then.

        Raises:
          ConfigError: it cannot be used; nothing is written.
        """
        async with self._changing:  # Or of two who add something, one would undo the other.
            files = edit(await trio.to_thread.run_sync(load, self.path))
            if files is None:
                return False
            settings = editing.settings_of(files)
            secrets = {path: text for path, text in files.items() if path not in settings}
            with editing.written(secrets):
                loaded = await trio.to_thread.run_sync(partial(load, self.path, instead=settings))
                self._made_of(loaded)
                with editing.written(settings):
                    await self._reload(await trio.to_thread.run_sync(load, self.path))
        return True

    async def _rehearse(self, turn: Turn, outside: bool) -> Decision:
        """Decide what would be said to a turn; `outside`: also ask the model, the webhook."""
        composer = self._composer if outside else await self._offline()
        return await composer.decide(turn, now_ms())

    async def _offline(self) -> Composer:
        if self._rehearsing is None or self._rehearsing[0] is not self.loaded:
            means = means_of(self.chronicle, self.facts)
            # Thousands of rules take a while to be made ready.
            made = await trio.to_thread.run_sync(offline, self.loaded, means)
            self._rehearsing = (self.loaded, made)
        return self._rehearsing[1]

    async def _take_over(self, loaded: Loaded) -> None:
        if loaded.config.simulator.enabled and self.demo is None:
            loaded = _with_accounts_of(self.loaded, loaded)
        old, self.loaded = self.loaded, loaded
        now = changed(old.config, loaded.config)
        if now or old.cookies != loaded.cookies:
            log.info("config.reloaded", changed=", ".join(now) or "cookie")
        for name in postponed(old.config, loaded.config):
            log.warning("config.needs_restart", setting=name)
        for warning in loaded.warnings:
            if warning not in old.warnings:
                log.warning("config.warning", note=warning)
        await self._configure()

    # What an account is made of.

    def _platform(self) -> Platform:
        return self.demo.platform if self.demo else self.loaded.config.platform

    def _cookie(self, account: AccountId) -> Secret:
        return self.demo.cookie(account) if self.demo else self.loaded.cookies[account]

    def _settings(self) -> Mapping[AccountId, Setting]:
        enabled = (each.id for each in self.loaded.config.accounts if each.enabled)
        return {id_: self._setting(id_) for id_ in enabled}

    def _setting(self, account: AccountId) -> Setting:
        pasted = _fingerprint(self._cookie(account).reveal())
        platform = self._platform()
        version = _fingerprint(f"{platform.websocket} {platform.gateway} {pasted}")
        return Setting(version=version, pasted=pasted)

    def _status(self, account: AccountId) -> Status:
        if account not in self._statuses:
            self._statuses[account] = Status(account, self.chronicle.note, now_ms)
        return self._statuses[account]

    async def _run_account(self, id_: AccountId, status: Status) -> None:
        async def save(session: Session) -> None:
            await self.store.insist(accounts.save_session, id_, sessions.dumps(session))

        platform, http = self._platform(), egress.Client()
        session = await self._session(id_)
        mtop = Mtop(gateway=platform.gateway, http=http, session=session, save=save, now_ms=now_ms)
        account = Account(
            id=id_,
            chronicle=self.chronicle,
            status=status,
            mtop=mtop,
            album=Album(folder=self.loaded.folder, address=lambda: self._platform().upload),
            dial=dialler(platform.websocket, egress.tls()),
            ids=Ids(now_ms, self.rng),
            decide=self._decide,
            deliver=self._delivery(id_, mtop).serve,
            reconcile=self._reconcile(id_, mtop).serve,
            patience=self._patience,
            now_ms=now_ms,
            clock=self._clock,
            rng=self.rng,
            summons=self._summons[id_],
        )
        with self.facts.through(id_, mtop):
            await account.run()

    def _delivery(self, id_: AccountId, mtop: Mtop) -> Delivery:
        return Delivery(
            account=id_,
            mtop=mtop,
            chronicle=self.chronicle,
            wrapping=Wrapping(
                outside=egress.Outside(), longest=lambda: self.loaded.config.guard.longest
            ),
            goods=lambda: self.loaded.config.goods,
            dry_run=lambda: self._is_rehearsed(id_),
            item=self.facts.of,
            following=self._following(id_, mtop),
            uuid=Ids(now_ms, self.rng).uuid,
            now_ms=self._clock.now_ms,
        )

    def _following(self, id_: AccountId, mtop: Mtop) -> FollowingUp:
        return FollowingUp(
            account=id_,
            mtop=mtop,
            chronicle=self.chronicle,
            follow_ups=lambda: self.loaded.config.follow_ups,
            judge=lambda texts: self._composer.judge(id_, SOURCE, texts),
            longest=lambda: self.loaded.config.guard.longest,
            uuid=Ids(now_ms, self.rng).uuid,
            now_ms=self._clock.now_ms,
        )

    def _reconcile(self, id_: AccountId, mtop: Mtop) -> Reconcile:
        return Reconcile(
            account=id_,
            mtop=mtop,
            chronicle=self.chronicle,
            goods=lambda: self.loaded.config.goods,
            now_ms=self._clock.now_ms,
        )

    def _is_rehearsed(self, id_: AccountId) -> bool:
        config = self.loaded.config
        return config.replies.dry_run or any(
            each.dry_run for each in config.accounts if each.id == id_
        )

    async def _session(self, id_: AccountId) -> Session:
        stored = await self.store.insist(accounts.session, id_)
        if stored is not None:
            return sessions.loads(stored)
        return sessions.new_session(self._cookie(id_), self.rng)

    async def _decide(self, turn: Turn, now: int) -> Decision:
        return await self._composer.decide(turn, now)

    def _patience(self) -> Patience:
        timing, replies = self.loaded.config.timing, self.loaded.config.replies
        return Patience(
            debounce=timing.debounce,
            debounce_max=timing.debounce_max,
            heartbeat_interval=timing.heartbeat_interval,
            heartbeat_timeout=timing.heartbeat_timeout,
            manual_pause=timing.manual_pause,
            toggle_word=replies.toggle_word.strip(),
            message_expiry=timing.message_expiry,
            catch_up_every=timing.catch_up_every,
            send_pace=timing.send_pace,
            thinking=replies.at_once,
            max_failures=timing.max_failures,
        )


def means_of(chronicle: Chronicle, facts: Facts) -> Means:
    """Return what reply sources may use."""
    return Means(
        store=chronicle.store,
        facts=facts.of,
        outside=egress.Outside(),
        now_ms=now_ms,
        note=chronicle.note,
    )


def _with_accounts_of(old: Loaded, new: Loaded) -> Loaded:
    """Return the new settings with the old accounts: the simulator comes with a restart."""
    config = attrs.evolve(new.config, accounts=old.config.accounts)
    return attrs.evolve(new, config=config, cookies=old.cookies)


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
