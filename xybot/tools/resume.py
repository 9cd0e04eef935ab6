"""`xybot resume`: the seller's word that a parked account may go on.

It changes the account's row and nothing else; a bot that runs sees that within seconds,
one that does not run finds it at its next start.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from xybot.config import Loaded, load
from xybot.errors import ConfigError
from xybot.model import AccountId
from xybot.store import accounts
from xybot.store.database import open_store


async def command(
    *ids: str,
    config: Path = Path("bot.toml"),
    all_: Annotated[bool, Parameter(name="--all", negative=())] = False,
) -> int:
    """让停下等待处理的账号继续；机器人可以正在运行 (let parked accounts go on, at any time).

    Args:
      ids: 账号名 (which accounts).
      config: 设置文件 (the settings).
      all_: 所有停下的账号 (every account that is parked).
    """
    loaded = load(config)
    wanted = _wanted(ids, loaded, everyone=all_)
    if not loaded.database.exists():
        raise ConfigError(f"{loaded.database}: 机器人还没有运行过 (the bot has not run yet)")
    async with open_store(loaded.database) as store:
        resumed = [id_ for id_ in wanted if await store.transact(accounts.resume, id_)]
    not_parked = [] if all_ else [id_ for id_ in wanted if id_ not in resumed]
    _say(resumed, not_parked)
    return 1 if not_parked else 0


def _wanted(ids: Collection[str], loaded: Loaded, *, everyone: bool) -> list[AccountId]:
    known = [each.id for each in loaded.config.accounts]
    if everyone:
        return known
    if not ids:
        raise ConfigError("请写明账号名，或用 --all (name the accounts, or say --all)")
    if strangers := [id_ for id_ in ids if id_ not in known]:
        raise ConfigError(
            f"{', '.join(strangers)}: 没有这个账号 (no such account): {', '.join(known)}"
        )
    return [id_ for id_ in known if id_ in ids]


def _say(resumed: Collection[AccountId], not_parked: Collection[AccountId]) -> None:
    if resumed:
        sys.stdout.write(
            f"已恢复，几秒内重新连接 (resumed, back within seconds): {', '.join(resumed)}\n"
        )
    if not_parked:
        names = ", ".join(not_parked)
        sys.stderr.write(f"xybot: 没有停下，无需恢复 (not parked): {names}\n")
    if not resumed and not not_parked:
        sys.stdout.write("没有停下的账号 (no account is parked)\n")
