"""A shop: the real bot on the real simulator, in memory, on the mock clock."""

from __future__ import annotations

import gc
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import httpx
import pytest
import structlog
import trio

from xybot import egress
from xybot.accounts.account import Account
from xybot.accounts.chat import Patience
from xybot.accounts.clock import PlatformClock
from xybot.accounts.pictures import Album
from xybot.accounts.status import Status
from xybot.accounts.supervisor import Supervisor
from xybot.chronicle import Chronicle, open_chronicle
from xybot.config.follow_ups import FollowUp
from xybot.config.goods import Goods
from xybot.doorbell import Doorbell
from xybot.events import AccountStatus, Event, EventFeed
from xybot.facts import Facts
from xybot.model import AccountId, AccountState, Decision, Reply, Text, Turn
from xybot.orders.delivery import Delivery
from xybot.orders.follow_ups import FollowingUp, Judge
from xybot.orders.reconcile import Reconcile
from xybot.orders.wrapping import Wrapping
from xybot.secret import Secret
from xybot.simulator.desk import Settings
from xybot.simulator.faults import Faults
from xybot.simulator.platform import Platform
from xybot.simulator.world import SimAccount
from xybot.store import accounts, history
from xybot.store.accounts import Setting
from xybot.store.database import Runner, Store, inline, open_store
from xybot.wire.ids import Ids
from xybot.xianyu import session as sessions
from xybot.xianyu.mtop import Mtop

structlog.reset_defaults()
*_REST, _ = structlog.get_config()["processors"]
#: What structlog does by itself; but paints no variables into a traceback: that takes seconds.
_PLAIN = [*_REST, structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]

EPOCH = 1_790_000_000_000
SHOP = AccountId("shop-a")


def pytest_collection_finish() -> None:
    """Keep the collector from going through the modules and tests that stay anyway."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def plain_tracebacks() -> None:
    structlog.configure(processors=_PLAIN)


def clock_ms() -> int:
    """The mock clock as a date."""
    return EPOCH + round(1000 * trio.current_time())


def new_platform(seed: int = 5, **settings) -> Platform:
    """A platform that shows a message twice when it is sent twice: it hides no mistake."""
    settings = Settings(**({"same_uuid_once": False} | settings))
    return Platform(now_ms=clock_ms, rng=random.Random(seed), settings=settings)


async def echo(turn: Turn, _now: int) -> Decision:
    """Answer with the buyer's own lines, joined."""
    text = turn.text.replace("\n", "+")
    reply = Reply(contents=(Text(text),), source="echo", because="it was said")
    return Decision(reply=reply, passed=())


