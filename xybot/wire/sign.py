"""The signature of an mtop call, and the cookies it is made from (protocol.md §5, §6)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TypeAlias

APP_KEY = "34839810"
"""The app key of every mtop call of the web page."""

Cookies: TypeAlias = Mapping[str, str]


def signature(token: str, t: int, data: str) -> str:
    """Sign a call: md5 of token, time (ms), app key and data, joined by `&`."""
    signed = f"{token}&{t}&{APP_KEY}&{data}"
    return hashlib.md5(signed.encode(), usedforsecurity=False).hexdigest()


def h5_token(cookies: Cookies) -> str:
    """Return the signing token: `_m_h5_tk` up to its underscore, "" when there is none."""
    return cookies.get("_m_h5_tk", "").partition("_")[0]


def parse_cookies(text: str) -> dict[str, str]:
    """Read a `Cookie` header as sellers paste it: `name=value; name=value`."""
    pairs = (part.strip().partition("=") for part in text.replace("\n", ";").split(";"))
    return {name.strip(): value.strip() for name, sep, value in pairs if sep and name.strip()}


def cookie_header(cookies: Cookies) -> str:
    """Render cookies as the value of a `Cookie` header."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def _expires(setting: str) -> bool:
    """Tell an attribute that ends a cookie: no lifetime, or a date at the start of time."""
    name, _, value = setting.partition("=")
    return (name == "max-age" and value[:1] in ("0", "-")) or (
        name == "expires" and "1970" in value
    )


def merged(cookies: Cookies, set_cookies: Iterable[str]) -> dict[str, str]:
    """Return the cookies after all `Set-Cookie` headers of an answer; an expired one goes."""
    jar = dict(cookies)
    for header in set_cookies:
        pair, _, attributes = header.partition(";")
        name, sep, value = pair.strip().partition("=")
        if not sep or not name:
            continue
        settings = [part.strip().lower() for part in attributes.split(";")]
        if value in ("", "deleted") or any(map(_expires, settings)):
            jar.pop(name, None)
        else:
            jar[name] = value
    return jar
