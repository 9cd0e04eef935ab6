"""Settings of the AI source: `[ai]`, any endpoint that speaks the OpenAI chat protocol."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

import attrs
from attrs import field

from xybot.config import checks
from xybot.config.checks import by
from xybot.config.files import Merged
from xybot.config.problems import Misfit
from xybot.config.secrets import SecretSource, settle
from xybot.config.text import read_text

Intent: TypeAlias = Literal["price", "technical", "default"]
"""What a buyer wants to know; each has a prompt of its own."""

INTENTS: Final[tuple[Intent, ...]] = get_args(Intent)
LONGEST_TEXT: Final = 50_000
"""Characters of one file that the model is told with every question."""


@attrs.frozen(kw_only=True)
class AiTexts:
    """What stands in the files that `[ai]` names."""

    knowledge: str = ""
    prompts: Mapping[Intent, str] = attrs.Factory(dict)
    """The seller's own; empty: those that ship."""


@attrs.frozen(kw_only=True)
class Ai:
    """A model that answers within its scope, its facts and its budget."""

    url: str = field(default="", validator=by(checks.model_url))
    """Base url, such as `https://…/v1`; `/chat/completions` is added.

    Empty: the made-up model of the simulator.
    """
    key: SecretSource | None = None
    model: str = field(default="demo", validator=by(checks.not_blank))
    temperature: float = field(default=0.7, validator=by(checks.temperature))
    timeout: float = field(default=30.0, validator=by(checks.above_zero))
    """Seconds for the whole answer, waiting for a turn included."""
    at_once: int = field(default=4, validator=by(checks.above_zero))
    """Requests of one account at the same time; as many again may wait for their turn."""
    daily: int = field(default=500, validator=by(checks.not_negative))
    """Requests of one account within 24 hours; 0 is no limit."""
    per_chat: int = field(default=20, validator=by(checks.not_negative))
    """Requests of one chat within 24 hours; 0 is no limit."""
    turns: int = field(default=10, validator=by(checks.not_negative))
    """How much of the conversation the model is told: what one side says at once is a turn."""
    vision: bool = False
    """Whether the model can look at pictures; if not, they are the seller's."""
    knowledge: str = ""
    """A file with what the model may tell about the shop; beside bot.toml."""
    prompts: str = ""
    """A folder with `price.txt`, `technical.txt`, `default.txt`; empty: those that ship."""
    price_words: tuple[str, ...] = field(
        default=(
            "多少钱", "什么价", "价格", "最低", "底价", "便宜", "少点", "优惠", "打折", "讲价",
            "砍价", "小刀", "大刀", "可刀", "降价", "包邮", "卖不卖", "出不出", "诚心要",
        ),
        validator=by(checks.no_blanks),
    )  # fmt: skip
    """A question with one of these is about the price."""
    technical_words: tuple[str, ...] = field(
        default=(
            "型号", "参数", "配置", "尺寸", "怎么用", "怎么装", "怎么连", "说明书", "教程", "兼容",
            "支持", "功能", "驱动", "系统", "没反应", "故障", "坏了", "维修", "电池", "续航",
        ),
        validator=by(checks.no_blanks),
    )  # fmt: skip
    """A question with one of these is about how the thing works."""
    takes: tuple[str, ...] = field(default=(), validator=by(checks.no_blanks))
    """Words, one of which must be in a question that it may take; empty: any question."""
    leaves: tuple[str, ...] = field(default=(), validator=by(checks.no_blanks))
    """Words of questions that it must leave to others; they win."""
    texts: AiTexts = attrs.Factory(AiTexts)
    """What the files hold; the loader's, never written in TOML."""


def texts_of(ai: Ai, folder: Path) -> tuple[Path, ...]:
    """Return the files that `[ai]` names, whether they are there or not."""
    knowledge = [folder / ai.knowledge] if ai.knowledge else []
    prompts = [folder / ai.prompts / f"{intent}.txt" for intent in INTENTS] if ai.prompts else []
    return (*knowledge, *prompts)


def placed(ai: Ai, merged: Merged, folder: Path) -> Ai:
    """Tell the key where it was written, and read the files.

    Raises:
      Misfit: a file cannot be used; `key` is the setting that names it.
    """
    key = None if ai.key is None else settle(ai.key, merged.place(("ai", "key")), folder)
    knowledge = _read(folder / ai.knowledge, "knowledge") if ai.knowledge else ""
    prompts: dict[Intent, str] = {}
    if ai.prompts:
        files = folder / ai.prompts
        prompts = {intent: _read(files / f"{intent}.txt", "prompts") for intent in INTENTS}
    return attrs.evolve(ai, key=key, texts=AiTexts(knowledge=knowledge, prompts=prompts))


def _read(path: Path, key: str) -> str:
    try:
        text = read_text(path).strip()
    except Misfit as exc:
        raise Misfit(str(exc), key=key) from None
    if not text:
        raise Misfit(f"文件 {path} 是空的 (the file is empty)", key=key)
    if len(text) > LONGEST_TEXT:
        wrong = f"文件 {path} 太长，最多 {LONGEST_TEXT} 个字 (more than {LONGEST_TEXT} characters)"
        raise Misfit(wrong, key=key)
    return text
