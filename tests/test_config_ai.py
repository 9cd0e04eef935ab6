"""Promises of `[ai]`: what it may say, its files, its key, and how a mistake is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_config import SIMULATOR, load_text, mistake, private
from xybot.config import Ai, AiTexts, FromFile
from xybot.config.ai import INTENTS, LONGEST_TEXT

AI = '[ai]\nurl = "https://example.com/v1"\nmodel = "m-1"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bot.d").mkdir()
    return tmp_path


def ai_of(folder: Path, text: str) -> Ai:
    found = load_text(folder, text).config.ai
    assert found is not None
    return found


def prompts(folder: Path) -> Path:
    where = folder / "prompts"
    where.mkdir()
    for intent in INTENTS:
        (where / f"{intent}.txt").write_text(f"任务 {intent}\n", encoding="utf-8")
    return where


def test_without_the_section_there_is_no_ai(folder: Path) -> None:
    assert load_text(folder, "").config.ai is None


def test_a_url_and_a_model_are_enough(folder: Path) -> None:
    found = ai_of(folder, AI)
    assert (found.url, found.model, found.key) == ("https://example.com/v1", "m-1", None)
    assert found.texts == AiTexts()


def test_with_the_simulator_not_even_a_url_is_needed(folder: Path) -> None:
    assert ai_of(folder, SIMULATOR + "[ai]").url == ""
    assert mistake(folder, "[ai]").startswith("bot.toml: ai.url: 缺少模型的网址")


def test_the_files_are_read_and_watched(folder: Path) -> None:
    where = prompts(folder)
    (folder / "shop.txt").write_text("\ufeff周日不发货\n", encoding="utf-8")
    loaded = load_text(folder, AI + 'prompts = "prompts"\nknowledge = "shop.txt"')
    assert loaded.config.ai is not None
    assert loaded.config.ai.texts == AiTexts(
        knowledge="周日不发货", prompts={intent: f"任务 {intent}" for intent in INTENTS}
    )
    watched = {folder / "shop.txt", *(where / f"{intent}.txt" for intent in INTENTS)}
    assert watched <= set(loaded.files)
    (folder / "shop.txt").write_text("周六也不发货", encoding="utf-8")
    changed = load_text(folder, AI + 'prompts = "prompts"\nknowledge = "shop.txt"')
    assert changed.config != loaded.config


@pytest.mark.parametrize("missing", INTENTS)
def test_a_prompt_that_is_missing_is_refused_with_the_path_of_the_key(
    folder: Path, missing: str
) -> None:
    (prompts(folder) / f"{missing}.txt").unlink()
    line = mistake(folder, AI + 'prompts = "prompts"')
    assert line.startswith("bot.toml: ai.prompts: 找不到文件")
    assert f"{missing}.txt" in line


@pytest.mark.parametrize(
    ("content", "why"),
    [("", "是空的"), (" \n", "是空的"), ("x" * (LONGEST_TEXT + 1), "太长"), (None, "找不到文件")],
)
def test_a_knowledge_file_of_no_use_is_refused_with_the_path_of_the_key(
    folder: Path, content: str | None, why: str
) -> None:
    if content is not None:
        (folder / "shop.txt").write_text(content, encoding="utf-8")
    line = mistake(folder, "", more=AI + 'knowledge = "shop.txt"')
    assert line.startswith("bot.d/more.toml: ai.knowledge: ")
    assert why in line


def test_the_key_may_be_in_a_file_of_its_own(folder: Path) -> None:
    file = private(folder / "ai.key", "sk-s3cr3t\n")
    loaded = load_text(folder, AI + 'key = { file = "ai.key" }')
    assert loaded.config.ai is not None
    assert isinstance(loaded.config.ai.key, FromFile)
    assert loaded.config.ai.key.resolve().reveal() == "sk-s3cr3t"
    assert file in loaded.files
    file.chmod(0o644)
    (warning,) = [each for each in load_text(folder, AI + 'key = { file = "ai.key" }').warnings
                  if "chmod" in each]  # fmt: skip
    assert warning.startswith("bot.toml: ai.key: ")


def test_a_key_in_the_text_is_shown_nowhere(folder: Path) -> None:
    assert "s3cr3t" not in repr(load_text(folder, AI + 'key = "sk-s3cr3t"'))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[ai]\nurl = "example.com"', "ai.url: 应以 https:// 或 http:// 开头"),
        (AI.replace("m-1", " "), "ai.model: 不能为空"),
        (AI + "temperature = 2.5", "ai.temperature: 应在 0 到 2 之间"),
        (AI + "timeout = 0", "ai.timeout: 必须大于 0"),
        (AI + "at_once = 0", "ai.at_once: 必须大于 0"),
        (AI + "daily = -1", "ai.daily: 不能是负数"),
        (AI + "per_chat = -1", "ai.per_chat: 不能是负数"),
        (AI + "turns = -1", "ai.turns: 不能是负数"),
        (AI + 'takes = [" "]', "ai.takes: 不能有空的"),
        (AI + 'leaves = [""]', "ai.leaves: 不能有空的"),
        (AI + 'price_words = [""]', "ai.price_words: 不能有空的"),
        (AI + 'texts = "x"', "ai.texts: 未知的设置"),
        (AI + "vision = 1", "ai.vision: 应为 true 或 false"),
    ],
)
def test_a_mistake_in_it_is_told_with_its_key(folder: Path, text: str, line: str) -> None:
    assert mistake(folder, text).startswith(f"bot.toml: {line}")
