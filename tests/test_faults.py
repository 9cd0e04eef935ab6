"""Every fault that the simulator knows, at every moment of a story: nothing lost, nothing twice.

The faults are those of `simulator/faults.py`, read from there; one without a row in `ROWS`
fails.  What a fault has begun and must end (a mute, a check for people) is ended by the row,
or by the seller.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Literal

import attrs
import pytest
import trio
from trio.testing import MockClock

from tests.conftest import EPOCH, new_platform
from tests.orders.test_order_faults import ROWS as SALES
from tests.story import LATENCY, LONG, Fate, Story, reckon
from xybot.secret import Secret
from xybot.simulator.faults import Faults
from xybot.xianyu import session as sessions

Echo = Literal["after", "before", "never"]


@attrs.frozen(kw_only=True)
class Row:
    """How a fault strikes, and how it ends."""

    strike: Callable[[Faults], object]
    end: Callable[[Faults], object] | None = None
    lasts: float = 40
    """Seconds until its end."""
    echoes: tuple[Echo, ...] = ("after",)
    unless: Mapping[Echo, tuple[str, ...]] = attrs.Factory(dict)
    """Why a line may stay without an answer, as parts of `Fate.reason`; else none may."""


def both(*strikes: Callable[[Faults], object]) -> Callable[[Faults], object]:
    return lambda faults: [strike(faults) for strike in strikes]


ROWS = {
    "cut": Row(strike=Faults.cut, echoes=("after", "never")),
    "close": Row(strike=Faults.close),
    "kick_out": Row(strike=Faults.kick_out),
    "remove_session": Row(strike=Faults.remove_session),
    "mute": Row(strike=Faults.mute, end=Faults.unmute),
    "slow": Row(strike=lambda it: it.slow(2), end=lambda it: it.slow(LATENCY)),
    "garbage": Row(strike=Faults.garbage),
    "damaged_entry": Row(strike=Faults.damaged_entry),
    "no_vulcan": Row(strike=both(Faults.no_vulcan, Faults.cut)),
    "forget_backlog": Row(strike=Faults.cut, end=Faults.forget_backlog, lasts=0.7),
    "expire_token": Row(strike=Faults.expire_token),
    "expire_h5": Row(strike=both(Faults.expire_h5, Faults.expire_token)),
    "expire_cookie": Row(strike=both(Faults.expire_cookie, Faults.expire_token)),
    "doze": Row(strike=both(Faults.doze, Faults.expire_token)),
    "demand_verification": Row(strike=both(Faults.demand_verification, Faults.expire_token)),
    "drop_acks": Row(strike=lambda it: it.drop_acks(2)),
    "lose_answers": Row(strike=Faults.lose_answers, echoes=("after", "never", "before")),
    "alter_sends": Row(
        strike=Faults.alter_sends,
        echoes=("after", "before", "never"),
        # Words that we did not say, under an id that we do not know yet: the seller's, it seems.
        unless={"before": ("hand", "dropped")},
    ),
    "lose_pushes": Row(strike=lambda it: it.lose_pushes(2)),
    "duplicate": Row(strike=lambda it: it.duplicate(2)),
    "reorder": Row(strike=lambda it: it.reorder(2)),
    "fail_over": Row(strike=lambda it: it.fail_over(2)),
    "swallow_pushes": Row(strike=Faults.swallow_pushes),
    "refuse_sends": Row(strike=Faults.refuse_sends, unless={"after": ("refused",)}),
    "busy": Row(strike=lambda it: it.busy(2)),
    "busy_reads": Row(strike=both(lambda it: it.busy_reads(3), Faults.cut)),
    "refuse_history": Row(strike=both(lambda it: it.refuse_history(3), Faults.cut)),
    "refuse_dial": Row(strike=both(lambda it: it.refuse_dial(2), Faults.cut)),
    "limit_connections": Row(strike=both(Faults.limit_connections, Faults.cut)),
    "refuse_token": Row(strike=both(Faults.refuse_token, Faults.cut)),
    "fail_calls": Row(strike=both(lambda it: it.fail_calls(2), Faults.expire_token)),
}
#: What ends a fault is struck by the row of that fault.
ENDS = {"unmute": "mute", "lift_verification": "demand_verification", "calm": "every fault"}

#: Where the seller writes: a line may be left to them.
BY_HAND, LEFT = "老周", {"c1", "c2"}
#: When (s), and what happens then.
STEPS: tuple[tuple[float, Callable[[Story], None]], ...] = (
    (2.0, lambda it: it.buyer_says("小王", "a1")),
    (3.0, lambda it: it.buyer_says("小王", "a2")),
    (3.5, lambda it: it.buyer_says("阿杰", "b1")),
    (4.0, lambda it: it.faults.duplicate()),
    (4.5, lambda it: it.buyer_says("小王", "a3")),
    (7.0, lambda it: it.buyer_says(BY_HAND, "c1")),
    (8.0, lambda it: it.seller_says(BY_HAND, "我来")),
    (9.0, lambda it: it.buyer_says("阿杰", f"{LONG}1")),
    (10.0, lambda it: it.buyer_says(BY_HAND, "c2")),
    # A quiet time, in which the token becomes too old.
    (25.0, lambda it: it.buyer_says("小王", "a4")),
)
RENEWED_AT, OVER_AT, ENOUGH = 18.0, 30.0, 100.0
RIGHT_BEFORE = tuple(at for at, _ in STEPS)
#: While each message of a long answer is under way; as the token is renewed; while a line is
#: under way, its acknowledgement, the quiet time, the answer and its echo.
UNDER_WAY = (
    *(9.0 + after for after in (3.03, 3.07)),
    *(RENEWED_AT + after for after in (0, 0.03)),
    *(25.0 + after for after in (0.01, 0.03, 1.5, 3.03, 3.05, 3.07)),
)


def faults_of_the_simulator() -> list[str]:
    return [name for name, _ in inspect.getmembers(Faults, inspect.isfunction) if name[0] != "_"]


def an_old_token(story: Story) -> str:
    """Return a session whose token is to be renewed in the middle of the story."""
    fresh = sessions.new_session(Secret(story.sim.cookie_text), story.platform.rng)
    text = Secret(story.platform.world.grant(story.sim, fresh.device))
    good_until = EPOCH + round(1000 * RENEWED_AT)
    token = sessions.Token(text=text, fetched_at=EPOCH, good_until=good_until)
    return sessions.dumps(attrs.evolve(fresh, token=token))


async def tell(story: Story, row: Row | None, moment: float) -> None:
    """Tell the story; the fault strikes before what happens at the same time."""
    told = list(STEPS)
    if row is not None:
        told.insert(0, (moment, lambda it: row.strike(it.faults)))
        if row.end is not None:
            told.append((moment + row.lasts, lambda it: row.end(it.faults)))
    for at, step in sorted(told, key=lambda each: each[0]):
        await trio.sleep_until(at)
        step(story)
    await trio.sleep_until(OVER_AT)


async def run(row: Row | None, moment: float, echo: Echo) -> tuple[list[Fate], list[str]]:
    story = Story(platform=new_platform(seed=7, echo=echo))
    async with story.bot(an_old_token(story)) as shop:
        await tell(story, row, moment)
        story.calm()
        await trio.sleep(ENOUGH)
        story.buyer_says("新来的", "z1")
        await trio.sleep(20)
        return await reckon(story, shop)


def told(row: Row | None, moment: float = 0, echo: Echo = "after") -> tuple[list[Fate], list[str]]:
    clock = MockClock(autojump_threshold=0)
    return trio.run(run, row, moment, echo, clock=clock)


def test_every_fault_of_the_simulator_has_its_row() -> None:
    # Those of the order API strike sales.
    assert sorted([*ROWS, *ENDS, *SALES]) == sorted(faults_of_the_simulator())


@pytest.mark.parametrize("echo", ["after", "before", "never"])
def test_without_a_fault_every_line_is_answered_but_where_the_seller_writes(echo: Echo) -> None:
    fates, wrong = told(None, echo=echo)
    assert wrong == []
    assert {fate.word for fate in fates if fate.reason} <= LEFT


@pytest.mark.parametrize(
    "moments",
    [
        pytest.param(RIGHT_BEFORE, id="before each step"),
        pytest.param(UNDER_WAY, id="under way", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize(("fault", "echo"), [(f, e) for f in ROWS for e in ROWS[f].echoes])
def test_a_fault_at_any_moment_loses_no_line_and_doubles_no_answer(
    fault: str, echo: Echo, moments: tuple[float, ...]
) -> None:
    row = ROWS[fault]
    for moment in moments:
        fates, wrong = told(row, moment, echo)
        assert wrong == [], f"{fault} at {moment} s"
        unanswered = [fate for fate in fates if fate.reason and fate.word not in LEFT]
        may = row.unless.get(echo, ())
        unexplained = [each for each in unanswered if not any(why in each.reason for why in may)]
        assert unexplained == [], f"{fault} at {moment} s"
