"""`xybot init`: a bot.toml for a seller's own account."""

from __future__ import annotations

import contextlib
import os
from importlib import resources
from pathlib import Path

from xybot.errors import ConfigError

COOKIE_FILE = "shop-a.cookie"
"""What init.toml names; empty until the seller pastes their cookies into it."""


def command(*, config: Path = Path("bot.toml")) -> int:
    """写一份带说明的 bot.toml，给真实账号用；不会覆盖已有的文件 (never overwrites).

    Args:
      config: 写到哪里 (where to).
    """
    write_init(config)
    print(  # noqa: T201  # what the command is for
        f"已写好 {config}。下一步：把 Cookie 粘贴到 {config.with_name(COOKIE_FILE)}，"
        f"然后运行 trio run xybot --config {config}\n"
        f"(written; next: paste your cookie into {COOKIE_FILE}, then run the command above)"
    )
    return 0


def write_init(path: Path) -> None:
    """Write a commented bot.toml to `path`, and beside it an empty file for the cookies.

    Raises:
      ConfigError: the file is there already, or cannot be written; nothing was overwritten.
    """
    text = resources.files("xybot.tools").joinpath("init.toml").read_text(encoding="utf-8")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
        _make_private(path.with_name(COOKIE_FILE))
    except FileExistsError:
        wrong = f"{path}: 已经存在，不会覆盖；换个文件名或先把它移走"
        raise ConfigError(f"{wrong} (exists already and is not overwritten)") from None
    except OSError as exc:
        wrong = f"{exc.filename}: 写不了，检查文件夹和权限"
        raise ConfigError(f"{wrong} (cannot be written: {exc.strerror})") from exc


def _make_private(path: Path) -> None:
    """Make an empty file that only its owner can read, unless there is one."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
