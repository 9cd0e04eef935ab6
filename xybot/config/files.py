"""bot.toml, bot.d/*.toml and bot.d/items/*.toml as one table that remembers who wrote what."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import attrs

from xybot.config import headers
from xybot.config.problems import KeyPath, Misfit, Place
from xybot.config.text import MISSING, read_text
from xybot.errors import ConfigError
from xybot.wire.fields import digits

EXTRA_FOLDER = "bot.d"
"""Beside bot.toml; what the program itself changes goes to files in there."""

ITEM_FOLDER = "items"
"""In there; a file for each item, named by its id."""

NO_BOT_TOML = "运行 xybot init 可以生成一份 (no such file: `xybot init` makes one)"

_RULES = "rules"
_ITEMS = "items"
_FOR_ITEMS = (_RULES, "goods", "follow_ups")
"""What is for certain items, and may stand in the file of one."""

_POSITION = re.compile(r"(.*) \(at line (\d+), column (\d+)\)", re.DOTALL)


_Add: TypeAlias = Callable[[str, dict[str, object]], None]


@attrs.define
class Merged:
    """All files as one table, and for its parts where they were written."""

    main: str
    table: dict[str, object] = attrs.field(factory=dict)
    origins: dict[KeyPath, Place] = attrs.field(factory=dict)
    lines: dict[tuple[str, int], int] = attrs.field(factory=dict)
    """The line at which the nth rule of a file begins, where that is known."""

    def line(self, n: int) -> int | None:
        """Return the line at which the nth of all rules begins in its file, if it is known."""
        place = self.place((_RULES, n))
        nth = place.path[1] if len(place.path) > 1 else None
        return self.lines.get((place.file, nth)) if isinstance(nth, int) else None

    def place(self, path: KeyPath) -> Place:
        """Return where a setting stands, by the nearest part whose file is known."""
        for length in range(len(path), 0, -1):
            if place := self.origins.get(path[:length]):
                return Place(place.file, place.path + path[length:])
        return Place(self.main, path)

    def add(self, file: str, table: dict[str, object]) -> None:
        """Merge a file over those before: tables key by key, arrays grow, else replace.

        Raises:
          Misfit: it writes a table where the others have something else, or the reverse.
        """
        for key, value in table.items():
            before = self.table.get(key)
            try:
                self.table[key] = _joined(before, value)
            except Misfit as exc:
                raise Misfit(f"{exc} ({self.place((key,)).file})", key=key) from None
            self.origins[(key,)] = Place(file, (key,))
            for merged, local in _parts(before, value):
                self.origins[key, merged] = Place(file, (key, local))

    def count_lines(self, file: str, text: str, table: dict[str, object]) -> None:
        """Note where the rules of a file begin."""
        rules = table.get(_RULES)
        if isinstance(rules, list):
            for n, line in enumerate(headers.lines_of(text, _RULES, len(rules))):
                self.lines[file, n] = line

    def add_item(self, file: str, id_: str, table: dict[str, object]) -> None:
        """Add the file of an item, which becomes its table; its rules, goods … are for it only.

        Raises:
          Misfit: the item has a table elsewhere, or a part that is for it names items.
        """
        if (_ITEMS, id_) in self.origins:
            raise Misfit(f"{self.place((_ITEMS, id_))} 已经写过这个商品 (this item stands there)")
        rest = {key: value for key, value in table.items() if key not in _FOR_ITEMS}
        self.table[_ITEMS] = _joined(self.table.get(_ITEMS), {id_: rest})
        self.origins[_ITEMS, id_] = Place(file)
        for key in _FOR_ITEMS:
            if bound := [*_bound(key, table.get(key, []), id_)]:
                self.add(file, {key: bound})


def _bound(key: str, entries: object, item: str) -> Iterator[object]:
    """Bind rules, goods or follow-ups to the item in whose file they stand."""
    if not isinstance(entries, list):
        raise Misfit(f"应为 [[{key}]]，每条一段 (want [[{key}]])", key=key)
    for n, entry in enumerate(entries):
        if isinstance(entry, dict) and _ITEMS in entry:
            raise Misfit(
                f"第 {n + 1} 条：这里的只用于这个商品，删去 items "
                "(what stands in here is for this item: leave items out)",
                key=key,
            )
        yield entry | {_ITEMS: [item]} if isinstance(entry, dict) else entry


def _joined(before: object, value: object) -> object:
    match before, value:
        case None, _:
            return value
        case dict(), dict():
            return before | value
        case list(), list():
            return before + value
        case (dict() | list(), _) | (_, dict() | list()):
            raise Misfit("与前面文件的写法不一致，检查 [ ] 和 [[ ]] (another kind than before)")
    return value


def _parts(before: object, value: object) -> Iterable[tuple[str | int, str | int]]:
    """Pair the key that each part of `value` has after the merge with its key in the file."""
    match value:
        case dict():
            return ((key, key) for key in value)
        case list():
            first = len(before) if isinstance(before, list) else 0
            return ((first + n, n) for n in range(len(value)))
    return ()


def read_merged(
    path: Path,
    extras: Sequence[Path],
    items: Sequence[Path] = (),
    instead: Mapping[Path, str] = MappingProxyType({}),
) -> Merged:
    """Read bot.toml, the files merged over it, and those of items.

    Args:
      path: of bot.toml.
      extras: files that are merged over it.
      items: files of items.
      instead: what is taken for the text of some of these files.

    Raises:
      ConfigError: files that cannot be read, are not TOML or contradict each other.
    """
    merged = Merged(path.name)
    files: dict[str, tuple[Path, _Add]] = {path.name: (path, merged.add)}
    files |= {f"{EXTRA_FOLDER}/{extra.name}": (extra, merged.add) for extra in extras}
    for item in items:
        add = partial(_add_item, merged, item.stem)
        files[f"{EXTRA_FOLDER}/{ITEM_FOLDER}/{item.name}"] = (item, add)
    problems = []
    for name, (file, take) in files.items():
        try:
            missing = NO_BOT_TOML if file is path else MISSING
            text = instead[file] if file in instead else read_text(file, if_missing=missing)
            table = _toml(text)
            take(name, table)
            merged.count_lines(name, text, table)
        except Misfit as exc:
            place = Place(name, (exc.key,) if exc.key else ())
            problems.append(place.problem(str(exc)))
    if problems:
        raise ConfigError("; ".join(problems))
    return merged


def _add_item(merged: Merged, id_: str, file: str, table: dict[str, object]) -> None:
    if digits(id_) is None:
        raise Misfit(
            "文件名应为商品编号，例如 900012345678.toml (want the id of an item as its name)"
        )
    merged.add_item(file, id_, table)


def extra_files(folder: Path) -> tuple[Path, ...]:
    """Return the *.toml of a folder by name; hidden ones belong to editors.

    Raises:
      ConfigError: the folder is there but cannot be listed.
    """
    try:
        found = sorted(folder.iterdir())
    except FileNotFoundError:
        return ()
    except OSError as exc:
        wrong = f"读不了文件夹 {folder} (the folder cannot be read: {exc.strerror})"
        inside = f"{EXTRA_FOLDER}/" if folder.name == ITEM_FOLDER else ""
        raise ConfigError(Place(f"{inside}{folder.name}").problem(wrong)) from exc
    return tuple(x for x in found if x.suffix == ".toml" and not x.name.startswith("."))


def _toml(text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as exc:
        # Not only TOMLDecodeError: a number of 5000 digits is a plain ValueError.
        raise Misfit(_not_toml(str(exc))) from None


def _not_toml(reason: str) -> str:
    if found := _POSITION.fullmatch(reason):
        what, line, column = found.groups()
        return (
            f"第 {line} 行第 {column} 列写错了，不符合 TOML 格式"
            f" (not TOML at line {line}, column {column}: {what})"
        )
    return f"不符合 TOML 格式 (not TOML: {reason})"
