"""Where secrets stand: in bot.toml itself, in the environment, in a file of their own."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TypeAlias

import attrs

from xybot.config.problems import Misfit, Place
from xybot.config.text import read_text
from xybot.errors import ConfigError
from xybot.secret import Secret

OTHERS_MASK = 0o077
"""Mode bits that let anybody but the owner at a file."""

_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

UNPLACED = Place("bot.toml")
"""Until the loader says where a source was written."""


@attrs.frozen
class FromText:
    """The secret itself."""

    text: Secret

    def resolve(self) -> Secret:
        """Return the secret."""
        return self.text


@attrs.frozen
class FromEnv:
    """`{ env = "NAME" }`."""

    name: str
    place: Place = UNPLACED

    def resolve(self) -> Secret:
        """Look the variable up now.

        Raises:
          ConfigError: it is missing or empty; the text names the setting and the variable.
        """
        if text := os.environ.get(self.name, "").strip():
            return Secret(text)
        wrong = f"环境变量 {self.name} 不存在或为空，请先设置它"
        raise ConfigError(
            self.place.problem(f"{wrong} (environment variable {self.name} is not set: set it)")
        )


@attrs.frozen
class FromFile:
    """`{ file = "path" }`; the loader makes the path start at the folder of bot.toml."""

    path: Path
    place: Place = UNPLACED

    def resolve(self) -> Secret:
        """Read the file now.

        Raises:
          ConfigError: it is missing, empty or unreadable; the text names the setting and the file.
        """
        try:
            text = read_text(self.path).strip()
        except Misfit as exc:
            raise ConfigError(self.place.problem(str(exc))) from None
        if text:
            return Secret(text)
        wrong = f"文件 {self.path} 是空的，请把内容存进去"
        raise ConfigError(self.place.problem(f"{wrong} (the file is empty: save the secret in it)"))

    def warning(self) -> str | None:
        """Say that other users of this machine can get at the file, if they can."""
        if os.name != "posix" or not self._open_to_others():
            return None
        return self.place.problem(
            f"这台机器的其他用户也能读 {self.path}，请运行 chmod 600 {self.path}"
            " (other users can read this file: chmod 600 it)"
        )

    def _open_to_others(self) -> bool:
        try:
            return bool(self.path.stat().st_mode & OTHERS_MASK)
        except (OSError, ValueError):
            return False  # `resolve` is the one to complain


SecretSource: TypeAlias = FromText | FromEnv | FromFile


def read_source(value: object, _: object = None) -> SecretSource:
    """Read a secret's setting without resolving it; what is wrong is said without its value.

    Names and paths are shown in later problems, so a cookie pasted in their place (it has a `=`)
    must not get that far.
    """
    match value:
        case str() if value.strip():
            return FromText(Secret(value.strip()))
        case {"env": str(name), **rest} if _ENV_NAME.fullmatch(name) and not rest:
            return FromEnv(name)
        case {"file": str(path), **rest} if path.strip() and "=" not in path and not rest:
            return FromFile(Path(path))
    raise Misfit(
        '应为文字本身（不能为空）、{ env = "环境变量名" } 或 { file = "文件路径" }'
        ' (want the text itself, not empty, or { env = "NAME" } or { file = "path" })'
    )


def settle(source: SecretSource, place: Place, folder: Path) -> SecretSource:
    """Return the source with the place it was written at and the folder its file is in."""
    match source:
        case FromEnv(name):
            return FromEnv(name, place)
        case FromFile(path):
            return FromFile(folder / path, place)
        case FromText():
            return source
