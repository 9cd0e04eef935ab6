"""bot.toml and bot.d/*.toml as one table that remembers who wrote what."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs

from xybot.config.problems import KeyPath, Misfit, Place
from xybot.config.text import MISSING, read_text
from xybot.errors import ConfigError

EXTRA_FOLDER = "bot.d"
"""Beside bot.toml; what the program itself changes goes to files in there."""

NO_BOT_TOML = "运行 xybot init 可以生成一份 (no such file: `xybot init` makes one)"

_POSITION = re.compile(r"(.*) \(at line (\d+), column (\d+)\)", re.DOTALL)


@attrs.define
class Merged:
    """All files as one table, and for its parts where they were written."""

    main: str
    table: dict[str, object] = attrs.field(factory=dict)
    origins: dict[KeyPath, Place] = attrs.field(factory=dict)

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


def read_merged(path: Path, extras: Sequence[Path]) -> Merged:
    """Read bot.toml and the files merged over it.

    Raises:
      ConfigError: files that cannot be read, are not TOML or contradict each other.
    """
    merged = Merged(path.name)
    files = {path.name: (path, NO_BOT_TOML)}
    files |= {f"{EXTRA_FOLDER}/{extra.name}": (extra, MISSING) for extra in extras}
    problems = []
    for name, (file, if_missing) in files.items():
        try:
            merged.add(name, _toml(read_text(file, if_missing=if_missing)))
        except Misfit as exc:
            place = Place(name, (exc.key,) if exc.key else ())
            problems.append(place.problem(str(exc)))
    if problems:
        raise ConfigError("; ".join(problems))
    return merged


def extra_files(folder: Path) -> tuple[Path, ...]:
    """Return the *.toml of bot.d by name; hidden ones belong to editors.

    Raises:
      ConfigError: the folder is there but cannot be listed.
    """
    try:
        found = sorted(folder.iterdir())
    except FileNotFoundError:
        return ()
    except OSError as exc:
        wrong = f"读不了文件夹 {folder} (the folder cannot be read: {exc.strerror})"
        raise ConfigError(Place(folder.name).problem(wrong)) from exc
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
