"""Which goods an order gets: exactly one that fits, or none and its seller has to look."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from xybot.config import FollowUp, Goods, patterns
from xybot.config.goods import ANY_SPEC
from xybot.model import AccountId, ItemId

_title = functools.lru_cache(maxsize=1000)(patterns.title)

_HOW: Final = "请在 bot.toml 里为它写一段 [[goods]]"


@attrs.frozen
class Hold:
    """Nothing is given, and why, in words for the seller."""

    reason: str


def find(
    goods: Sequence[Goods], account: AccountId, item: ItemId, title: str | None, spec: str
) -> Goods | Hold:
    """Return the goods of an order; nothing is guessed, so several are as bad as none.

    Args:
      goods: all of them.
      account: whose order it is.
      item: what was ordered.
      title: of the item; None, or empty, where it is unknown.
      spec: as the platform writes it; empty: the item has no variants.
    """
    ours = [each for each in goods if not each.accounts or account in each.accounts]
    sold = [each for each in ours if is_for(each, item, title)]
    specs = {ANY_SPEC, spec.strip()}
    unsure = [each for each in ours if not title and each.title and item not in each.items]
    if unsure := [each for each in unsure if each.spec in specs]:
        return Hold(
            f"不知道商品 {item} 的标题，而{_named(unsure)}要看标题才能确定；请把商品编号写进 items"
            " (its title is unknown, and goods go by it)"
        )
    fitting = [each for each in sold if each.spec in specs]
    match fitting:
        case [found]:
            return found
        case []:
            return Hold(_nothing(account, item, title, spec, sold))
        case _:
            return Hold(
                f"有 {len(fitting)} 段 [[goods]] 都对得上商品 {item}：{_named(fitting)}，"
                "请改到只剩一段 (several goods fit)"
            )


def is_for(goods: Goods | FollowUp, item: ItemId, title: str | None) -> bool:
    """Tell whether something is for an item, by its id or its title."""
    return item in goods.items or bool(title and goods.title and _title(goods.title)(title))


def _nothing(
    account: AccountId, item: ItemId, title: str | None, spec: str, sold: Sequence[Goods]
) -> str:
    """Say why nothing fits, and what to write so that something will."""
    what = f"{item}《{title}》" if title else item
    if not sold:
        return f"账号 {account} 没有设置商品 {what} 的货，{_HOW} (no goods for this item)"
    there = "、".join(f"“{each.spec}”" if each.spec else "没写 spec" for each in sold)
    if not spec.strip():
        return (
            f"订单没有规格，而商品 {what} 的货有规格：{there}；{_HOW}，不写 spec"
            " (no goods for an order without a specification)"
        )
    return (
        f"没有规格“{spec}”的货，商品 {what} 只有：{there}；{_HOW}，spec 照抄引号里的字"
        " (nobody sells this specification)"
    )


def _named(goods: Iterable[Goods]) -> str:
    return "、".join(f"“{each.name}”（{each.where}）" for each in goods)
