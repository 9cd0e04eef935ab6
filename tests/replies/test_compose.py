"""Who is asked for a reply, in which order, and what is written down of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import attrs
import pytest

from tests.replies.samples import NOW, line, rule, turn
from xybot.config import Config, Default, Replies
from xybot.errors import ConfigError, ReplyError, StoreUnavailable
from xybot.model import Decision, Pass, Reply, Text, Turn
from xybot.replies import gates
from xybot.replies.compose import Composer, composer
from xybot.replies.source import Answer
from xybot.store.database import Store, inline, open_store


@attrs.frozen
class Fixed:
    """Always says the same."""

    name: str
    says: Answer | Exception
    asked: list[Turn] = attrs.Factory(list)

    async def answer(self, turn: Turn) -> Answer:
        self.asked.append(turn)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


def reply(words: str, source: str) -> Reply:
    return Reply(contents=(Text(words),), source=source, because="because")


def asking(*sources: Fixed, expiry: float = 300) -> Composer:
    return Composer(sources=sources, expiry=expiry)


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    async with open_store(None, run=inline) as opened:
        yield opened


async def test_the_first_reply_counts_and_nobody_is_asked_after_it() -> None:
    first, second = Fixed("a", Pass("no")), Fixed("b", reply("yes", "b"))
    third = Fixed("c", reply("me too", "c"))
    decision = await asking(first, second, third).decide(turn("在吗"), NOW)
    assert decision == Decision(reply=reply("yes", "b"), passed=(("a", "no"),))
    assert decision.why == "b: because"
    assert third.asked == []


async def test_without_a_reply_every_reason_is_told() -> None:
    decision = await asking(Fixed("a", Pass("no")), Fixed("b", Pass("never"))).decide(
        turn("在吗"), NOW
    )
    assert decision == Decision(reply=None, passed=(("a", "no"), ("b", "never")))
    assert decision.why == "a: no; b: never"


async def test_a_silent_reply_ends_the_search() -> None:
    silent = Reply(contents=(), source="a", because="x")
    later = Fixed("b", reply("yes", "b"))
    decision = await asking(Fixed("a", silent), later).decide(turn("在吗"), NOW)
    assert decision.reply == silent
    assert later.asked == []


async def test_a_source_that_is_broken_is_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    broken = Fixed("ai", ReplyError("HTTP 500"))
    decision = await asking(broken, Fixed("b", reply("yes", "b"))).decide(turn("在吗"), NOW)
    assert decision.reply == reply("yes", "b")
    assert decision.passed == (("ai", "出错 (failed): HTTP 500"),)
    assert "HTTP 500" in capsys.readouterr().out


async def test_any_other_error_is_not_swallowed() -> None:
    for error in (KeyError("bug"), StoreUnavailable("locked")):
        with pytest.raises(type(error)):
            await asking(Fixed("a", error)).decide(turn("在吗"), NOW)


async def test_only_the_part_that_is_not_too_old_is_answered() -> None:
    source = Fixed("a", Pass("no"))
    lines = [
        line("old", 1, sent_at=NOW - 300_001),
        line("just", 2, sent_at=NOW - 300_000),
        line("new", 3, sent_at=NOW),
        line("from a clock ahead", 4, sent_at=NOW + 60_000),
    ]
    await asking(source).decide(turn(*lines), NOW)
    (asked,) = source.asked
    assert asked.text == "just\nnew\nfrom a clock ahead"


async def test_a_turn_that_is_too_old_is_the_sellers() -> None:
    source = Fixed("a", reply("yes", "a"))
    asked = turn(line("在吗", sent_at=NOW - 90 * 60_000))
    decision = await asking(source).decide(asked, NOW)
    assert decision.reply is None
    ((gate, reason),) = decision.passed
    assert gate == "message_expiry"
    assert "90 min" in reason
    assert source.asked == []


def test_with_no_expiry_only_what_comes_this_moment_is_fresh() -> None:
    assert gates.fresh(turn("在吗"), NOW, 0) == turn("在吗")
    assert isinstance(gates.fresh(turn("在吗"), NOW + 1, 0), Pass)


CONFIG = Config(
    rules=(rule("邮", n=0), rule("邮", n=1, items=("81",))),
    default=Default(reply="稍等"),
)


async def source_of(config: Config, store: Store, text: str, item: str = "81") -> str | None:
    decision = await composer(config, store).decide(turn(text, item=item), NOW)
    return decision.reply.source if decision.reply else None


async def test_the_order_is_that_of_the_settings(store: Store) -> None:
    assert await source_of(CONFIG, store, "包邮吗") == "item_rules"
    assert await source_of(CONFIG, store, "包邮吗", item="9") == "rules"
    assert await source_of(CONFIG, store, "在吗") == "default"
    for first in ("rules", "default"):
        order = Replies(order=(first, "item_rules"))
        assert await source_of(attrs.evolve(CONFIG, replies=order), store, "包邮吗") == first
    none = attrs.evolve(CONFIG, replies=Replies(order=()))
    assert await source_of(none, store, "包邮吗") is None


async def test_a_decision_names_all_who_passed(store: Store) -> None:
    config = attrs.evolve(CONFIG, default=None)
    decision = await composer(config, store).decide(turn("在吗"), NOW)
    assert [source for source, _ in decision.passed] == ["item_rules", "rules", "default"]
    assert all(reason for _, reason in decision.passed)


async def test_a_bad_pattern_makes_no_composer(store: Store) -> None:
    config = Config(rules=(rule("(", n=4, mode="regex"),))
    with pytest.raises(ConfigError, match=r"rules\[4\]"):
        composer(config, store)
