"""What bot.toml would say, without asking anybody outside and without a running bot."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import attrs

from xybot.clock import now_ms
from xybot.config import Loaded
from xybot.errors import ConfigError
from xybot.facts import Facts
from xybot.model import AccountId, Item, ItemId, Pass, Turn
from xybot.replies import source
from xybot.replies.compose import Composer, composer
from xybot.replies.source import Answer, Means, Source
from xybot.store.database import Runner, in_thread, open_store

NOT_ASKED: Final = "这里没有问 (not asked here)"


@attrs.frozen
class NotAsked:
    """Stands in for a source that asks outside; it always passes."""

    name: str

    async def answer(self, _turn: Turn) -> Answer:
        """Pass."""
        return Pass(NOT_ASKED)


def asking(loaded: Loaded) -> frozenset[str]:
    """Return the names of the sources that ask outside, of those that bot.toml has."""
    config = loaded.config
    settings = {"ai": config.ai, "webhook": config.webhook}
    return frozenset(name for name in config.replies.order if settings.get(name) is not None)


def offline(loaded: Loaded, means: Means, stand_in: Callable[[str], Source] = NotAsked) -> Composer:
    """Build the composer of bot.toml, with stand-ins for the sources that ask outside.

    What a model would only put into words, a template does.

    Raises:
      ConfigError: a rule cannot be used.
    """
    config = attrs.evolve(loaded.config, ai=None, webhook=None)
    made = composer(attrs.evolve(loaded, config=config), means)
    known = {each.name: each for each in made.sources}
    known |= {name: stand_in(name) for name in asking(loaded)}
    names = (name for name in config.replies.order if name in known)
    return attrs.evolve(made, sources=tuple(known[name] for name in names))


def account_of(loaded: Loaded, wanted: str | None) -> AccountId:
    """Return the account that is meant: the first, if none is named.

    Raises:
      ConfigError: there is none of this name.
    """
    known = [each.id for each in loaded.config.accounts]
    if wanted is None:
        return known[0] if known else AccountId("shop")
    if wanted not in known:
        raise ConfigError(f"--account {wanted}: 没有这个账号 (no such account): {', '.join(known)}")
    return AccountId(wanted)


@asynccontextmanager
async def known_facts(loaded: Loaded, *, run: Runner = in_thread) -> AsyncIterator[source.Facts]:
    """Tell what the database of the bot knows of items; without one, nothing is known."""
    async with AsyncExitStack() as stack:
        try:
            opened = open_store(loaded.database, run=run, read_only=True)
            store = await stack.enter_async_context(opened)
        except ConfigError as exc:
            if loaded.database.exists():
                sys.stderr.write(f"xybot: {exc}\n")
            yield _nobody_knows
        else:
            yield Facts(store=store, now_ms=now_ms).of


async def _nobody_knows(_account: AccountId, _item: ItemId) -> Item | None:
    return None
