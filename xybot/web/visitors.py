"""Who asks, and what they may do.

A program shows its token with every request.  A browser shows it once, at the sign-in, and
then a cookie, which is good for 30 days or until its token is no longer one of ours.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import attrs

from xybot.config import Scope, Web
from xybot.config.text import read_text
from xybot.config.web import OWNER
from xybot.errors import ConfigError

ALL: Final[frozenset[Scope]] = frozenset({"read", "send", "admin"})
SHORTEST: Final = 16
"""Characters of a token that somebody chose; what is shorter can be guessed."""
TOKEN_FILE: Final = "web.token"  # noqa: S105  # a name


@attrs.frozen(kw_only=True)
class Visitor:
    """Somebody who may enter."""

    name: str
    """Of the token."""
    scopes: frozenset[Scope]
    session: str | None = attrs.field(default=None, repr=False)
    """What the cookie of a browser holds; None for a program."""

    @property
    def csrf(self) -> str:
        """What a form of this browser must carry, which no other site can know."""
        assert self.session is not None
        return hmac.new(self.session.encode(), b"csrf", hashlib.sha256).hexdigest()


@attrs.frozen(kw_only=True)
class Key:
    """A token as we keep it: what it hashes to, never itself."""

    name: str
    digest: str
    scopes: frozenset[Scope]

    @property
    def fingerprint(self) -> str:
        """What a sign-in remembers of the token that it was made with."""
        return f"{self.name} {self.digest[:16]}"


@attrs.frozen
class Keys:
    """Every token that opens the door."""

    all: tuple[Key, ...]

    def opened_by(self, token: str) -> Key | None:
        """Return the key that a token is; takes the same time for every token."""
        shown, found = digest(token), None
        for key in self.all:
            if hmac.compare_digest(key.digest, shown):
                found = key
        return found

    def named(self, fingerprint: str) -> Key | None:
        """Return the key that a sign-in was made with, if it still opens the door."""
        return next((key for key in self.all if key.fingerprint == fingerprint), None)


def digest(token: str) -> str:
    """Return what a token is kept as.

    Ours have 256 bits, so that no slow hash is needed to make guessing hopeless.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def given_keys(web: Web) -> tuple[Key, ...]:
    """Return the tokens of bot.toml.

    Raises:
      ConfigError: one cannot be read, or is too short.
    """
    given = [_key(OWNER, web.token.resolve().reveal(), ALL, "web.token")] if web.token else []
    for each in web.tokens:
        token = each.token.resolve().reveal()
        given.append(_key(each.name, token, implied(each.scopes), f"web.tokens: {each.name}"))
    return tuple(given)


def keys(given: tuple[Key, ...], data: Path) -> tuple[Keys, str | None]:
    """Return the tokens that open the door: without one of the seller's, one that we make.

    Returns:
      The keys, and a token that was made just now: to be shown once, for it is not kept.
    """
    if any(key.name == OWNER for key in given):
        return Keys(given), None
    kept, made = _own(data / TOKEN_FILE)
    return Keys((Key(name=OWNER, digest=kept, scopes=ALL), *given)), made


def implied(scopes: Iterable[Scope]) -> frozenset[Scope]:
    """Return scopes with those that they include: whoever may change things may do all."""
    given = frozenset(scopes)
    return ALL if "admin" in given else given


def _key(name: str, token: str, scopes: frozenset[Scope], where: str) -> Key:
    if len(token) < SHORTEST:
        raise ConfigError(
            f"{where}: 令牌太短，容易被猜到，至少 {SHORTEST} 个字符"
            f" (the token is too short, want at least {SHORTEST} characters)"
        )
    return Key(name=name, digest=digest(token), scopes=scopes)


def _own(path: Path) -> tuple[str, str | None]:
    """Return what our own token hashes to, and the token itself if it had to be made."""
    if path.exists():
        kept = read_text(path).strip()
        if kept:
            return kept, None
    token = secrets.token_urlsafe(32)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"{digest(token)}\n")
    return digest(token), token
