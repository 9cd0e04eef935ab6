"""Watching the files of the configuration, and taking over what changed.

The files are looked at, not listened to: a look at a file costs a tenth of a millisecond,
and the one library that listens delays a shutdown by seconds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Final, NoReturn, TypeAlias

import attrs
import trio

from xybot.config import Config, Loaded, load
from xybot.errors import ConfigError

_LOOK_EVERY: Final = 1.0
_HALF_WRITTEN: Final = 0.1
"""An editor empties a file before it fills it."""
_NOT_WHILE_RUNNING: Final = ("data", "store", "simulator", "web")
"""Settings that are read once, at the start."""

Take: TypeAlias = Callable[[Loaded | ConfigError], Awaitable[None]]
_Stamps: TypeAlias = tuple[tuple[int, int] | None, ...]


async def follow(path: Path, first: Loaded, take: Take) -> NoReturn:
    """Hand over each new state of bot.toml, or what is wrong with it, within two seconds."""
    files = first.files
    seen: _Stamps | None = None  # The first look loads: somebody may have written since `first`.
    while True:
        await trio.sleep(_LOOK_EVERY)
        if await trio.to_thread.run_sync(_stamps, files) == seen:
            continue
        await trio.sleep(_HALF_WRITTEN)
        seen = await trio.to_thread.run_sync(_stamps, files)
        try:
            loaded = await trio.to_thread.run_sync(load, path)
        except ConfigError as exc:
            await take(exc)
            continue
        if loaded.files != files:
            files = loaded.files
            seen = await trio.to_thread.run_sync(_stamps, files)
        await take(loaded)


def _stamps(files: Iterable[Path]) -> _Stamps:
    return tuple(_stamp(file) for file in files)


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def changed(old: Config, new: Config) -> tuple[str, ...]:
    """Return the names of the settings that differ and take effect now."""
    names = (field.name for field in attrs.fields(Config))
    return tuple(
        name
        for name in names
        if name not in _NOT_WHILE_RUNNING and getattr(old, name) != getattr(new, name)
    )


def postponed(old: Config, new: Config) -> tuple[str, ...]:
    """Return the names of the settings that differ and wait for a restart."""
    return tuple(n for n in _NOT_WHILE_RUNNING if getattr(old, n) != getattr(new, n))
