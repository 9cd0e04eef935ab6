"""Ten thousand lines in one breath: all are stored, acknowledged and answered, and no more
is held in memory than the chats that are open."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import attrs
import pytest
import sqlalchemy as sa
import trio
from trio.testing import MockClock

from tests.conftest import SHOP, Shop, clock_ms, echo, open_shop
from tests.listening import Listening
from xybot.accounts.chat import Patience
from xybot.accounts.chats import MOST
from xybot.model import Decision, Outgoing, Text, Turn
from xybot.simulator.desk import Settings
from xybot.store import books, outbox
from xybot.store.database import Database
from xybot.store.schema import outbox as messages

TALKER = "话多的买家"
#: Chats that say four lines each, and lines of one buyer who says them all at once.
SMALL = (1200, 200)
LARGE = (2500, 1000)


def new_platform() -> Listening:
    settings = Settings(same_uuid_once=False)
    return Listening(now_ms=clock_ms, rng=random.Random(5), settings=settings)


def flood(shop: Shop, chats: int, lines: int, *, each: int = 4) -> list[str]:
    """Let all buyers speak at once, one of them much; return their lines, sorted."""
    said = [(f"买家{n}", f"{n}.{part}") for part in range(each) for n in range(chats)]
    said[len(said) // 2 : 0] = [(TALKER, f"t.{n}") for n in range(lines)]
    for buyer, text in said:
        shop.says(text, buyer=buyer)
    return sorted(text for _, text in said)


def answered(shop: Shop) -> list[str]:
    return sorted(line for text in shop.heard for line in text.split("+"))


@attrs.define(eq=False)
class Thinker:
    """Answers after a while of thinking, and knows how many of it did so at once."""

    now: int = 0
    most: int = 0

    async def decide(self, turn: Turn, now: int) -> Decision:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await trio.sleep(0.5)
        finally:
            self.now -= 1
        return await echo(turn, now)


@attrs.define(eq=False)
class OpenChats(trio.abc.Instrument):
    """Sees every chat open and end."""

    now: int = 0
    most: int = 0
    opened: list[str] = attrs.Factory(list)

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        if task.name.startswith("chat "):
            self.now += 1
            self.most = max(self.most, self.now)
            self.opened.append(task.name.removeprefix("chat "))

    def task_exited(self, task: trio.lowlevel.Task) -> None:
        self.now -= task.name.startswith("chat ")


async def until_answered(shop: Shop, lines: int) -> None:
    with trio.fail_after(600):
        while len(answered(shop)) < lines:
            await trio.sleep(1)
    await trio.sleep(15)


@pytest.mark.parametrize("size", [pytest.param(SMALL), pytest.param(LARGE, marks=pytest.mark.slow)])
async def test_a_flood_is_answered_in_the_order_of_its_coming_by_so_many_chats_at_a_time(
    autojump_clock: MockClock, nursery: trio.Nursery, size: tuple[int, int]
) -> None:
    thinker, seen, platform = Thinker(), OpenChats(), new_platform()
    async with open_shop(platform=platform, decide=thinker.decide) as shop:
        nursery.start_soon(shop.run)
        await trio.sleep(5)
        trio.lowlevel.add_instrument(seen)
        said = flood(shop, *size)
        await until_answered(shop, len(said))
        assert answered(shop) == said
        assert platform.unacknowledged(shop.sim) == ()
        days = await shop.store.transact(books.balance)
        assert [(day.received, day.answered) for day in days] == [(len(said), len(said))]
        nursery.cancel_scope.cancel()
    # In time: no frame came twice, and the line never stayed silent, nor dropped.
    assert platform.repeated == 0
    assert len(shop.connects) == 1
    assert {round(pause, 1) for pause in platform.pauses} == {shop.patience.heartbeat_interval}
    # So many at a time, and whoever came first is first.
    assert seen.most == MOST
    assert thinker.most == shop.patience.thinking
    by_age = [chat.id for chat in platform.world.chats_of[shop.sim.user_id]]
    assert list(dict.fromkeys(seen.opened)) == by_age


async def test_a_line_that_waits_for_its_acknowledgement_is_answered_once(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    platform = new_platform()
    async with open_shop(platform=platform) as shop:
        nursery.start_soon(shop.run)
        await trio.sleep(5)
        said = flood(shop, MOST + 100, 0, each=1)
        await trio.sleep(1)
        platform.acknowledging = 0.4
        # While these are acknowledged one by one, there is room again for what is stored.
        said += [f"later {n}" for n in range(300)]
        for n in range(300):
            shop.says(f"later {n}", buyer=f"买家{n + MOST + 100}")
        await trio.sleep(15)
        platform.acknowledging = 0
        await until_answered(shop, len(said))
        nursery.cancel_scope.cancel()
    assert answered(shop) == sorted(said)


async def test_a_restart_in_the_middle_of_a_flood_loses_nothing(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    platform, thinker, said, stages = new_platform(), Thinker(), list[str](), list[int]()
    for seconds in (6, 6, 100):
        async with open_shop(tmp_path / "x.db", platform=platform, decide=thinker.decide) as shop:
            said = said or flood(shop, 400, 100)
            with trio.move_on_after(seconds):
                await shop.run()
        stages.append(len(answered(shop)))
    assert 0 < stages[0] < stages[1] < len(said)
    assert answered(shop) == said
    assert platform.unacknowledged(shop.sim) == ()


async def test_sends_keep_their_pace_and_what_is_urgent_overtakes(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    platform = new_platform()
    async with open_shop(platform=platform, patience=Patience(send_pace=2)) as shop:
        nursery.start_soon(shop.run)
        await trio.sleep(5)
        for n in range(20):
            shop.says(f"第{n}条", buyer=f"买家{n}")
        await trio.sleep(8)  # Between two sends: at the moment of one, nobody knows who is first.
        before = len(shop.heard)
        await shop.store.transact(put_urgent, platform.chat(shop.sim, "买家0").id, shop)
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    assert before < 10
    assert shop.heard[before] == "卡密"
    assert sorted(shop.heard) == sorted(["卡密", *(f"第{n}条" for n in range(20))])
    pauses = {round(b - a, 1) for a, b in itertools.pairwise(shop.heard_at)}
    assert pauses == {2.0}


def put_urgent(db: Database, chat, shop: Shop) -> None:
    (buyer,) = [c.buyer.id for c in shop.platform.world.chats.values() if c.id == chat]
    goods = Outgoing(
        uuid="-1", chat=chat, to=buyer, content=Text("卡密"), source="goods", because="paid"
    )
    outbox.put(db, SHOP, [goods], turn=1, now=clock_ms())
    db.execute(sa.update(messages).where(messages.c.uuid == goods.uuid).values(urgent=True))
