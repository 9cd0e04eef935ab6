"""What a model is told: its task, the facts, the conversation, and the buyer's words as such.

The buyer's words stand in user messages only, between marks that a buyer cannot write.
What is left out on purpose: how far a price may go down (`[haggle]`), who the buyer is.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final, TypeAlias

import attrs

from xybot.config import Ai
from xybot.config.ai import INTENTS, Intent
from xybot.model import Image, Item, Media, Photo, Text, Turn
from xybot.replies.ai.money import yuan
from xybot.store.codec import Kept
from xybot.store.conversation import Said

Prompt: TypeAlias = Sequence[Mapping[str, object]]
"""The `messages` of a chat completion."""

OPENED, CLOSED = "«买家»", "«/买家»"
_MARKS: Final = str.maketrans("«»", "<>")
_LONGEST_LINE: Final = 2_000
"""Characters of one thing that somebody said; the rest is left out."""
_LONGEST_DESCRIPTION: Final = 4_000


@attrs.frozen(kw_only=True)
class Prompts:
    """The fixed parts of what a model is told."""

    frame: str
    """What it must know of its place, whatever the seller wrote."""
    counter: str
    """How to word a counter-offer."""
    tasks: Mapping[Intent, str]

    def repeated_in(self, words: str) -> bool:
        """Tell whether an answer gives away what only the model was to read."""
        texts = (self.frame, self.counter, *self.tasks.values())
        lines = (line.strip() for text in texts for line in text.splitlines())
        return "«" in words or any(line in words for line in lines if len(line) >= _TELLING)


_TELLING: Final = 12
"""Characters of a line by which it is known again."""


def prompts_of(ai: Ai) -> Prompts:
    """Return the seller's prompts, or those that ship."""
    return Prompts(
        frame=_shipped("frame"),
        counter=_shipped("counter"),
        tasks={intent: _shipped(intent) for intent in INTENTS} | dict(ai.texts.prompts),
    )


def _shipped(name: str) -> str:
    files = importlib.resources.files("xybot.replies") / "prompts"
    return (files / f"{name}.txt").read_text(encoding="utf-8").strip()


@attrs.frozen(kw_only=True)
class Facts:
    """What a model may tell."""

    item: Item | None
    about: str
    """The seller's words on the item."""
    knowledge: str
    """The seller's words on the shop."""

    def text(self) -> str:
        """Render them for the model."""
        parts = (
            ("商品", _item(self.item) if self.item else "不知道是哪件商品"),
            ("卖家对这件商品的补充", self.about.strip()),
            ("店铺资料", self.knowledge.strip()),
        )
        return "\n\n".join(f"【{title}】\n{text}" for title, text in parts if text)


def _item(item: Item) -> str:
    lines = [f"标题：{item.title}"]
    if item.price is not None:
        lines.append(f"标价：{yuan(item.price)} 元")
    if item.stock is not None:
        lines.append(f"库存：{item.stock}")
    if item.status:
        lines.append(f"状态：{item.status}")
    for sku in item.skus:
        price = f"，{yuan(sku.price)} 元" if sku.price is not None else ""
        stock = f"，库存 {sku.stock}" if sku.stock is not None else ""
        lines.append(f"规格：{sku.name}{price}{stock}")
    if item.description:
        lines.append(f"描述：{item.description[:_LONGEST_DESCRIPTION]}")
    return "\n".join(lines)


def question(turn: Turn, system: Iterable[str], past: Sequence[Said], turns: int) -> Prompt:
    """Return all messages: the task, the last turns of the conversation, the buyer's words."""
    return (
        {"role": "system", "content": "\n\n".join(system)},
        *_conversation(turn, past, turns),
        {"role": "user", "content": _asked(turn)},
    )


def _conversation(turn: Turn, past: Sequence[Said], turns: int) -> Prompt:
    """Return the last turns before this one; what one side said at once is a message."""
    now = {message.id for message in turn.messages}
    before = [each for each in past if each.message not in now]
    sides = [(user, list(said)) for user, said in groupby(before, lambda x: x.who == "buyer")]
    return [
        {"role": "user", "content": _quoted(_words(said))}
        if user
        else {"role": "assistant", "content": _words(said)}
        for user, said in sides[max(0, len(sides) - turns) :]
    ]


def _words(said: Iterable[Said]) -> str:
    return "\n".join(_shown(each.content) for each in said)


def _shown(content: Kept) -> str:
    match content:
        case Text(text):
            return text[:_LONGEST_LINE]
        case Image() | Photo():
            return "[图片]"
        case Media(kind):
            return {"voice": "[语音]", "video": "[视频]", "expression": "[表情]"}[kind]


def _asked(turn: Turn) -> object:
    """Return the buyer's words, and their pictures if there are some."""
    words = _quoted(turn.text[:_LONGEST_LINE])
    urls = [each.content.url for each in turn.messages if isinstance(each.content, Image)]
    if not urls:
        return words
    pictures = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return [{"type": "text", "text": words}, *pictures]


def _quoted(words: str) -> str:
    return f"{OPENED}\n{words.translate(_MARKS)}\n{CLOSED}"
