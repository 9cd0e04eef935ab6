"""Goods that do not fit together, or name what is not there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import combinations

from xybot.config.files import Merged
from xybot.config.goods import ANY_SPEC, Goods
from xybot.config.patterns import folded
from xybot.model import AccountId


def misfits(
    goods: Sequence[Goods], known: Collection[AccountId], merged: Merged
) -> tuple[str, ...]:
    """Return what is wrong, each with its file and key.

    Args:
      goods: all of them, placed.
      known: the accounts that there are.
      merged: where everything was written.
    """
    found = [
        *_same_names(goods, merged),
        *_unknown_accounts(goods, known, merged),
        *_overlaps(goods, merged),
    ]
    return tuple(dict.fromkeys(found))


def _same_names(goods: Sequence[Goods], merged: Merged) -> Iterator[str]:
    first: dict[str, Goods] = {}
    for n, each in enumerate(goods):
        if (other := first.setdefault(each.name.strip(), each)) is not each:
            yield merged.place(("goods", n, "name")).problem(
                f'名称 "{each.name}" 与 {other.where} 重复，请换一个 (two goods with this name)'
            )


def _unknown_accounts(
    goods: Sequence[Goods], known: Collection[AccountId], merged: Merged
) -> Iterator[str]:
    for n, each in enumerate(goods):
        for account in each.accounts:
            if account not in known:
                yield merged.place(("goods", n, "accounts")).problem(
                    f'没有叫 "{account}" 的账号 (no account has this id)'
                )


def _overlaps(goods: Sequence[Goods], merged: Merged) -> Iterator[str]:
    """Yield the goods of which several are for the same orders, as far as that can be told."""
    sold: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for n, each in enumerate(goods):
        for item in dict.fromkeys(each.items):
            sold["items", item].append(n)
        if each.title:
            sold["title", folded(each.title)].append(n)
    for (key, what), numbers in sold.items():
        for n, later in combinations(numbers, 2):
            one, other = goods[n], goods[later]
            if _share(one.accounts, other.accounts) and _both_fit(one.spec, other.spec):
                yield merged.place(("goods", later, key)).problem(
                    f"{_sold(key, what, other.spec)} 已经在 {one.where} 写过，只能留一处"
                    f" (the same item and spec stand in {one.where}: keep one)"
                )


def _sold(key: str, what: str, spec: str) -> str:
    item = f"商品 {what}" if key == "items" else f"标题“{what}”"
    return f"{item}、规格“{spec}”" if spec else item


def _share(accounts: Collection[AccountId], others: Collection[AccountId]) -> bool:
    return not accounts or not others or not set(accounts).isdisjoint(others)


def _both_fit(spec: str, other: str) -> bool:
    return spec == other or ANY_SPEC in {spec, other}
