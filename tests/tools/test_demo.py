"""The demo: an AI can be seen at work without a key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.replies.samples import said, turn
from tests.replies.thinking import facts, now_ms
from xybot.config import Simulator, load
from xybot.egress import Outside
from xybot.replies.ai import ai_source
from xybot.replies.source import Means
from xybot.store.database import open_store
from xybot.tools.demo import open_demo

SIMULATED = '[simulator]\nenabled = true\n[[accounts]]\nid = "a"\n'


async def test_an_ai_without_an_address_is_the_made_up_model_of_the_simulator(
    tmp_path: Path,
) -> None:
    path = tmp_path / "bot.toml"
    path.write_text(SIMULATED + "[ai]\n", encoding="utf-8")
    loaded = load(path)
    async with open_store(None) as store:
        means = Means(store=store, facts=facts, outside=Outside(), now_ms=now_ms)
        alone = ai_source(loaded.config, means)
        assert alone is not None
        assert await said(alone, turn("成色怎么样")) is None
        async with open_demo(Simulator(enabled=True, seed=1)) as demo:
            ai = ai_source(demo.complete(loaded).config, means)
            assert ai is not None
            assert "成色" in (await said(ai, turn("成色怎么样")) or "")
            assert await said(ai, turn("我要投诉")) is None


@pytest.mark.parametrize("more", ["", '[ai]\nurl = "https://example.com/v1"\nmodel = "m"\n'])
async def test_settings_that_lack_no_model_stay_as_they_are(tmp_path: Path, more: str) -> None:
    path = tmp_path / "bot.toml"
    path.write_text(SIMULATED + more, encoding="utf-8")
    loaded = load(path)
    async with open_demo(Simulator(enabled=True, seed=1)) as demo:
        assert demo.complete(loaded) is loaded
