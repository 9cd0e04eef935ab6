"""The source `ai`: what it takes, what it tells the model, and what of the answer it keeps.

A model can be talked into anything, so nothing rests on what it was told alone: the floor of
a price is in no prompt, and an answer that names a price nobody told the model, repeats its
instructions, or is no plain short text, never leaves this room.
"""

from __future__ import annotations

from typing import Final

import attrs
import structlog

from xybot import config
from xybot.config import Config
from xybot.config.ai import Intent
from xybot.config.selling import inherited
from xybot.errors import ConfigError, ReplyError
from xybot.model import Image, Media, Pass, Reply, Text, Turn
from xybot.replies.ai import money
from xybot.replies.ai.model import Model, NotNow
from xybot.replies.ai.money import Sum
from xybot.replies.ai.prompt import Facts, Prompts, prompts_of, question
from xybot.replies.source import Answer, Means
from xybot.secret import Secret
from xybot.store import conversation
from xybot.store.conversation import Said

log = structlog.get_logger()

_LINES_A_TURN: Final = 10
"""How many lines are read of the store for one turn of the conversation."""
_INTENTS: Final[dict[Intent, str]] = {"price": "价格", "technical": "技术", "default": "一般"}
_DECLINED: Final = frozenset("-－—–―‐−")


@attrs.frozen(kw_only=True)
class _Scope:
    """Which questions the model may take."""

    takes: tuple[str, ...]
    leaves: tuple[str, ...]
    price: tuple[str, ...]
    technical: tuple[str, ...]

    def objection(self, text: str) -> str | None:
        """Return why a question is left to others, None when it is taken."""
        if word := _first(self.leaves, text):
            return f"含有 ai.leaves 的词 “{word}” (to be left to others)"
        if self.takes and _first(self.takes, text) is None:
            return "没有 ai.takes 的词 (none of the words it may take)"
        return None

    def intent(self, text: str) -> Intent:
        if _first(self.price, text):
            return "price"
        return "technical" if _first(self.technical, text) else "default"


def _first(words: tuple[str, ...], text: str) -> str | None:
    folded = text.casefold()
    return next((word for word in words if word.casefold() in folded), None)


