"""Kill the bot before and after every single transaction; nothing is lost or said twice.

Nor is anything that happened left untold, or told twice: its event is in the same transaction.

The test finds the points itself: `Store.transact` is the only door, and the runner behind it
is where the process dies.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from pathlib import Path

import attrs
import pytest
import sqlalchemy as sa
import trio
from trio.testing import MockClock

from tests.conftest import new_platform, open_shop
from xybot.errors import StoreUnavailable
from xybot.simulator.platform import Platform
from xybot.store import books, events
from xybot.store.database import Database, inline, open_store
from xybot.store.schema import inbox, outbox


class Killed(BaseException):
    """Stands for SIGKILL: no handler in the bot may catch it."""


@attrs.define
class Mortal:
    """Runs transactions until the nth, and dies just before or just after it."""

    n: int
    before: bool
    seen: int = 0

    async def __call__(self, fn, /):
        self.seen += 1
        fatal = self.seen == self.n
        if fatal and self.before:
            raise Killed
        result = await inline(fn)
        if fatal:
            raise Killed
        return result


async def live(platform: Platform, path: Path, run, seconds: float, **settings) -> bool:
    """Run the bot for a while; tell whether it was killed."""
    try:
        with trio.move_on_after(seconds):
            async with open_shop(path, platform=platform, run=run, **settings) as shop:
                await shop.run()
    except BaseExceptionGroup as group:
        # Whoever waited for the store at that moment learns that it is gone.
        died, others = group.split(Killed)
        if died is None or (others and others.split(StoreUnavailable)[1]):
            raise
        return True
    except Killed:
        return True
    return False


async def buyers(platform: Platform) -> None:
    """A burst, a repeated frame, a line by hand, a lost answer, two chats at once."""
    sim = next(iter(platform.world.accounts.values()))
    faults = platform.faults(sim)
    await trio.sleep(2)
    platform.buyer_says(sim, "小王", "a")
    await trio.sleep(1)
    faults.duplicate(1)
    platform.buyer_says(sim, "小王", "b")
    platform.buyer_says(sim, "阿杰", "c")
    if platform.settings.echo != "never":  # Else nobody could know of it in time.
        platform.buyer_says(sim, "老赵", "not for the bot")
        await trio.sleep(1)
        platform.seller_says(sim, "老赵", "by hand")
    await trio.sleep(9)
    faults.lose_answers(1)
    platform.buyer_says(sim, "阿杰", "d")
    await trio.sleep(30)
    faults.drop_acks(1)
    platform.buyer_says(sim, "柚子", "e")


@attrs.frozen
class Outcome:
    """How a story ended."""

    died: bool
    said: list[str]
    unacknowledged: int
    balanced: bool
    untold: list[str]
    """What happened and is in no event, or in two."""


def untold(db: Database) -> list[str]:
    """Compare what is stored of lines and sends with what is told of them."""
    told = Counter(
        (event.name, json.loads(event.body)["message"])
        for event in events.after(db, 0, most=10_000)
        if event.name in ("message.received", "reply.sent")
    )
    heard = db.scalars(sa.select(inbox.c.message).where(inbox.c.kind == "text"))
    said = db.scalars(sa.select(outbox.c.message).where(outbox.c.state == "sent"))
    happened = Counter(("message.received", id_) for id_ in heard)
    happened.update(("reply.sent", id_) for id_ in said)
    differing = {*told, *happened} - {key for key in told if told[key] == happened[key]}
    return [f"{key}: {happened[key]} times, and told {told[key]} times" for key in differing]


async def story(path: Path, n: int, *, before: bool, echo: str) -> Outcome:
    platform = new_platform(seed=7, echo=echo)
    sim = platform.add_account("shop-a")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(buyers, platform)
        died = await live(platform, path, Mortal(n, before), 90)
        await trio.sleep(20)
        await live(platform, path, inline, 200)
    async with open_store(path, run=inline) as store:
        days = await store.transact(books.balance)
        wrong = await store.transact(books.contradictions)
        missing = await store.transact(untold)
    return Outcome(
        died=died,
        said=sorted(line for _, _, text in platform.heard(sim) for line in text.split("+")),
        unacknowledged=len(platform.unacknowledged(sim)),
        balanced=not wrong and all(day.balances and not day.waiting for day in days),
        untold=missing,
    )


@pytest.mark.parametrize("echo", ["after", pytest.param("never", marks=pytest.mark.slow)])
@pytest.mark.parametrize("before", [True, False])
def test_a_kill_at_any_transaction_loses_no_answer_and_doubles_none(
    tmp_path: Path, before: bool, echo: str
) -> None:
    n, died = 0, True
    while died:
        n += 1
        clock = MockClock(autojump_threshold=0)
        lived = partial(story, tmp_path / f"{n}.db", n, before=before, echo=echo)
        ended = trio.run(lived, clock=clock)
        died = ended.died
        said = ["a", "b", "c", "d", "e"]
        wanted = Outcome(died, said, unacknowledged=0, balanced=True, untold=[])
        assert ended == wanted, f"killed at transaction {n}"
    assert n > 20, "the story has too few transactions to prove anything"
