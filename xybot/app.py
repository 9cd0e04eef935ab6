"""Opens everything in order, and ties the rooms together; the root nursery."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import filelock
import structlog
import trio
from cyclopts import Parameter

from xybot import egress, journal
from xybot.bot import Bot, means_of
from xybot.chronicle import Chronicle, open_chronicle
from xybot.clock import now_ms
from xybot.config import Loaded, Simulator, Web, load
from xybot.errors import ConfigError
from xybot.events import EventFeed
from xybot.facts import Facts
from xybot.notify import hooks
from xybot.notify.hooks import Hooks
from xybot.replies.compose import composer
from xybot.store.database import open_store

if TYPE_CHECKING:
    from xybot.tools.demo import Demo

log = structlog.get_logger()

_SIGN_IN: Final = """\
          登录控制台的令牌，只显示这一次，请保存好 (sign in with this token; it is shown only now):
          {token}
"""


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
    running = trio.CancelScope()
    async with trio.open_nursery() as nursery:
        await nursery.start(_stop_on_signal, running)
        with running:
            await _run(path, loaded)
        nursery.cancel_scope.cancel()


async def _run(path: Path, loaded: Loaded) -> None:
    with _own_folder(loaded) as database:
        async with (
            open_store(database, tell=_tell_of_store) as store,
            open_chronicle(store, EventFeed(journal.tell), now_ms) as chronicle,
            _bot(path, loaded, chronicle) as bot,
            _web(loaded.config.web, bot),
        ):
            await bot.run()


@asynccontextmanager
async def _bot(path: Path, loaded: Loaded, chronicle: Chronicle) -> AsyncIterator[Bot]:
    """Put the bot together, and the simulator if it is wanted; nothing runs before all is well."""
    facts = Facts(store=chronicle.store, now_ms=now_ms)
    means = means_of(chronicle, facts)
    sources = composer(loaded, means)
    told = hooks.ready(loaded.config.hooks)
    for warning in sources.warnings:
        log.warning("config.warning", note=warning)
    async with _demo(loaded.config.simulator) as demo:
        yield Bot(
            path=path,
            loaded=loaded,
            chronicle=chronicle,
            demo=demo,
            facts=facts,
            hooks=Hooks(chronicle=chronicle, outside=egress.Outside(), now_ms=now_ms, ready=told),
            composer=composer(demo.complete(loaded), means) if demo else sources,
        )


def _tell_of_store(reason: str | None) -> None:
    if reason is None:
        log.info("store.back")
    else:
        log.warning("store.unavailable", reason=reason)


def _demo(wanted: Simulator) -> AbstractAsyncContextManager[Demo | None]:
    """Run the simulator, if bot.toml wants it; a real shop does not even load it."""
    if not wanted.enabled:
        return nullcontext()
    demo: AbstractAsyncContextManager[Demo] = importlib.import_module("xybot.tools.demo").open_demo(
        wanted
    )
    return demo


@asynccontextmanager
async def _web(wanted: Web | None, bot: Bot) -> AsyncIterator[None]:
    """Serve HTTP, if bot.toml has a `[web]`; without one its libraries are not even loaded."""
    if wanted is None:
        yield
        return
    server = importlib.import_module("xybot.web.server")
    async with server.open_web(wanted, bot.house()) as opened:
        log.info("web.started", url=opened.url)
        if opened.token is not None:
            # Not by the log, which may go to a file.
            sys.stdout.write(_SIGN_IN.format(token=opened.token))
            sys.stdout.flush()
        yield


async def _stop_on_signal(
    running: trio.CancelScope, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Stop what runs at the first signal; those of the impatient must not kill what then ends."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            if not running.cancel_called:
                log.info("bot.stopping")
            running.cancel()


@contextmanager
def _own_folder(loaded: Loaded) -> Iterator[Path]:
    """Have the data folder to ourselves; gives the path of the database in it.

    Raises:
      ConfigError: it cannot be written, or another xybot has it.
    """
    os.umask(0o077)  # What is made from here on holds cookies: for its owner only.
    folder = loaded.database.parent
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
        yield loaded.database
