"""The sums in a model's words that a buyer could hold the seller to.

It errs on the side of seeing too many: a number that is taken for a price keeps an answer
back, one that is overlooked may sell something for it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Set
from typing import Final

import attrs

from xybot.replies.amounts import AMOUNT, fen

_MONEY: Final = r"元|块|圆|¥|rmb|yuan|毛|折|包邮"
#: Who says one of these right before or after a number speaks of a price.
_BEFORE: Final = r"便宜|优惠|立?减|再?少|让|降到?|只要|价|卖|¥"
_AFTER: Final = r"[就也都我]{0,3}(?:可以|行|好了|吧|卖|出|给你|给您|成交|拿走|拿去|带走|拍)"
#: What a number counts when it counts no money.
_THINGS: Final = (
    r"个|件|台|只|双|套|张|条|本|部|盒|包|瓶|次|位|人|天|日|号|月|年|周|小时|分钟|秒|点|岁|楼|代|核"
    r"|寸|英寸|成|新|码|度|倍|厘?毫?米|公?斤|千?克|毫?升|层|路|期|版|格|%|:\d|[a-z]"
)
_NUMBER: Final = re.compile(
    rf"(?P<before>(?:{_BEFORE})\s*)?(?<![\da-z.])(?P<amount>{AMOUNT})(?![\d])\s*"
    rf"(?:(?P<money>{_MONEY})|(?P<after>{_AFTER})"
    rf"|(?P<thing>(?:[多来几]|[-~到至]\s*\d+)?\s*(?:{_THINGS})))?"
)
_UNIT_WORDS: Final = re.compile(r"[十百千万]")


@attrs.frozen
class Sum:
    """A number that may be a price."""

    fen: int
    """0 where it is not clear how much it is."""
    marked: bool
    """Whether its surroundings speak of money."""


def sums(text: str) -> frozenset[Sum]:
    """Return what may be read as sums of money."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    found = (_sum(match) for match in _NUMBER.finditer(plain))
    return frozenset(each for each in found if each is not None)


def _sum(match: re.Match[str]) -> Sum | None:
    marked = bool(match["before"] or match["money"] or match["after"])
    if match["thing"] and not match["before"]:
        return None
    # A Chinese number is mostly no number: 一下, 一起, 三三两两.
    words = match["amount"]
    spoken = not words[0].isascii()
    if spoken and not marked and (len(words) == 1 or not _UNIT_WORDS.search(words)):
        return None
    return Sum(fen(words) or 0, marked)


def invented(words: str, told: Set[Sum], asked: str, price: int | None) -> frozenset[Sum]:
    """Return the sums of an answer that undercut the price and that nobody told the model.

    Args:
      words: the answer.
      told: the sums in the facts that it was given.
      asked: what the buyer said; a number of theirs is taken for an offer.
      price: the lowest listed price (fen); None when it is not known.
    """
    offers = {each.fen for each in sums(asked)}
    known = {each.fen for each in told}
    prices = {each.fen for each in told if each.marked}
    return frozenset(
        each
        for each in sums(words)
        if (price is None or each.fen < price)
        and each.fen not in (prices if each.marked else known)
        and (each.marked or each.fen in offers)
    )


def names_only(words: str, price: int) -> bool:
    """Tell whether a text names this price (fen), and no other number that looks like one."""
    return {each.fen for each in sums(words)} == {price}


def yuan(fen_: int) -> str:
    """Write a sum as people do: 80, 80.5."""
    whole, rest = divmod(fen_, 100)
    return f"{whole}.{rest:02}".rstrip("0").rstrip(".") if rest else str(whole)


def lowest(prices: Iterable[int | None]) -> int | None:
    """Return the lowest of the prices that are known."""
    return min((each for each in prices if each is not None), default=None)
