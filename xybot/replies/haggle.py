"""Haggling: the offer is read by code and answered by arithmetic; a model only finds words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias, assert_never

import attrs
import structlog

from xybot.config import Config, Haggle
from xybot.config.selling import SHIPPED, inherited
from xybot.model import AccountId, Item, ItemId, Offer, Pass, Reply, Text, Turn
from xybot.replies import offers, prices
from xybot.replies.hours import local_time
from xybot.replies.prices import Accept, Counter, LastWord
from xybot.replies.source import Answer, Means, Source, variables, yuan
from xybot.store import haggles
from xybot.template import render

log = structlog.get_logger()

Word: TypeAlias = Callable[[Turn, int], Awaitable[str | None]]
"""Puts a counter-offer (fen) into words that name exactly this price; None: it cannot."""
Named: TypeAlias = Counter | Accept | LastWord


def haggling(config: Config, means: Means, word: Word | None = None) -> Source:
    """Return the source that haggles where the seller allows it.

    Args:
      config: whose `[haggle]` tables count, those of items first, then of accounts.
      means: who knows the prices, and what was offered before.
      word: who words counter-offers; without it, or when it fails, `haggle.reply` does.
    """
    return Haggling(config=config, means=means, word=word)


def floors(config: Config, means: Means) -> Callable[[Turn], Awaitable[int | None]]:
    """Return who tells the least price (fen) that may be named in a turn; None: any."""

    async def floor(turn: Turn) -> int | None:
        setting = _setting(config, turn.account, turn.item)
        limits = prices.limits(setting)
        if not setting.enabled or turn.item is None:
            return limits.floor
        facts = await means.facts(turn.account, turn.item)
        price = prices.listed(facts, _written(config, turn.item))
        return limits.floor if isinstance(price, Pass) else limits.lowest(price)

    return floor


@attrs.frozen(kw_only=True)
class Haggling:
    """Answers offers; says its last word once, then leaves the chat to others."""

    config: Config
    means: Means
    word: Word | None
    name: str = "haggle"

    async def answer(self, turn: Turn) -> Answer:
        """Answer an offer in the turn by a price, by taking it, or by the last word."""
        setting = _setting(self.config, turn.account, turn.item)
        if not setting.enabled:
            return Pass("没有开启议价 (haggling is not enabled)")
        if turn.item is None:
            return Pass("不知道是哪件商品 (no item)")
        wish = offers.read(turn.text)
        if wish is None:
            return Pass("没有还价 (no offer in the words)")
        facts = await self.means.facts(turn.account, turn.item)
        price = prices.listed(facts, _written(self.config, turn.item))
        if isinstance(price, Pass):
            return price
        limits = prices.limits(setting)
        if limits.lowest(price) > price:
            log.warning("haggle.floor_above_price", account=turn.account, item=turn.item)
        past = await self.means.store.transact(haggles.past, turn.account, turn.chat, turn.item)
        said = prices.counter(price, limits, past, wish)
        if isinstance(said, Pass):
            return said
        words = await self._words(said, setting, turn, facts)
        return _reply(self.name, words, said, turn.item)

    async def _words(self, said: Named, setting: Haggle, turn: Turn, facts: Item | None) -> str:
        if isinstance(said, Counter) and self.word:
            # No model words an agreement, or the end.
            worded = await self.word(turn, said.fen)
            if worded is not None:
                return worded
        known = variables(turn, facts, local_time(self.means.now_ms(), None))
        return render(_template(said, setting), {**known, "price": yuan(said.fen)})


def _template(said: Named, setting: Haggle) -> str:
    match said:
        case Counter():
            words = setting.reply
        case Accept():
            words = setting.accept
        case LastWord():
            words = setting.last
        case _:
            assert_never(said)
    assert words is not None
    return words


def _reply(source: str, words: str, said: Named, item: ItemId) -> Reply:
    made = None if isinstance(said, LastWord) else said.fen
    asked = "便宜点 (cheaper)" if said.asked is None else yuan(said.asked)
    answered = "最后一句 (last word)" if made is None else yuan(made)
    return Reply(
        contents=(Text(words),),
        source=source,
        because=f"{asked} → {answered} [haggle]",
        offer=Offer(item=item, asked=said.asked, made=made),
    )


def _setting(config: Config, account: AccountId, item: ItemId | None) -> Haggle:
    of_item = config.items.get(item) if item is not None else None
    of_account = (each.haggle for each in config.accounts if each.id == account)
    levels = (*((of_item.haggle,) if of_item else ()), *of_account, config.haggle)
    return inherited(*levels, SHIPPED)


def _written(config: Config, item: ItemId) -> float | None:
    of_item = config.items.get(item)
    return of_item.price if of_item else None
