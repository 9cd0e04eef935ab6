"""Opens everything in order, and ties the rooms together; the root nursery."""

from __future__ import annotations

import hashlib
import importlib
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import attrs
import filelock
import structlog
import trio
from cyclopts import Parameter

from xybot import egress, journal
from xybot.accounts.account import Account
from xybot.accounts.chat import Patience
from xybot.accounts.status import Status
from xybot.accounts.supervisor import Supervisor
from xybot.config import Loaded, Platform, Web, load
from xybot.errors import ConfigError
from xybot.events import EventFeed
from xybot.model import AccountId, Decision, Turn
from xybot.reload import changed, follow, postponed
from xybot.replies.compose import Composer, composer
from xybot.secret import Secret
from xybot.store import accounts
from xybot.store.accounts import Setting
from xybot.store.database import Store, open_store
from xybot.tools.demo import Demo, open_demo
from xybot.wire.ids import Ids
from xybot.xianyu import session as sessions
from xybot.xianyu.connection import dialler
from xybot.xianyu.mtop import Mtop
from xybot.xianyu.session import Session

log = structlog.get_logger()


def now_ms() -> int:
    """Return the time of this machine's clock: milliseconds since 1970."""
    return time.time_ns() // 1_000_000


async def command(
    *,
    config: Path = Path("bot.toml"),
    log_format: journal.LogFormat = "text",
    log_level: Annotated[journal.Level, Parameter(show_default=True)] = "info",
) -> int:
    """回复买家，直到按下 Ctrl-C (answer buyers until Ctrl-C).

    Args:
      config: 设置文件 (the settings).
      log_format: 日志格式 (text for people, json for machines).
      log_level: 日志级别 (how much is told).
    """
    journal.configure(log_format, log_level)
    await run(config)
    return 0


async def run(path: Path) -> None:
    """Run the bot until SIGINT or SIGTERM, or until cancelled.

    Raises:
      ConfigError: something in bot.toml, or around it, makes a start impossible; perhaps
        within an exception group.
    """
    loaded = load(path)
    for warning in loaded.warnings:
        log.warning("config.warning", note=warning)
    async with trio.open_nursery() as nursery:
        await nursery.start(_stop_on_signal, nursery.cancel_scope)
        with _own_folder(loaded) as database:
            simulator = loaded.config.simulator
            demo_or_none = open_demo(simulator) if simulator.enabled else nullcontext()
            async with open_store(database) as store:
                sources = composer(loaded.config, store)  # A bad rule is told before anything runs.
                async with _web(loaded.config.web), demo_or_none as demo:
                    bot = Bot(path=path, loaded=loaded, store=store, demo=demo, composer=sources)
                    await bot.run()


@asynccontextmanager
async def _web(wanted: Web | None) -> AsyncIterator[None]:
    """Serve HTTP, if bot.toml has a `[web]`; without one its libraries are not even loaded."""
    if wanted is None:
        yield
        return
    async with importlib.import_module("xybot.web.server").open_web(wanted.listen) as url:
        log.info("web.started", url=f"{url}/health")
        yield


async def _stop_on_signal(
    scope: trio.CancelScope, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            log.info("bot.stopping")
            scope.cancel()
            return


@contextmanager
def _own_folder(loaded: Loaded) -> Iterator[Path]:
    """Have the data folder to ourselves; gives the path of the database in it.

    Raises:
      ConfigError: it cannot be written, or another xybot has it.
    """
    os.umask(0o077)  # What is made from here on holds cookies: for its owner only.
    folder = loaded.folder / loaded.config.data
    lock = filelock.FileLock(folder / "xybot.lock", timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = lock.acquire()
    except filelock.Timeout as exc:
        raise ConfigError(
            f"{folder}: 另一个 xybot 正在使用这个数据目录 (in use by another xybot)"
        ) from exc
    except OSError as exc:
        raise ConfigError(
            f"{folder}: 数据目录不可写 (the data folder cannot be written): {exc.strerror}"
        ) from exc
    with held:
        # What the simulator's buyers said must never be answered on the real platform.
        yield folder / ("simulator.db" if loaded.config.simulator.enabled else "xybot.db")


@attrs.define(eq=False, kw_only=True)
class Bot:
    """One run of the bot, on one configuration after another."""

    path: Path
    loaded: Loaded
    store: Store
    demo: Demo | None
    _composer: Composer
    rng: random.Random = attrs.Factory(random.SystemRandom)
    feed: EventFeed = attrs.field(init=False)
    supervisor: Supervisor = attrs.field(init=False)
    _statuses: dict[AccountId, Status] = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self.feed = EventFeed(journal.tell)
        self.supervisor = Supervisor(
            store=self.store, run_account=self._run_account, status_of=self._status, rng=self.rng
        )

    async def run(self) -> None:
        """Answer buyers until cancelled."""
        await self.store.transact(accounts.unpark_all)
        await self._configure()
        log.info("bot.started", accounts=len(self._settings()))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(follow, self.path, self.loaded, self._reload, name="reload")
            nursery.start_soon(self.supervisor.run, name="supervisor")

    async def _configure(self) -> None:
        await self.store.transact(accounts.configure, self._settings())
        self.supervisor.bell.ring()

    async def _reload(self, loaded: Loaded | ConfigError) -> None:
        try:
            if isinstance(loaded, ConfigError):
                raise loaded
            self._composer = composer(loaded.config, self.store)
        except ConfigError as exc:
            log.error("config.refused", reason=str(exc))  # noqa: TRY400  # no bug of ours
        else:
            await self._take_over(loaded)

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
            self._statuses[account] = Status(account, self.feed, now_ms)
        return self._statuses[account]

    async def _run_account(self, id_: AccountId, status: Status) -> None:
        async def save(session: Session) -> None:
            await self.store.transact(accounts.save_session, id_, sessions.dumps(session))

        platform, http = self._platform(), egress.Client()
        session = await self._session(id_)
        mtop = Mtop(gateway=platform.gateway, http=http, session=session, save=save, now_ms=now_ms)
        account = Account(
            id=id_,
            store=self.store,
            feed=self.feed,
            status=status,
            mtop=mtop,
            dial=dialler(platform.websocket, egress.tls()),
            ids=Ids(now_ms, self.rng),
            decide=self._decide,
            patience=self._patience,
            now_ms=now_ms,
            rng=self.rng,
        )
        await account.run()

    async def _session(self, id_: AccountId) -> Session:
        stored = await self.store.transact(accounts.session, id_)
        if stored is not None:
            return sessions.loads(stored)
        return sessions.new_session(self._cookie(id_), self.rng)

    async def _decide(self, turn: Turn, now: int) -> Decision:
        return await self._composer.decide(turn, now)

    def _patience(self) -> Patience:
        timing = self.loaded.config.timing
        return Patience(
            debounce=timing.debounce,
            debounce_max=timing.debounce_max,
            heartbeat_interval=timing.heartbeat_interval,
            heartbeat_timeout=timing.heartbeat_timeout,
            manual_pause=timing.manual_pause,
            max_failures=timing.max_failures,
        )


def _with_accounts_of(old: Loaded, new: Loaded) -> Loaded:
    """Return the new settings with the old accounts: the simulator comes with a restart."""
    config = attrs.evolve(new.config, accounts=old.config.accounts)
    return attrs.evolve(new, config=config, cookies=old.cookies)


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
