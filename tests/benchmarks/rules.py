"""Measures how long it takes to find the rule that answers: `python tests/benchmarks/rules.py`.

The buyer's line is such that every rule must be ruled out, which is the longest way.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Iterator
from typing import Final, cast

import trio
from report import Add, Plan, Row, table

from xybot.clock import now_ms
from xybot.config import Mode, Rule
from xybot.egress import Outside
from xybot.model import AccountId, ChatId, Item, ItemId, Message, MessageId, Text, Turn, UserId
from xybot.replies.rules import Rules, general_rules
from xybot.replies.source import Means
from xybot.store.database import Store

_SIZES: Final = (10, 500, 5000)
_ROUNDS: Final = 200
_SIGNS: Final = "包邮多少钱便宜发货快递颜色尺寸新旧全新正品退换地址北京上海刀价格"
_LINE: Final = "老板你好，这个耳机还有货吗？包邮的话最低多少钱，能不能今天发货，地址在上海"
_MODES: Final[tuple[Mode, ...]] = ("contains", "expression", "regex")


def _keyword(mode: Mode, rng: random.Random) -> str:
    """Return a keyword of signs that the line has, which it does not have in this order."""
    one, two, three = ("".join(rng.sample(_SIGNS, 4)) for _ in range(3))
    match mode:
        case "expression":
            return f"({one} | {two}) & !{three}"
        case "regex":
            return f"{one}.*{two[:2]}"
        case _:
            return one


def _rules(mode: Mode, count: int) -> Rules:
    rng = random.Random(count)
    rules = [Rule(keywords=(_keyword(mode, rng),), mode=mode, reply="在的") for _ in range(count)]
    store = cast("Store", None)  # No rule looks into it.
    return general_rules(rules, Means(store=store, facts=_facts, outside=Outside(), now_ms=now_ms))


async def _facts(_account: AccountId, _item: ItemId) -> Item | None:
    return None


def _turns() -> Iterator[Turn]:
    for n in range(_ROUNDS):
        said = Message(
            id=MessageId(f"{n}.PNM"),
            chat=ChatId("1"),
            sender=UserId("2"),
            sender_name="小王",
            content=Text(f"{_LINE}{n}"),
            item=ItemId("81"),
            sent_at=now_ms(),
        )
        yield Turn(account=AccountId("shop-a"), chat=ChatId("1"), messages=(said,))


async def _milliseconds(rules: Rules) -> float:
    """Return the median CPU time of a look at all rules; others may use the machine."""
    times = []
    for turn in _turns():
        await rules.answer(turn)  # Once before, unmeasured: RE2 builds its tables as it reads.
        began = time.process_time()
        await rules.answer(turn)
        times.append((time.process_time() - began) * 1000)
    return statistics.median(times)


async def measure_rules(_plan: Plan, add: Add) -> None:
    """Time each kind of rule for each number of them, and compare the numbers."""
    for mode in _MODES:
        first = None
        for size in _SIZES:
            took = await _milliseconds(_rules(mode, size))
            first = first or took
            note = f"CPU, median of {_ROUNDS}; {took / first:.1f} times that of {_SIZES[0]} rules"
            add(Row(f"rules, {mode}, {size}", f"{took:.3f} ms", note))


async def main() -> None:
    """Measure and print."""
    rows: list[Row] = []
    await measure_rules(Plan(), rows.append)
    table(rows)


if __name__ == "__main__":
    sys.exit(trio.run(main))
