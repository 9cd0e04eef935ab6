"""The cookies of the accounts that will run, and whether they can be used."""

from __future__ import annotations

import re
from typing import Final

import attrs

from xybot.config.files import Merged
from xybot.config.problems import Misfit
from xybot.config.schema import AccountConfig, Config
from xybot.errors import ConfigError
from xybot.model import AccountId
from xybot.secret import Secret
from xybot.wire.fields import digits
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

_SIGNING = re.compile(r"[0-9a-fA-F]{32}_[0-9]{10,}")
_HEADER_NAME = re.compile(r"^cookie:\s*", re.IGNORECASE)


@attrs.frozen(kw_only=True)
class Field:
    """One cookie of a pasted line."""

    name: str
    purpose: str
    """What it is for, in words for the seller."""
    needed: bool
    found: bool
    wrong: str = ""
    """What is wrong with its value; never the value itself."""

    @property
    def is_good(self) -> bool:
        """Whether nothing has to be done about it."""
        return not self.wrong and (self.found or not self.needed)


_PURPOSES: Final = {
    "unb": "您的用户编号 (your id on the platform)",
    "_m_h5_tk": "接口签名 (what calls are signed with)",
    "cookie2": "登录会话 (the login itself)",
    "sgcookie": "登录安全校验 (a check of the login)",
    "_tb_token_": "登录会话的一部分 (a part of the login)",
    "t": "登录会话的一部分 (a part of the login)",
    "cna": "浏览器编号 (the id of the browser)",
    "tracknick": "您的昵称 (your name)",
}


def check(text: str) -> tuple[Field, ...]:
    """Tell, field by field, whether a pasted line is what is needed; the needed ones first."""
    cookies = parse_cookies(_HEADER_NAME.sub("", text.strip()))
    return tuple(
        Field(
            name=name,
            purpose=purpose,
            needed=name in NEEDED,
            found=bool(cookies.get(name)),
            wrong=_wrong(name, cookies.get(name, "")),
        )
        for name, purpose in _PURPOSES.items()
    )


def _wrong(name: str, value: str) -> str:
    if name == "unb" and value and digits(value) is None:
        return "应该全是数字，可能复制得不完整 (should be digits: was it cut?)"
    if name == "_m_h5_tk" and value and not _SIGNING.fullmatch(value):
        return "应该是 32 个字符、下划线和一串数字，可能复制得不完整 (looks cut)"
    return ""


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
