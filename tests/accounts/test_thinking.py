"""A shop whose replies a model writes: nobody but the one who asked waits for it."""

from __future__ import annotations

import pytest
import trio

from tests.conftest import Shop
from tests.replies.thinking import source
from xybot.accounts.chat import Patience
from xybot.errors import ReplyError
from xybot.model import Decision, Reply, Text, Turn
from xybot.replies.ai import Ai
from xybot.simulator.model import FakeModel, Says


def thinks(shop: Shop, ai: Ai) -> None:
    """Let a shop answer 规则 by a rule, and all else by a model."""

    async def decide(turn: Turn, _now: int) -> Decision:
        if "规则" in turn.text:
            said = Reply(contents=(Text("按规则"),), source="rules", because="规则")
            return Decision(reply=said, passed=())
        try:
            answer = await ai.answer(turn)
        except ReplyError as exc:
            return Decision(reply=None, passed=(("ai", str(exc)),))
        return Decision(reply=answer if isinstance(answer, Reply) else None, passed=())

    shop.decide = decide


async def test_a_model_that_takes_a_minute_delays_no_other_chat_and_no_heartbeat(
    autojump_clock, open_for_business: Shop
) -> None:
    shop, model = open_for_business, FakeModel(will=Says("想好了", after=60))
    shop.patience = Patience(debounce=1, heartbeat_interval=5, heartbeat_timeout=5, thinking=32)
    thinks(shop, source(shop.store, model, timeout=120))
    before, connects = trio.current_time(), len(shop.connects)
    for n in range(20):
        shop.says("在吗", buyer=f"慢{n}")
    await trio.sleep(2)
    assert model.at_once == 4
    shop.says("规则", buyer="快")
    await trio.sleep(2)
    assert shop.heard == ["按规则"]
    assert shop.heard_at[0] - before == pytest.approx(3, abs=0.2)
    await trio.sleep(130)
    assert shop.heard == ["按规则", *["想好了"] * 8]
    assert len(shop.connects) == connects
    assert shop.platform.on_line(shop.sim)


async def test_a_new_line_drops_the_question_and_asks_anew_with_all_lines(
    autojump_clock, open_for_business: Shop
) -> None:
    shop, model = open_for_business, FakeModel(will=Says("想好了", after=10))
    shop.patience = Patience(debounce=1)
    thinks(shop, source(shop.store, model))
    shop.says("在吗")
    await trio.sleep(5)
    assert model.at_once == 1
    shop.says("包装还在吗")
    await trio.sleep(0.5)
    assert model.hung_up.is_set()
    assert model.at_once == 0
    await trio.sleep(30)
    assert shop.heard == ["想好了"]
    assert [asked.last.count("吗") for asked in model.asked] == [1, 2]


async def test_the_next_question_is_told_what_was_said_before(
    autojump_clock, open_for_business: Shop
) -> None:
    shop, model = open_for_business, FakeModel(will=Says("在的"))
    shop.patience = Patience(debounce=0, manual_pause=0)
    thinks(shop, source(shop.store, model))
    shop.says("在吗")
    await trio.sleep(5)
    shop.platform.seller_says(shop.sim, "小王", "我本人回您一句")
    await trio.sleep(5)
    shop.says("好的")
    await trio.sleep(5)
    told = [(each["role"], each["content"]) for each in model.asked[-1].body["messages"][1:]]
    assert told == [
        ("user", "«买家»\n在吗\n«/买家»"),
        ("assistant", "在的\n我本人回您一句"),
        ("user", "«买家»\n好的\n«/买家»"),
    ]