@attrs.define(eq=False, kw_only=True)
class Shop:
    """One account of the bot, its platform, and what there is to look at."""

    platform: Platform
    sim: SimAccount
    chronicle: Chronicle
    decide: Callable[[Turn, int], Awaitable[Decision]] = echo
    patience: Patience = attrs.Factory(Patience)
    now_ms: Callable[[], int] = clock_ms
    """The clock of the machine that the bot runs on."""
    events: list[Event] = attrs.Factory(list)
    """What was told, in its order."""
    status: Status = attrs.field(init=False)
    cookie: Secret = attrs.field(init=False)
    """As it was pasted when the shop was opened."""
    account: Account | None = None
    pictures: Path = Path()
    """Where relative paths of pictures start."""
    facts: Facts = attrs.field(init=False)
    summons: Doorbell = attrs.Factory(Doorbell)
    """Rung when somebody changed what the store says of the account."""
    supervising: Supervisor | None = None
    goods: Sequence[Goods] = ()
    """What is given for paid orders."""
    follow_ups: Sequence[FollowUp] = ()
    """What is said after steps of orders."""
    judge: Judge = lambda _: ("send", "")
    """What becomes of that."""
    dry_run: bool = False

    def __attrs_post_init__(self) -> None:
        self.chronicle.feed.tell = self.events.append
        self.status = Status(SHOP, self.chronicle.note, clock_ms)
        self.cookie = Secret(self.sim.cookie_text)
        self.facts = Facts(store=self.store, now_ms=self.now_ms)

    @property
    def store(self) -> Store:
        return self.chronicle.store

    @property
    def feed(self) -> EventFeed:
        return self.chronicle.feed

    @property
    def faults(self) -> Faults:
        return self.platform.faults(self.sim)

    @property
    def heard(self) -> list[str]:
        """The words that buyers got, in order."""
        return [text for _, _, text in self.platform.heard(self.sim)]

    @property
    def heard_at(self) -> list[float]:
        return [at for at, _, _ in self.platform.heard(self.sim)]

    @property
    def connects(self) -> list[float]:
        return self.platform.connects(self.sim)

    @property
    def states(self) -> list[AccountState]:
        return [event.new for event in self.events if isinstance(event, AccountStatus)]

    def says(self, text: str, buyer: str = "小王") -> None:
        self.platform.buyer_says(self.sim, buyer, text)

    async def open(self) -> None:
        """Register the account in the store, as the configuration would."""
        setting = {SHOP: Setting(version="1", pasted="1")}
        await self.store.transact(accounts.configure, setting)

    async def run(self) -> None:
        """Run the account, without its supervisor."""
        await self.run_account(SHOP, self.status)

    async def run_account(self, id_: AccountId, status: Status) -> None:
        async def save(session: sessions.Session) -> None:
            await self.store.insist(accounts.save_session, id_, sessions.dumps(session))

        stored = await self.store.transact(accounts.session, id_)
        session = (
            sessions.loads(stored)
            if stored
            else sessions.new_session(self.cookie, random.Random(1))
        )
        transport = httpx.ASGITransport(self.platform.http_app)
        mtop = Mtop(
            gateway="http://sim",
            http=egress.Client(transport=transport),
            session=session,
            save=save,
            now_ms=self.now_ms,
        )
        self.account = Account(
            id=id_,
            chronicle=self.chronicle,
            status=status,
            mtop=mtop,
            album=Album(folder=self.pictures, address=lambda: "http://sim", run=inline),
            dial=lambda: self.platform.dial(account=self.sim),
            ids=Ids(self.now_ms, random.Random(2)),
            decide=lambda turn, now: self.decide(turn, now),
            deliver=self.delivery(id_, mtop).serve,
            reconcile=self.reconcile(id_, mtop).serve,
            patience=lambda: self.patience,
            now_ms=self.now_ms,
            clock=PlatformClock(self.now_ms),
            rng=random.Random(3),
            summons=self.summons,
        )
        with self.facts.through(id_, mtop):
            await self.account.run()

    def delivery(self, id_: AccountId, mtop: Mtop) -> Delivery:
        return Delivery(
            account=id_,
            mtop=mtop,
            chronicle=self.chronicle,
            wrapping=Wrapping(outside=egress.Outside(), longest=lambda: 400),
            goods=lambda: self.goods,
            dry_run=lambda: self.dry_run,
            item=self.facts.of,
            following=FollowingUp(
                account=id_,
                mtop=mtop,
                chronicle=self.chronicle,
                follow_ups=lambda: self.follow_ups,
                judge=lambda texts: self.judge(texts),
                longest=lambda: 400,
                uuid=Ids(self.now_ms, random.Random(7)).uuid,
                now_ms=self.now_ms,
            ),
            uuid=Ids(self.now_ms, random.Random(6)).uuid,
            now_ms=self.now_ms,
        )

    def reconcile(self, id_: AccountId, mtop: Mtop) -> Reconcile:
        return Reconcile(
            account=id_,
            mtop=mtop,
            chronicle=self.chronicle,
            goods=lambda: self.goods,
            now_ms=self.now_ms,
        )

    def supervisor(self) -> Supervisor:
        self.supervising = Supervisor(
            store=self.store,
            run_account=self.run_account,
            status_of=lambda _: self.status,
            rng=random.Random(4),
        )
        return self.supervising

    async def books(self) -> tuple[history.Explained, ...]:
        """All that came in, with its outcome."""
        return await self.store.transact(history.explained, SHOP)


@asynccontextmanager
async def open_shop(
    path: Path | None = None,
    *,
    platform: Platform | None = None,
    run: Runner = inline,
    **settings,
):
    """Open a shop on a store of its own."""
    platform = platform or new_platform()
    known = list(platform.world.accounts.values())
    sim = known[0] if known else platform.add_account(SHOP)
    async with (
        open_store(path, run=run) as store,
        open_chronicle(store, EventFeed(lambda _: None), clock_ms) as chronicle,
    ):
        shop = Shop(platform=platform, sim=sim, chronicle=chronicle, **settings)
        await shop.open()
        yield shop


@pytest.fixture
async def shop(autojump_clock: trio.testing.MockClock) -> AsyncIterator[Shop]:
    """A shop on the mock clock, whose account is not running yet."""
    async with open_shop() as shop:
        yield shop


@pytest.fixture
async def open_for_business(shop: Shop, nursery: trio.Nursery) -> Shop:
    """A shop whose account is on line."""
    nursery.start_soon(shop.run)
    while not shop.platform.on_line(shop.sim):
        await trio.sleep(0.01)
    await trio.sleep(0.5)
    return shop
