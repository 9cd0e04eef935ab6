"""The made-up model: over a real port, and whoever hangs up is noticed."""

from __future__ import annotations

import trio

from xybot.egress import Asked, Outside
from xybot.replies.ai.reading import Reader
from xybot.simulator.model import FakeModel, Says, open_model

QUESTION = {"messages": [{"role": "user", "content": "成色怎么样，有没有划痕"}]}


def asked(url: str) -> Asked:
    return Asked(url=f"{url}/chat/completions", body=QUESTION, headers={}, timeout=20)


async def test_small_talk_is_streamed_over_a_real_port() -> None:
    reader = Reader()
    async with open_model(FakeModel()) as url:
        answer = await Outside().stream_json(asked(url), reader.feed)
    assert answer.status == 200
    assert "成色" in reader.text()


async def test_a_request_that_is_cancelled_is_dropped_with_its_connection() -> None:
    model = FakeModel(will=Says("在的", after=600))
    async with open_model(model) as url, trio.open_nursery() as nursery:
        nursery.start_soon(Outside().stream_json, asked(url), Reader().feed)
        await model.heard.wait()
        assert not model.hung_up.is_set()
        nursery.cancel_scope.cancel()
        with trio.fail_after(5), trio.CancelScope(shield=True):
            await model.hung_up.wait()
    assert model.at_once == 0
