"""What single settings must be like; each check raises `Misfit` with words for the seller."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection
from typing import TypeAlias, TypeVar
from urllib.parse import urlsplit

import attrs

from xybot.config import patterns
from xybot.config.problems import Misfit
from xybot.template import (
    CODES,
    GOODS_VARIABLES,
    TEMPLATE_VARIABLES,
    render,
    unknown_variables,
)

T = TypeVar("T")
Validator: TypeAlias = Callable[[object, "attrs.Attribute[T]", T], None]

_LISTEN = re.compile(r"(\[[0-9A-Fa-f:.]+(?:%[\w.-]+)?\]|[^\s:\[\]/]+):([0-9]{1,5})")
_LAST_PORT = 65535
_HTTPS_HOST = re.compile(r"https://((?:[A-Za-z0-9-]+\.)+[A-Za-z]+)/[!-~]+")

PICTURE_HOSTS = (".alicdn.com", ".goofish.com", ".taobaocdn.com", ".tbcdn.cn", ".aliimg.com")
"""Ends of the names of the hosts that keep the platform's pictures."""
_LONGEST_ID = 60
_HOTTEST = 2
_ALL = 100
_MOST_YUAN = 10_000_000
_MOST_ROUNDS = 100
_SMALLEST = 0.01
_MOST_TRIES = 10
_MONTH = 30 * 86_400


def by(check: Callable[[T], None]) -> Validator[T]:
    """Make an attrs validator of a check; it looks at the value and nothing else."""

    def validate(_instance: object, _field: attrs.Attribute[T], value: T) -> None:
        check(value)

    return validate


def above_zero(value: float) -> None:
    """Demand a number above 0."""
    if not value > 0:
        raise Misfit("必须大于 0 (must be greater than 0)")


def not_negative(value: float) -> None:
    """Demand 0 or more."""
    if not value >= 0:
        raise Misfit("不能是负数 (must not be negative)")


def wait(value: float) -> None:
    """Demand seconds that somebody may want to wait after a step of an order."""
    not_negative(value)
    if value > _MONTH:
        raise Misfit(f"最多 {_MONTH} 秒，也就是 30 天 (at most {_MONTH} seconds, 30 days)")


def item_id(value: str) -> None:
    """Demand digits: nothing else is ever the id of an item, an address least of all."""
    if not (value.isascii() and value.isdecimal()):
        raise Misfit(
            "应为商品编号，即网址里 id= 后面的数字 (want the digits behind id= in its address)"
        )


def not_blank(value: str) -> None:
    """Demand a text with something in it."""
    if not value.strip():
        raise Misfit("不能为空 (must not be empty)")


def websocket_url(value: str) -> None:
    """Demand the address of a websocket."""
    if not value.startswith(("wss://", "ws://")):
        raise Misfit("应以 wss:// 或 ws:// 开头 (must start with wss:// or ws://)")


def http_url(value: str) -> None:
    """Demand the address of an HTTP server."""
    if not value.startswith(("https://", "http://")):
        raise Misfit("应以 https:// 或 http:// 开头 (must start with https:// or http://)")


