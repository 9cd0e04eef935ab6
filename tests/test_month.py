"""A month of one account, in virtual time: nothing grows, nothing drifts, no line is lost."""

from __future__ import annotations

import gc
import itertools
import random
import statistics
import weakref

import attrs
import pytest
import trio
from trio.testing import MockClock

from tests.conftest import Shop, clock_ms, open_shop
from tests.listening import Listening
from xybot.accounts import backoff
from xybot.accounts.chat import Patience
from xybot.errors import Cause
from xybot.events import AccountStatus
from xybot.model import AccountState
from xybot.simulator.desk import Settings
from xybot.simulator.world import TOKEN_LIFE
from xybot.store import books
from xybot.xianyu.session import new_token

DAY = 86_400.0
#: Seconds of the day: the last buyer leaves, everything that was said is answered.
EVENING, MIDNIGHT = 22 * 3600.0, 23 * 3600.0
LINES = 150
BY_HAND = 5
TROUBLES = 12


@attrs.define(eq=False, kw_only=True)
class Life:
    """What happens to the shop day by day."""

    shop: Shop
    platform: Listening
    rng: random.Random
    begins: float = 0
    """When the present day began, by trio's clock."""
    said: list[str] = attrs.Factory(list)
    by_hand: list[str] = attrs.Factory(list)
    """Lines that the seller answered at once, so that the bot may keep silent."""
    new_tokens: int = 0
    """Times that the platform made a token worthless."""
    fetched: list[int] = attrs.Factory(list)
    """When the platform gave out a token (ms)."""
    sizes: list[int] = attrs.Factory(list)
    """Objects in memory, at the end of each day."""
    rates: list[int] = attrs.Factory(list)
    """The rarest thing that happens many times a day, how often."""

    async def pass_days(self, days: int) -> None:
        for day in range(days):
            self.begins = trio.current_time()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.buyers, day)
                nursery.start_soon(self.hang_ups)
                nursery.start_soon(self.troubles)
                await trio.sleep_until(self.begins + MIDNIGHT)
                await self.close_the_day()
                nursery.cancel_scope.cancel()

    def times(self, count: int, until: float) -> list[float]:
        return sorted(self.begins + self.rng.uniform(0, until) for _ in range(count))

    async def buyers(self, day: int) -> None:
        """People come through the day, some in a hurry, some of them for the seller."""
        hours = self.times(LINES, EVENING)
        for n, at in enumerate(hours):
            await trio.sleep_until(at)
            who, text = f"买家{day}-{self.rng.randrange(40)}", f"{day}.{n}"
            if n % (LINES // BY_HAND) == 0:
                who = f"熟人{day}-{n}"
                self.by_hand.append(text)
            self.said.append(text)
            self.shop.says(text, buyer=who)
            if text in self.by_hand:
                self.platform.seller_says(self.shop.sim, who, "我来说")

    async def hang_ups(self) -> None:
        """The platform closes every line after 10 to 30 minutes (protocol.md §1.6)."""
        while True:
            await trio.sleep(self.rng.uniform(600, 1800))
            self.shop.faults.close()

    async def troubles(self) -> None:
        for at in self.times(TROUBLES, EVENING):
            await trio.sleep_until(at)
            await self.trouble()
            # One after another: of five bad ends in a row the seller would be told.
            await trio.sleep(300)

    async def trouble(self) -> None:
        faults = self.shop.faults
        match self.rng.randrange(8):
            case 0:
                faults.mute()
                await trio.sleep(self.rng.uniform(20, 40))
                faults.unmute()
            case 1:
                faults.slow(2)
                await trio.sleep(self.rng.uniform(60, 600))
                faults.slow(0)
            case 2:
                self.new_tokens += 2
                self.rng.choice((lambda: None, faults.refuse_token, lambda: faults.fail_calls(2)))()
                faults.kick_out()
            case 3:
                self.rng.choice((faults.garbage, faults.damaged_entry, faults.cut, faults.doze))()
            case 4:
                self.rng.choice((faults.busy, faults.busy_reads, faults.refuse_history))(2)
            case 5:
                faults.refuse_dial(2)
                faults.close()
            case 6:
                self.rng.choice((faults.lose_answers, faults.swallow_pushes))(1)
            case 7:
                mishaps = (faults.lose_pushes, faults.drop_acks, faults.duplicate, faults.reorder)
                self.rng.choice(mishaps)(3)

    async def close_the_day(self) -> None:
        """Check everything that happened today, and forget it."""
        self.sizes.append(await smallest())
        await trio.sleep_until(self.begins + DAY)
        await self.check_lines()
        self.check_line()
        self.check_tokens()
        self.rates.append(min(len(self.shop.connects), len(self.said)))
        self.forget()

    async def check_lines(self) -> None:
        answered = [line for text in self.shop.heard for line in text.split("+")]
        assert len(answered) == len(set(answered)), "said twice"
        assert set(answered) | set(self.by_hand) == set(self.said)
        assert self.platform.unacknowledged(self.shop.sim) == ()
        since = clock_ms() - round(1000 * DAY)
        days = await self.shop.store.transact(books.balance, since=since)
        assert sum(day.received for day in days) == len(self.said)
        assert all(day.balances and not day.waiting and not day.held for day in days)

    def check_line(self) -> None:
        """Heartbeats come at their time, and nobody waits long for a line to come back."""
        states = [each for each in self.shop.events if isinstance(each, AccountStatus)]
        assert not [each for each in states if each.new is AccountState.FAILED]
        assert not [each for each in states if each.cause is Cause.BUG]
        patience = self.shop.patience
        every = patience.heartbeat_interval
        pauses = [round(pause, 1) for pause in self.platform.pauses]
        # Later only when the answer to the last one took its time.
        assert every == min(pauses) == statistics.mode(pauses)
        assert max(pauses) < every + patience.heartbeat_timeout
        signs = sorted([*self.platform.heartbeats, *self.shop.connects])
        silence = max(b - a for a, b in itertools.pairwise(signs))
        assert silence < every + patience.heartbeat_timeout + backoff.LONGEST

    def check_tokens(self) -> None:
        """A token is fetched when the last one has had its time, and not before."""
        tokens = self.platform.world.tokens
        self.fetched += sorted(each.until_ms - TOKEN_LIFE for each in tokens.values())
        newest = max(tokens.values(), key=lambda each: each.until_ms)
        tokens.clear()
        tokens[newest.token] = newest
        lives = [b - a for a, b in itertools.pairwise(dict.fromkeys(self.fetched))]
        use = new_token("", TOKEN_LIFE, 0).good_until
        assert len([life for life in lives if life < use]) <= self.new_tokens
        assert max(lives) < use + 1000 * backoff.LONGEST

    def forget(self) -> None:
        """Let the simulator and the test remember nothing of the day."""
        world, sim, shop, platform = self.platform.world, self.shop.sim, self.shop, self.platform
        for each in (world.chats, world.chats_of, sim.heard, sim.uuids, sim.connects):
            each.clear()
        for user in [id_ for id_ in world.users if id_ != sim.user_id]:
            del world.users[user]
        for each in (platform.heartbeats, platform.pauses, shop.events, self.said, self.by_hand):
            each.clear()


async def smallest() -> int:
    """Return how many objects there are when least is going on, in half an hour."""
    counts = []
    for _ in range(10):
        await trio.sleep(180)
        gc.collect()
        # Without weak references: the driver keeps up to 200 of cursors that are gone.
        counts.append(sum(type(each) is not weakref.ref for each in gc.get_objects()))
    return min(counts)


async def live(days: int, seed: int, patience: Patience) -> Life:
    settings = Settings(same_uuid_once=False)
    platform = Listening(now_ms=clock_ms, rng=random.Random(seed), settings=settings)
    async with (
        open_shop(platform=platform, patience=patience) as shop,
        trio.open_nursery() as nursery,
    ):
        life = Life(shop=shop, platform=platform, rng=random.Random(seed))
        nursery.start_soon(shop.run)
        await life.pass_days(days)
        nursery.cancel_scope.cancel()
    return life


@pytest.mark.parametrize(
    ("days", "heartbeat"), [pytest.param(3, 60), pytest.param(30, 15, marks=pytest.mark.slow)]
)
async def test_a_month_leaves_nothing_in_memory_drifts_nowhere_and_loses_no_line(
    autojump_clock: MockClock, days: int, heartbeat: float
) -> None:
    life = await live(days, 11, Patience(heartbeat_interval=heartbeat))
    # Of a line, a connection or a heartbeat not one object is kept; two days fill caches.
    growth = (life.sizes[-1] - life.sizes[1]) / (days - 2)
    assert growth < min(life.rates), life.sizes
