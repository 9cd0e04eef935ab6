"""Pictures of rules: files beside bot.toml, which must be there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import attrs

from xybot.config.answering import Rule
from xybot.config.problems import Place


def settle(rule: Rule, folder: Path) -> Rule:
    """Return the rule with the path of its picture made absolute; an address stays."""
    return attrs.evolve(rule, image=str(folder / rule.image)) if _is_file(rule) else rule


def files(rules: Iterable[Rule]) -> Iterator[Path]:
    """Yield the picture of each settled rule that shows one of the seller's."""
    yield from (Path(rule.image) for rule in rules if _is_file(rule))


def missing(rules: Iterable[Rule]) -> Iterator[str]:
    """Say of each settled rule whose picture is no file what is wrong."""
    for rule in rules:
        if _is_file(rule) and not _exists(Path(rule.image)):
            yield Place(rule.place("image")).problem(
                f"找不到图片 {rule.image}，请放好图片或改正路径"
                " (no such picture: put it there or correct the path)"
            )


def _is_file(rule: Rule) -> bool:
    return bool(rule.image) and "://" not in rule.image


def _exists(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False  # Too long a name, or a folder that is not ours to look into.
