"""The cookies of the accounts that will run, and whether they can be used."""

from __future__ import annotations

import re

from xybot.config.files import Merged
from xybot.config.problems import Misfit
from xybot.config.schema import AccountConfig, Config
from xybot.errors import ConfigError
from xybot.model import AccountId
from xybot.secret import Secret
from xybot.wire.sign import parse_cookies

NEEDED = ("unb", "_m_h5_tk")
"""Who the seller is, and what calls are signed with."""

HOW_TO_COPY = (
    "在电脑浏览器登录 goofish.com → 按 F12 → 网络(Network) → 任一请求 → 请求头 Cookie，复制整行"
)
HOW_TO_COPY_EN = (
    "log in at goofish.com in a desktop browser, F12 → Network → any request"
    " → request header Cookie, copy the whole line"
)

_HEADER_NAME = re.compile(r"^cookie:\s*", re.IGNORECASE)


def read_cookies(config: Config, merged: Merged) -> tuple[dict[AccountId, Secret], tuple[str, ...]]:
    """Return the cookies of every enabled account, and what is wrong with those missing.

    With the simulator on there are none, and nothing is looked at.
    """
    if config.simulator.enabled:
        return {}, ()
    found: dict[AccountId, Secret] = {}
    sellers: dict[str, AccountId] = {}
    problems = []
    for n, account in enumerate(config.accounts):
        place = merged.place(("accounts", n, "cookie"))
        try:
            if account.enabled:
                found[account.id] = _usable(account, sellers)
        except Misfit as exc:
            problems.append(place.problem(str(exc)))
        except ConfigError as exc:
            problems.append(str(exc))
    return found, tuple(problems)


def _usable(account: AccountConfig, sellers: dict[str, AccountId]) -> Secret:
    """Resolve a cookie, and note in `sellers` whose it is.

    Raises:
      ConfigError: there is none, or it is of no use.
    """
    if account.cookie is None:
        raise Misfit(f"缺少 Cookie：{HOW_TO_COPY} (no cookie: {HOW_TO_COPY_EN})")
    text = _HEADER_NAME.sub("", account.cookie.resolve().reveal())
    cookies = parse_cookies(text)
    if absent := [name for name in NEEDED if not cookies.get(name)]:
        raise Misfit(
            f"Cookie 里缺少 {'、'.join(absent)}：{HOW_TO_COPY}"
            f" (the cookie lacks {' and '.join(absent)}: {HOW_TO_COPY_EN})"
        )
    other = sellers.setdefault(cookies["unb"], account.id)
    if other != account.id:
        raise Misfit(
            f'与账号 "{other}" 是同一个闲鱼账号（unb 相同）'
            f' (the same seller as account "{other}": both cookies have one unb)'
        )
    return Secret(text)
