"""Pictures of rules and goods: files beside bot.toml, which must be there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import attrs

from xybot.config.answering import Rule
from xybot.config.goods import Goods
from xybot.config.problems import Place

Pictured = TypeVar("Pictured", Rule, Goods)


def settle(each: Pictured, folder: Path) -> Pictured:
    """Return it with the path of its picture made absolute; an address stays."""
    return attrs.evolve(each, image=str(folder / each.image)) if _is_file(each) else each


def files(settled: Iterable[Rule | Goods]) -> Iterator[Path]:
    """Yield the picture of each that shows one of the seller's."""
    yield from (Path(each.image) for each in settled if _is_file(each))


def missing(settled: Iterable[Rule | Goods]) -> Iterator[str]:
    """Say of each whose picture is no file what is wrong."""
    for each in settled:
        if _is_file(each) and not _exists(Path(each.image)):
            yield Place(each.place("image")).problem(
                f"找不到图片 {each.image}，请放好图片或改正路径"
                " (no such picture: put it there or correct the path)"
            )


def _is_file(each: Rule | Goods) -> bool:
    return bool(each.image) and "://" not in each.image


def _exists(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False  # Too long a name, or a folder that is not ours to look into.