def private_url(value: str) -> None:
    """Demand an address to which goods may come: encrypted, or on this machine."""
    try:
        parts = urlsplit(value)
        host = parts.hostname
        _ = parts.port  # Looked at only now, whether it is a number.
    except ValueError:
        host = None
    if not host or parts.scheme not in {"https", "http"}:
        raise Misfit("应为 https:// 开头的网址 (want an address, https://…)")
    if "@" in parts.netloc:  # They would be sent in place of the key.
        raise Misfit(
            "用户名和密码不要写在网址里，请改用 key (no user and password in here: use key)"
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise Misfit(
            "货要加密传送，请用 https://；只有本机可以用 http://，例如 http://127.0.0.1:9000/…"
            " (must be https://; http:// is for this machine only)"
        )


def is_loopback(host: str) -> bool:
    """Tell whether a name or an address is this machine's, for itself only."""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"


def dotted(value: str) -> None:
    """Demand the way to a part of an answer: `data.code`."""
    if not all(part and not part.isspace() for part in value.split(".")):
        raise Misfit('应为用点连接的键，例如 "data.code" (want keys joined by dots)')


def few(value: int) -> None:
    """Demand a number of tries that ends soon."""
    if not 0 <= value <= _MOST_TRIES:
        raise Misfit(f"应在 0 到 {_MOST_TRIES} 之间 (want 0 to {_MOST_TRIES})")


def model_url(value: str) -> None:
    """Demand the address of an HTTP server, or nothing."""
    if value:
        http_url(value)


def temperature(value: float) -> None:
    """Demand what models take."""
    if not 0 <= value <= _HOTTEST:
        raise Misfit(f"应在 0 到 {_HOTTEST} 之间 (want 0 to {_HOTTEST})")


def no_blanks(value: tuple[str, ...]) -> None:
    """Demand words with something in them: every text contains an empty one."""
    if not all(word.strip() for word in value):
        raise Misfit("不能有空的 (none may be empty)")


def some(value: tuple[str, ...]) -> None:
    """Demand at least one, and none twice."""
    if not value:
        raise Misfit("至少写一个 (want at least one)")
    distinct(value)


def listen_address(value: str) -> None:
    """Demand `host:port`."""
    found = _LISTEN.fullmatch(value)
    if found is None or int(found[2]) > _LAST_PORT:
        raise Misfit('应为 "地址:端口"，例如 "127.0.0.1:8000" (want "host:port")')


def account_id(value: str) -> None:
    """Demand a name that can stand in a command, in a URL and in the name of a file."""
    if not value.isprintable() or any(c.isspace() or c == "/" for c in value) or not value:
        raise Misfit("不能为空，不能有空格或 / (must not be empty nor contain spaces or /)")
    if not value.strip("."):
        raise Misfit("不能只有点 (must not be all dots)")
    if len(value) > _LONGEST_ID:
        raise Misfit(f"不能超过 {_LONGEST_ID} 个字 (at most {_LONGEST_ID} characters)")


def keywords(value: tuple[str, ...]) -> None:
    """Demand at least one keyword and no empty one, which every text would contain."""
    if not value or not all(word.strip() for word in value):
        raise Misfit("至少要有一个关键词，且不能有空的 (want keywords, and none empty)")


def distinct(value: tuple[str, ...]) -> None:
    """Demand that nothing stands there twice."""
    if len(set(value)) < len(value):
        raise Misfit("有重复 (something stands here twice)")


def template(value: str, known: Collection[str] = TEMPLATE_VARIABLES) -> None:
    """Demand a text that names known variables only."""
    if unknown := unknown_variables(value, known):
        names = " ".join(f"{{{name}}}" for name in unknown)
        all_ = " ".join(f"{{{name}}}" for name in known)
        raise Misfit(
            f"未知的变量 {names}，可用：{all_}；要写大括号本身请写 {{{{ }}}}"
            f" (unknown variable {names}; known: {all_}; write {{{{ }}}} for plain braces)"
        )


def goods_words(value: str) -> None:
    """Demand the text of goods, which may name the codes and what is known of the order."""
    template(value, (CODES, *GOODS_VARIABLES))


def order_words(value: str) -> None:
    """Demand words about an order, which may name what is known of it, and not only that."""
    template(value, GOODS_VARIABLES)
    if not render(value, dict.fromkeys(GOODS_VARIABLES, "")).strip():
        raise Misfit("除了变量还要有字，变量可能是空的 (needs words beside the variables)")


def title(value: str) -> None:
    """Demand nothing, or words or a pattern of titles."""
    if value:
        not_blank(value)
        patterns.title(value)


def priced_words(value: str) -> None:
    """Demand a reply that names known variables, or the `{price}` that was haggled out."""
    not_blank(value)
    template(value.replace("{price}", ""))


def counter_words(value: str) -> None:
    """Demand the words of a counter-offer, which tell the price."""
    priced_words(value)
    if "{price}" not in value.replace("{{price}}", ""):
        raise Misfit("要写上 {price}，也就是还的价 (must contain {price}, the counter-offer)")


def yuan(value: float) -> None:
    """Demand an amount of money, in whole fen."""
    if not (0 <= value <= _MOST_YUAN and round(value, 2) == value):
        raise Misfit("应为金额，最多两位小数 (want an amount of at most two decimals)")


def percent(value: float) -> None:
    """Demand a part of a hundred."""
    if not (0 <= value <= _ALL and round(value, 2) == value):
        raise Misfit("应在 0 到 100 之间，最多两位小数 (want 0 to 100, at most two decimals)")


def rounds(value: int) -> None:
    """Demand a number of rounds that somebody would sit through."""
    if not 0 <= value <= _MOST_ROUNDS:
        raise Misfit(f"应在 0 到 {_MOST_ROUNDS} 之间 (want 0 to {_MOST_ROUNDS})")


def shares(value: tuple[float, ...]) -> None:
    """Demand shares of a whole, one for each round; they need not add up to anything."""
    if not 0 < len(value) <= _MOST_ROUNDS or not all(_SMALLEST <= x <= _MOST_YUAN for x in value):
        raise Misfit(
            f"要有 1 到 {_MOST_ROUNDS} 个数，都大于 0 (want 1 to {_MOST_ROUNDS} numbers above 0)"
        )


def templates(value: tuple[str, ...]) -> None:
    """Demand replies that name known variables only; a lone one may be empty."""
    if len(value) > 1:
        no_blanks(value)
    for each in value:
        template(each)


def picture(value: str) -> None:
    """Demand a file, whose existence is the loader's to check, or a picture of the platform."""
    if "://" not in value:
        return
    found = _HTTPS_HOST.match(value)
    if found is None or not found[1].lower().endswith(PICTURE_HOSTS):
        raise Misfit(
            "网址要以 https:// 开头，并且是闲鱼自己的图片；别的图片请存成文件，写文件路径"
            " (want a file, or a https:// picture that Xianyu keeps)"
        )


def store(value: str) -> None:
    """Demand SQLite; what else stands here may hold a password, so it is not repeated."""
    if value.startswith(("postgresql:", "postgresql+", "postgres:")):
        raise Misfit('这个版本只支持 "sqlite" (this version supports sqlite only)')
    if value != "sqlite":
        raise Misfit('应为 "sqlite" (want "sqlite")')
