"""The simulator as `xybot run` and `xybot sim` start it: real ports, accounts, buyers."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import attrs
import structlog
import trio

from xybot import config
from xybot.clock import now_ms
from xybot.config import Loaded, Simulator
from xybot.errors import ConfigError
from xybot.model import AccountId
from xybot.secret import Secret
from xybot.simulator import buyers
from xybot.simulator.model import FakeModel, open_model
from xybot.simulator.platform import Endpoints, Platform, open_platform
from xybot.simulator.world import SimAccount

log = structlog.get_logger()


@attrs.define(eq=False, kw_only=True)
class Demo:
    """A running simulator; accounts are opened on it as they are asked for."""

    _world: Platform
    _endpoints: Endpoints
    _nursery: trio.Nursery
    _buyers: int
    _rng: random.Random
    _model: str
    _accounts: dict[AccountId, SimAccount] = attrs.field(factory=dict, init=False)

    @property
    def platform(self) -> config.Platform:
        """Where the bot finds it: the `[platform]` of bot.toml."""
        http = self._endpoints.gateway
        return config.Platform(websocket=self._endpoints.websocket, gateway=http, upload=http)

    def complete(self, loaded: Loaded) -> Loaded:
        """Return the settings with the made-up model in the place of one that has no address."""
        ai = loaded.config.ai
        if ai is None or ai.url:
            return loaded
        settled = attrs.evolve(ai, url=self._model, key=None)
        return attrs.evolve(loaded, config=attrs.evolve(loaded.config, ai=settled))

    def cookie(self, id_: AccountId) -> Secret:
        """Return the cookie of an account, which is opened, with its buyers, if it is new."""
        account = self._accounts.get(id_)
        if account is None:
            account = self._accounts[id_] = self._world.add_account(id_)
            rng = random.Random(self._rng.random())
            live = partial(buyers.live, self._world, account, rng, people=self._buyers)
            self._nursery.start_soon(live, name=f"buyers of {id_}")
        return Secret(account.cookie_text)


@asynccontextmanager
async def open_demo(wanted: Simulator) -> AsyncIterator[Demo]:
    """Run the simulator for as long as the block runs.

    Raises:
      ConfigError: its port is taken.
    """
    rng = random.Random(wanted.seed)
    host, _, port = wanted.listen.rpartition(":")
    world = Platform(now_ms=now_ms, rng=rng)
    try:
        async with (
            open_platform(world, ws_host=host, ws_port=int(port)) as endpoints,
            open_model(FakeModel(), host=host) as model,
            trio.open_nursery() as nursery,
        ):
            log.info("simulator.started", websocket=endpoints.websocket, http=endpoints.gateway)
            yield Demo(
                world=world,
                endpoints=endpoints,
                nursery=nursery,
                buyers=wanted.buyers,
                rng=rng,
                model=model,
            )
            nursery.cancel_scope.cancel()
    except OSError as exc:
        raise ConfigError(
            f"simulator.listen: {wanted.listen} 无法监听，端口可能被占用 (cannot listen): "
            f"{exc.strerror or exc}"
        ) from exc
