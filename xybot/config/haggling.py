"""Settings of haggling that do not fit together, wherever each of them was inherited from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from xybot.config.files import Merged
from xybot.config.problems import KeyPath
from xybot.config.schema import Config
from xybot.config.selling import Haggle, ItemConfig, inherited

_Levels: TypeAlias = Sequence[tuple[KeyPath, Haggle]]
"""Where each level is written, the innermost first."""


def misfits(config: Config, merged: Merged) -> tuple[str, ...]:
    """Return what is wrong, each once, with its file and key; amounts are not repeated."""
    found = (
        merged.place(path).problem(text)
        for levels, item in _combinations(config)
        for path, text in _problems(levels, item)
    )
    return tuple(dict.fromkeys(found))


def _combinations(config: Config) -> Iterator[tuple[_Levels, ItemConfig | None]]:
    """Yield every chain of inheritance: each item, and none, under each account, and none."""
    general = (("haggle",), config.haggle)
    accounts = [(("accounts", n, "haggle"), x.haggle) for n, x in enumerate(config.accounts)]
    for outer in ((general,), *((account, general) for account in accounts)):
        yield outer, None
        for id_, item in config.items.items():
            yield ((("items", id_, "haggle"), item.haggle), *outer), item


def _problems(levels: _Levels, item: ItemConfig | None) -> Iterator[tuple[KeyPath, str]]:
    all_ = inherited(*(level for _, level in levels))
    if all_.steps and all_.rounds is not None and len(all_.steps) != all_.rounds:
        yield (
            _written(levels, "steps"),
            f"有 {len(all_.steps)} 个数，而 rounds 是 {all_.rounds}，应当一样多"
            f" (has {len(all_.steps)} numbers, and rounds is {all_.rounds})",
        )
    if all_.enabled and all_.floor is all_.max_percent is all_.max_yuan is None:
        yield (
            _written(levels, "enabled"),
            "还要写 floor、max_percent、max_yuan 中的至少一个"
            " (also needs floor, max_percent or max_yuan)",
        )
    if item and item.price is not None and all_.floor is not None and all_.floor > item.price:
        yield (
            _written(levels, "floor"),
            "底价高于这件商品的价格 (the floor is above the price of this item)",
        )


def _written(levels: _Levels, key: str) -> KeyPath:
    """Return the innermost place where a setting is written."""
    return next((*path, key) for path, level in levels if getattr(level, key) is not None)
