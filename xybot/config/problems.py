"""What may be wrong with a setting, and how a seller is told where it stands."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence
from typing import TypeAlias

import attrs

from xybot.errors import ConfigError

KeyPath: TypeAlias = tuple[str | int, ...]
"""The way to a setting: `("rules", 2, "reply")`."""

_BARE_KEY = re.compile(r"[\w-]+")
_LONGEST_SHOWN = 20
_KINDS = {
    str: ("字符串", "a string"),
    bool: ("布尔值", "a boolean"),
    int: ("整数", "an integer"),
    float: ("小数", "a float"),
    list: ("数组", "an array"),
    dict: ("表", "a table"),
}


class Misfit(ConfigError):
    """A value that the schema refuses, said without its place, which the loader knows.

    `key` names the field at fault when a whole table was being checked.
    """

    def __init__(self, text: str, *, key: str | None = None) -> None:
        super().__init__(text)
        self.key = key


@attrs.frozen
class Place:
    """Where a setting was written; prints as `bot.toml: rules[2].reply`."""

    file: str
    path: KeyPath = ()

    def __str__(self) -> str:
        return f"{self.file}: {_spell(self.path)}" if self.path else self.file

    def problem(self, text: str) -> str:
        """Put the place before a problem; people count entries from 1, paths from 0."""
        entry = self.path[1] if len(self.path) > 1 else None
        nth = f"第 {entry + 1} 条：" if isinstance(entry, int) else ""
        return _one_line(f"{self}: {nth}{text}")


def _spell(path: KeyPath) -> str:
    """Write a path as TOML users do; odd keys are quoted."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{_key(step)}" for step in path)
    return "".join(steps).removeprefix(".")


def _one_line(text: str) -> str:
    """Escape what would break the line or act on a terminal: keys and paths may hold anything."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _key(key: str) -> str:
    if _BARE_KEY.fullmatch(key):
        return key
    # A long odd key may be a cookie that was pasted in the wrong place.
    return json.dumps(key if _is_short(key) else "…", ensure_ascii=False)


def wrong_type(chinese: str, english: str, value: object, *, show: bool = False) -> Misfit:
    """Say what was wanted and what was given; `show` only where no secret can stand."""
    kind, kind_en = _KINDS.get(type(value), ("日期或时间", "a date or time"))
    shown = f" {json.dumps(value, ensure_ascii=False)}" if show and _is_short(value) else ""
    return Misfit(f"应为{chinese}，现在是{kind}{shown} (want {english}, got {kind_en})")


def _is_short(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_SHOWN


def unknown_key(key: str, known: Sequence[str]) -> str:
    """Say that a key is unknown, and which one was probably meant."""
    if close := difflib.get_close_matches(key, known, n=1):
        return f'未知的设置，是不是 {close[0]}？ (unknown key; did you mean "{close[0]}"?)'
    names = ", ".join(known)
    return f"未知的设置，这里可用：{names} (unknown key; known here: {names})"
