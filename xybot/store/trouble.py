"""What SQLite says when it cannot go on: what may pass, and what will not."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import attrs
import sqlalchemy as sa
import trio

from xybot.errors import ConfigError

Failure: TypeAlias = sa.exc.DatabaseError | sqlite3.DatabaseError
FAILURES: Final = (sa.exc.DatabaseError, sqlite3.DatabaseError)
"""What SQLAlchemy says, and what the driver says to `prepared` statements."""

Tell: TypeAlias = Callable[[str | None], None]
"""Gets the reason, once, when something cannot be stored, and None, once, when it can again."""

_LOCKED: Final = "被别的程序锁住，请关闭它 (locked by another program: close that)"
_MAY_PASS: Final = {
    sqlite3.SQLITE_FULL: "磁盘已满，请腾出空间 (the disk is full: free some space)",
    sqlite3.SQLITE_READONLY: (
        "只读，请检查文件和目录的写权限 (read-only: check the permissions of file and folder)"
    ),
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_PROTOCOL: _LOCKED,
    sqlite3.SQLITE_IOERR: (
        "磁盘读写出错，请检查磁盘和剩余空间 (the disk fails: check it and its free space)"
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "文件打不开，请检查路径和权限 (no way to the file: check path and permissions)"
    ),
}
_CALM: Final = 15.0
"""Seconds.  Whoever could not store something tries again sooner, or not at all."""
_DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def that_may_pass(failure: Failure) -> str | None:
    """Return what is wrong and what to do, or None: it is no trouble of disk or file."""
    words = _MAY_PASS.get(_code(failure))
    return words and f"{words}: {said(failure)}"


def is_damage(failure: Failure) -> bool:
    """Tell whether the file is no database, or is no longer one."""
    return _code(failure) in _DAMAGE


def damaged(path: Path | None, found: str) -> ConfigError:
    """Return the one line about a damaged database.  Nothing repairs or replaces the file."""
    return ConfigError(
        f"{path}: 数据库打不开，文件已损坏 (the database is damaged): {' '.join(found.split())}。"
        "请停止 xybot，用备份替换此文件，并删除旁边的 -wal 和 -shm 文件；"
        "没有备份就把这三个文件移走，重新开始，令牌、暂停和历史记录会丢失 "
        "(stop xybot, put a copy in place of the file, and remove the -wal and -shm files beside "
        "it; without a copy move all three away to begin anew, without token, pauses and history)"
    )


def said(failure: Failure) -> str:
    """Return the driver's own words."""
    return str(failure.orig if isinstance(failure, sa.exc.DatabaseError) else failure)


def _code(failure: Failure) -> int:
    driver = failure.orig if isinstance(failure, sa.exc.DatabaseError) else failure
    code: int = getattr(driver, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & 0xFF  # The rest tells kinds of one kind apart.


@attrs.define(eq=False)
class Watch:
    """Notices when nothing can be stored any more, and when it can again; tells each once."""

    _tell: Tell
    calm_at: float = attrs.field(default=math.inf, init=False)
    """When to look again (Trio's clock): if nothing fails until then, the trouble is over."""
    _down: bool = attrs.field(default=False, init=False)
    _begun: bool = attrs.field(default=False, init=False)
    _failed_at: float = attrs.field(default=0, init=False)

    def failed(self, reason: str, *, begun: bool) -> None:
        """Note that a transaction failed, and whether it could at least begin."""
        self._begun, self._failed_at, self.calm_at = begun, trio.current_time(), math.inf
        if not self._down:
            self._down = True
            self._tell(reason)

    def committed(self, *, wrote: bool) -> None:
        """Note that transactions were committed, and whether one of them changed a row."""
        # A full disk has always room for no change, and for a while for a small one: it proves
        # little that somebody wrote, until all who could not have tried again.
        if self._down and (wrote or not self._begun):
            self.calm_at = self._failed_at + _CALM

    def look(self) -> None:
        """Tell that the trouble is over, if it is."""
        if trio.current_time() >= self.calm_at:
            self._down, self.calm_at = False, math.inf
            self._tell(None)
