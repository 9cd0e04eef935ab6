"""Models that misbehave, are slow, cost too much or ask for patience."""

from __future__ import annotations

import attrs
import pytest
import structlog
import trio

from tests.replies.samples import said, turn
from tests.replies.thinking import open_ai, reason, source
from xybot.config import FromText
from xybot.errors import ConfigError, ReplyError
from xybot.model import Pass
from xybot.replies.ai.reading import LONGEST
from xybot.secret import Secret
from xybot.simulator.model import (
    Behaviour,
    BreaksOff,
    CallsTool,
    FakeModel,
    Refuses,
    Says,
    Sends,
)
from xybot.store.ai_calls import DAY
from xybot.store.database import inline, open_store

KEY = "sk-s3cr3t-0123456789"

# Models that misbehave

BAD: dict[str, tuple[Behaviour, str]] = {
    "silent": (Says(""), "an empty answer"),
    "blank": (Says(" \n "), "an empty answer"),
    "thinks only": (Says("<think>先想想"), "an empty answer"),
    "long": (Says("好" * (LONGEST + 1)), "more than 2000 characters"),
    "200 kB": (Says("x" * 200_000), "回答太长"),
    "endless": (Sends(b"x" * 3_000_000), "too many bytes"),
    "tool call": (CallsTool(), "a tool call"),
    "nonsense": (Sends(b"data: {nonsense\n\ndata: [DONE]\n\n"), "not the JSON"),
    "html": (Sends(b"<html>\n<body>502</body></html>"), "not the JSON"),
    "deep": (Sends(b"data: " + b"[" * 50_000), "not the JSON"),
    "list": (Sends(b"[1, 2]"), "not the JSON"),
    "nothing": (Sends(b""), "not the JSON"),
    "no choices": (Sends(b'{"choices": []}'), "broke off"),
    "breaks off": (BreaksOff("好的，我给您"), "broke off"),
    "error inside": (Sends(b'data: {"error": {"message": "sk-s3cr3t"}}\n\n'), "reports an error"),
    "cut": (
        Sends(b'{"choices":[{"message":{"content":"a"},"finish_reason":"length"}]}'),
        "cut off",
    ),
    "400": (Refuses(400), "HTTP 400"),
    "401": (Refuses(401), "ai.key"),
    "404": (Refuses(404), "ai.model"),
    "500": (Refuses(500), "HTTP 500"),
    "teapot": (Refuses(418), "HTTP 418"),
}


@pytest.mark.parametrize("case", BAD)
async def test_what_is_no_plain_short_answer_never_reaches_a_buyer(
    autojump_clock, case: str
) -> None:
    will, why = BAD[case]
    assert why in await reason(FakeModel(will=will), "在吗")


async def test_what_a_model_thinks_aloud_is_not_said(autojump_clock) -> None:
    model = FakeModel(will=Says(f"<think>{'想' * 5_000}</think>\n在的"))
    async with open_ai(model) as ai:
        assert await said(ai, turn("在吗")) == "在的"


async def test_a_slow_model_is_given_up_in_time(autojump_clock) -> None:
    before = trio.current_time()
    why = await reason(FakeModel(will=Says("在", after=60)), "在吗", timeout=7)
    assert "7 s" in why
    assert trio.current_time() - before == pytest.approx(7, abs=0.1)


async def test_the_key_is_in_no_error_no_log_and_no_repr(autojump_clock) -> None:
    with structlog.testing.capture_logs() as logs:
        for status in (400, 401, 429, 500):
            async with open_ai(FakeModel(will=Refuses(status)), key=FromText(Secret(KEY))) as ai:
                assert "s3cr3t" not in repr(ai)
                with pytest.raises(ReplyError) as caught:
                    await ai.answer(turn("在吗"))
                assert "s3cr3t" not in str(caught.value)
                assert await ai.word(turn("80行不行"), 8_000) is None
    assert logs
    assert "s3cr3t" not in str(logs)


@pytest.mark.parametrize("key", ["sk a", "sk\nx", "口令"])
async def test_what_can_be_no_key_is_refused_unseen(key: str) -> None:
    async with open_store(None, run=inline) as store:
        with pytest.raises(ConfigError, match=r"ai\.key") as caught:
            source(store, FakeModel(), key=FromText(Secret(key)))
    assert key not in str(caught.value)


# Patience and budget


@pytest.mark.parametrize("asks", ["30", "Sat, 01 Jan 2095 00:00:00 GMT"])
async def test_after_too_many_requests_an_account_waits_as_long_as_it_is_told(
    autojump_clock, asks: str
) -> None:
    model = FakeModel(will=Refuses(429, asks))
    async with open_ai(model) as ai:
        with pytest.raises(ReplyError, match="too many requests"):
            await ai.answer(turn("在吗"))
        model.will = Says("在的")
        await trio.sleep(29)
        answer = await ai.answer(turn("在吗"))
        assert isinstance(answer, Pass)
        assert "it wants to be asked in" in answer.reason
        assert len(model.asked) == 1
        assert await said(ai, turn("在吗", account="shop-b")) == "在的"
        await trio.sleep(2 if asks == "30" else 86_400)
        assert await said(ai, turn("在吗")) == "在的"


@pytest.mark.parametrize("asks", ["", "soon", "-5", "Wed, 99 Foo 2090", "Mon, 01 Jan 1990 00:00"])
async def test_a_refusal_that_names_no_time_stops_nobody(autojump_clock, asks: str) -> None:
    model = FakeModel(will=Refuses(503, asks))
    async with open_ai(model) as ai:
        with pytest.raises(ReplyError):
            await ai.answer(turn("在吗"))
        model.will = Says("在的")
        assert await said(ai, turn("在吗")) == "在的"


async def test_a_budget_holds_for_a_chat_and_for_an_account_until_a_day_has_passed(
    autojump_clock,
) -> None:
    model = FakeModel(will=Says("在的"))

    def of(chat: str, account: str = "shop-a"):
        return attrs.evolve(turn("在吗", account=account), chat=chat)

    async with open_ai(model, per_chat=2, daily=3) as ai:
        heard = [await said(ai, of(chat)) for chat in ("a", "a", "a", "b", "c")]
        assert heard == ["在的", "在的", None, "在的", None]
        assert await said(ai, of("c", account="shop-b")) == "在的"
        assert len(model.asked) == 4
        await trio.sleep(DAY / 1000 + 1)
        assert await said(ai, of("a")) == "在的"


async def test_so_many_ask_at_once_as_many_may_wait_and_the_others_are_not_kept(
    autojump_clock,
) -> None:
    model, heard = FakeModel(will=Says("在的", after=5)), []
    async with open_ai(model, at_once=2) as ai, trio.open_nursery() as nursery:

        async def ask() -> None:
            heard.append(await said(ai, turn("在吗")))

        for _ in range(6):
            nursery.start_soon(ask)
        await trio.sleep(1)
        assert heard == [None, None]
        assert await said(ai, turn("在吗", account="shop-b")) == "在的"
    assert heard == [None, None, *["在的"] * 4]
    assert model.most_at_once == 3
