"""The settings in force, for people to read: each with its value, and where it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, assert_never, cast

import attrs

from xybot.config.files import EXTRA_FOLDER
from xybot.config.load import Loaded
from xybot.config.problems import KeyPath
from xybot.config.secrets import FromEnv, FromFile, FromText, SecretSource

HIDDEN: Final = "***"
_ELSEWHERE: Final = frozenset({"rules", "accounts", "items"})
"""What has a page of its own, and is only counted here."""
_OWN: Final = frozenset({"where", "line", "texts"})
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/@]+(?=@)|(?<=\?).+", re.DOTALL)
"""What of an address may be a password or a key."""
_QUIET: Final = frozenset({"floor"})
"""What nobody but the seller may know, and what they know is in their file."""


@attrs.frozen(kw_only=True)
class Shown:
    """A setting in force."""

    key: str
    """`timing.debounce`, as it would be written."""
    value: str
    origin: str | None
    """The file that says so, None for a default."""


def shown(loaded: Loaded) -> Mapping[str, tuple[Shown, ...]]:
    """Return every setting, by its table; those at the top stand under ""."""
    tables: dict[str, list[Shown]] = {"": []}
    for field in attrs.fields(type(loaded.config)):
        value = getattr(loaded.config, field.name)
        rows = list(_rows(loaded, (field.name,), value))
        if attrs.has(type(value)):
            tables[field.name] = rows
        else:
            tables[""] += rows
    return {name: tuple(rows) for name, rows in tables.items() if rows}


def _rows(loaded: Loaded, path: KeyPath, value: object) -> Iterator[Shown]:
    name = str(path[-1])
    if attrs.has(type(value)) and not isinstance(value, FromText | FromEnv | FromFile):
        for field in attrs.fields(cast("type[attrs.AttrsInstance]", type(value))):
            if field.name not in _OWN:
                yield from _rows(loaded, (*path, field.name), getattr(value, field.name))
        return
    if value is None and len(path) == 1:
        return  # A table that is not there at all.
    counted = len(path) == 1 and name in _ELSEWHERE
    text = str(len(value)) if counted and isinstance(value, tuple | Mapping) else _text(name, value)
    yield Shown(key=".".join(map(str, path)), value=text, origin=_origin(loaded, path))


def _text(name: str, value: object) -> str:
    match value:
        case None:
            return "–"
        case FromText() | FromEnv() | FromFile():
            return _source(value)
        case bool():
            return "true" if value else "false"
        case tuple() | list():
            return f"{len(value)}" if any(map(attrs.has, map(type, value))) else _listed(value)
        case Mapping():
            return str(len(value))
        case str() if "://" in value:
            return _CREDENTIALS.sub(HIDDEN, value)
        case _:
            return HIDDEN if name in _QUIET else str(value)


def _source(secret: SecretSource) -> str:
    match secret:
        case FromEnv(name=variable):
            return f"{{ env = {variable} }}"
        case FromFile(path=file):
            return f"{{ file = {file} }}"
        case FromText():
            return HIDDEN
        case _:
            assert_never(secret)


def _listed(values: tuple[object, ...] | list[object]) -> str:
    return ", ".join(map(str, values)) or "–"


def _origin(loaded: Loaded, path: KeyPath) -> str | None:
    """Return the file in which a setting stands; an array may stand in several."""
    place = loaded.origins.get(path[:2]) if len(path) > 1 else loaded.origins.get(path)
    if len(path) > 1:  # A table stands in one file, as a whole.
        return place.file if place else None
    files = {other.file for key, other in loaded.origins.items() if key[:1] == path}
    return ", ".join(sorted(files, key=lambda name: (name.startswith(EXTRA_FOLDER), name))) or None
