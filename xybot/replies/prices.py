"""How far a price goes down: arithmetic in fen, without chance and without a model.

Of floor, percent and yuan the strictest holds.  What we have named in a chat never rises again,
and once we took an offer, there is no further discount.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias, assert_never

import attrs

from xybot.config import Haggle
from xybot.config.selling import ROUNDS
from xybot.model import Item, Offer, Pass
from xybot.replies.offers import Asks, Less, Percent, PostFree, Price, Wish

_ROUND_TO: Final = (100, 10, 1)
"""Whole yuan, else ten fen, else fen: whatever is still a step down."""
_HARDLY: Final = 2
"""Who names more than so many times the price means something else: a size, a year."""
_WHOLE: Final = 100_00
"""A hundred percent, in hundredths."""


@attrs.frozen(kw_only=True)
class Limits:
    """How far we go; fen, and hundredths of a percent; None is no limit of that kind."""

    floor: int | None = attrs.field(default=None, repr=False)
    percent: int | None = None
    amount: int | None = None
    shares: tuple[int, ...] = (1,) * ROUNDS
    """Of the discount, for each round."""
    postage_included: bool = False

    def lowest(self, price: int) -> int:
        """Return the least that we take, at least one fen; above the price if the floor is."""
        floors = [1 if self.floor is None else self.floor]
        if self.percent is not None:
            floors.append(-(-price * (_WHOLE - self.percent) // _WHOLE))
        if self.amount is not None:
            floors.append(price - self.amount)
        if self.floor is self.percent is self.amount is None:
            floors.append(price)
        return max(1, *floors)


@attrs.frozen
class Counter:
    """Name this price (fen); `asked` is what the buyer offered, if it was a number."""

    fen: int
    asked: int | None


@attrs.frozen
class Accept:
    """Take the offer: at this price (fen), which is not above the listed one."""

    fen: int
    asked: int


@attrs.frozen
class LastWord:
    """Say once that there is no further discount: it stays at this price (fen)."""

    fen: int
    asked: int | None


Answer: TypeAlias = Counter | Accept | LastWord | Pass


def limits(setting: Haggle) -> Limits:
    """Turn settings, inherited already, into fen."""
    rounds = ROUNDS if setting.rounds is None else setting.rounds
    steps = setting.steps or (1,) * rounds
    return Limits(
        floor=_hundredths(setting.floor),
        percent=_hundredths(setting.max_percent),
        amount=_hundredths(setting.max_yuan),
        shares=tuple(round(100 * step) for step in steps),
        postage_included=bool(setting.postage_included),
    )


def _hundredths(value: float | None) -> int | None:
    return None if value is None else round(value * 100)


def listed(item: Item | None, written: float | None) -> int | Pass:
    """Return what an item costs (fen), by the platform, else as the seller wrote it (yuan)."""
    known = {sku.price for sku in item.skus if sku.price is not None} if item else set()
    if len(known) > 1:
        return Pass("各规格价格不同，请您亲自议价 (its variants differ in price)")
    price = item.price if item and item.price is not None else next(iter(known), None)
    price = _hundredths(written) if price is None else price
    return price or Pass("不知道这件商品的价格 (its price is not known)")


def counter(price: int, limits: Limits, past: Sequence[Offer], wish: Wish) -> Answer:
    """Answer an offer.

    Args:
      price: what the item costs, in fen.
      limits: how far it may go down.
      past: all that was offered in this chat and heard, the oldest first.
      wish: what the buyer wants now.
    """
    ours, lowest = min([price, *(x.made for x in past if x.made is not None)]), limits.lowest(price)
    if wrong := _unusable(price, lowest, ours):
        return Pass(wrong)
    inner, post_free = (wish.at, True) if isinstance(wish, PostFree) else (wish, False)
    if inner is None:
        return Pass("只问包邮，没有还价 (asks about postage only)")
    asked = _asked(inner, price, ours)
    if asked is not None and asked > _HARDLY * price:
        return Pass("比售价高得多，不像还价 (far above the price: hardly an offer)")
    following = _following(price, lowest, ours, _shares_so_far(limits, past))
    if asked is None or asked < (ours if following is None else following):
        return _refused(following, ours, asked, past)
    if post_free and not limits.postage_included:
        return Pass("价格可以，但要求包邮，请您决定 (a good price, but they want free postage)")
    return Accept(min(asked, ours), asked)


def _unusable(price: int, lowest: int, ours: int) -> str | None:
    """Tell what keeps us from naming any price; never an amount."""
    if lowest > price:
        return "底价高于售价，请检查设置 (the floor is above the price: check your settings)"
    if ours < lowest:
        return "还过的价已低于现在的设置，请您亲自回复 (settings changed since we named a price)"
    return None


def _refused(
    following: int | None, ours: int, asked: int | None, past: Sequence[Offer]
) -> Counter | LastWord | Pass:
    if following is not None:
        return Counter(following, asked)
    if any(offer.made is None for offer in past):
        return Pass("议价已结束 (haggling is over)")
    return LastWord(ours, asked)


def _asked(wish: Price | Percent | Less | Asks, price: int, ours: int) -> int | None:
    """Return what the buyer would pay; what they want off is meant from our last price."""
    match wish:
        case Price(fen):
            return fen
        case Percent(part):
            return price * part // 1000
        case Less(fen):
            return max(0, ours - fen)
        case Asks():
            return None
    assert_never(wish)


def _shares_so_far(limits: Limits, past: Sequence[Offer]) -> tuple[int, int] | None:
    """Return the part of the discount for this round and all before; None when all is over."""
    done = sum(offer.is_counter for offer in past)
    over = done >= len(limits.shares) or any(o.is_deal or o.made is None for o in past)
    return None if over else (sum(limits.shares[: done + 1]), sum(limits.shares))


def _following(price: int, lowest: int, ours: int, part: tuple[int, int] | None) -> int | None:
    """Return our next price, a step below the last; None when there is none."""
    if part is None:
        return None
    given, all_ = part
    target = price - (price - lowest) * given // all_
    rounded = (-(-target // unit) * unit for unit in _ROUND_TO)
    return next((each for each in rounded if each < ours), None)