@attrs.frozen(kw_only=True)
class Ai:
    """Answers what is in its scope by asking a model."""

    name: str = "ai"
    _config: Config
    _settings: config.Ai
    _model: Model
    _means: Means
    _prompts: Prompts
    _scope: _Scope

    async def answer(self, turn: Turn) -> Answer:
        """Answer a turn by the model's words, or pass and say why.

        Raises:
          ReplyError: the model gave no answer, or none that can be used.
        """
        if objection := self._objection(turn):
            return Pass(objection)
        intent = self._scope.intent(turn.text)
        if intent == "price" and _haggles(self._config, turn):
            return Pass("价格由议价来答 (prices are left to haggling)")
        try:
            return await self._answer(turn, intent)
        except NotNow as exc:
            return Pass(str(exc))

    def _objection(self, turn: Turn) -> str | None:
        if not self._settings.url:
            return "模拟器没有在运行，没有模型可问 (no model: the simulator is not running)"
        contents = [message.content for message in turn.messages]
        if any(isinstance(each, Media) and each.kind != "expression" for each in contents):
            return "有语音或视频，请您亲自看 (a voice message or a video)"
        if any(isinstance(each, Image) for each in contents):
            if not self._settings.vision:
                return "有图片，请您亲自看 (a picture: the model cannot see)"
        elif not turn.text.strip():
            return "没有文字 (no words)"
        return self._scope.objection(turn.text)

    async def _answer(self, turn: Turn, intent: Intent) -> Answer:
        facts, past = await self._facts(turn), await self._past(turn)
        system = (self._prompts.frame, self._prompts.tasks[intent], facts.text())
        words = await self._model.ask(turn, question(turn, system, past, self._settings.turns))
        if objection := self._refused(turn, words, facts):
            return Pass(objection)
        because = f"模型 {self._settings.model}，{_INTENTS[intent]} ({intent})"
        return Reply(contents=(Text(words),), source=self.name, because=because)

    def _refused(self, turn: Turn, words: str, facts: Facts) -> str | None:
        """Return why an answer is not to be said."""
        if not words:
            return "模型什么也没说 (an empty answer)"
        if _declined(words):
            return "模型说这话不该由它来答 (the model declined)"
        if self._prompts.repeated_in(words):
            return "模型在复述给它的指令 (it repeats its instructions)"
        if cheap := money.invented(words, _told(facts), turn.text, _price(facts)):
            named = "、".join(money.yuan(each.fen) for each in cheap)
            return f"模型自己报了价 (a price that nobody told it): {named}"
        return None

    async def _facts(self, turn: Turn) -> Facts:
        knowledge = self._settings.texts.knowledge
        if turn.item is None:
            return Facts(item=None, about="", knowledge=knowledge)
        known = self._config.items.get(turn.item)
        item = await self._means.facts(turn.account, turn.item)
        return Facts(item=item, about=known.facts if known else "", knowledge=knowledge)

    async def _past(self, turn: Turn) -> tuple[Said, ...]:
        most = _LINES_A_TURN * self._settings.turns + len(turn.messages)
        return await self._means.store.transact(
            conversation.recent, turn.account, turn.chat, most=most
        )

    async def word(self, turn: Turn, price: int) -> str | None:
        """Put a price that is decided (fen) into words; None when the model has none of use.

        The words name that price and no other number that looks like one.
        """
        if self._objection(turn):
            return None
        try:
            words = await self._word(turn, price)
        except NotNow:
            return None
        except ReplyError as exc:
            log.warning("source.failed", account=turn.account, source=self.name, reason=str(exc))
            return None
        usable = words and not self._prompts.repeated_in(words) and money.names_only(words, price)
        return words if usable else None

    async def _word(self, turn: Turn, price: int) -> str:
        facts = await self._facts(turn)
        decided = f"这次的价格：{money.yuan(price)} 元"
        system = (self._prompts.frame, self._prompts.counter, facts.text(), decided)
        past = await self._past(turn)
        return await self._model.ask(turn, question(turn, system, past, self._settings.turns))


def _declined(words: str) -> bool:
    return set(words.strip(" \"'“”「」。.")) <= _DECLINED


def _told(facts: Facts) -> frozenset[Sum]:
    return money.sums(facts.text())


def _price(facts: Facts) -> int | None:
    if facts.item is None:
        return None
    return money.lowest((facts.item.price, *(sku.price for sku in facts.item.skus)))


def _haggles(config: Config, turn: Turn) -> bool:
    """Tell whether prices are haggled for by code: set for the item, the account, or all."""
    item = config.items.get(turn.item) if turn.item else None
    accounts = (each.haggle for each in config.accounts if each.id == turn.account)
    levels = (*((item.haggle,) if item else ()), *accounts, config.haggle)
    return bool(inherited(*levels).enabled)


def ai_source(config: Config, means: Means) -> Ai | None:
    """Return the source of `[ai]`; None when there is no such section.

    Raises:
      ConfigError: its key cannot be read, or is none.
    """
    settings = config.ai
    if settings is None:
        return None
    key = settings.key.resolve() if settings.key else None
    if key is not None and not _can_be_sent(key):
        raise ConfigError("ai.key: 密钥里有空格、换行或中文 (not what a key can be)")
    return Ai(
        config=config,
        settings=settings,
        means=means,
        model=Model(settings=settings, key=key, means=means),
        prompts=prompts_of(settings),
        scope=_Scope(
            takes=settings.takes,
            leaves=settings.leaves,
            price=settings.price_words,
            technical=settings.technical_words,
        ),
    )


def _can_be_sent(key: Secret) -> bool:
    text = key.reveal()
    return text.isascii() and text.isprintable() and " " not in text
