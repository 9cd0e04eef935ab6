"""The door: lets in who shows a token, or the cookie of a sign-in; nobody else.

A cookie goes along with whatever a browser asks of us, so what changes something must also
carry what only our own pages know (CSRF).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import deque
from typing import Final

import attrs
import trio
from starlette.datastructures import Headers
from starlette.requests import Request

from xybot.store import sign_ins
from xybot.store.database import Store
from xybot.web.house import House
from xybot.web.problems import Problem
from xybot.web.visitors import Key, Keys, Visitor

COOKIE: Final = "xybot"
CSRF_HEADER: Final = "x-csrf-token"
GOOD_FOR: Final = 30 * 86_400
"""Seconds of a sign-in."""
_SAFE: Final = frozenset({"GET", "HEAD"})
_BEARER: Final = "bearer "
_WRONG_ONES: Final = 5
"""Wrong tokens that a browser may show within a minute."""
_ALL_WRONG_ONES: Final = 50
"""The same for all browsers together."""
_WITHIN: Final = 60.0


@attrs.define(eq=False)
class Attempts:
    """Wrong tokens at the sign-in, so that nobody can go on guessing."""

    _wrong: deque[tuple[float, str]] = attrs.field(factory=deque, init=False)

    def wait(self, who: str) -> float:
        """Return for how many seconds somebody must not try again; 0 lets them try."""
        now = trio.current_time()
        while self._wrong and self._wrong[0][0] <= now - _WITHIN:
            self._wrong.popleft()
        theirs = [at for at, name in self._wrong if name == who]
        if len(theirs) >= _WRONG_ONES:
            return theirs[-_WRONG_ONES] + _WITHIN - now
        if len(self._wrong) >= _ALL_WRONG_ONES:
            return self._wrong[0][0] + _WITHIN - now
        return 0.0

    def note(self, who: str) -> None:
        """Note that somebody showed a wrong token."""
        self._wrong.append((trio.current_time(), who))


@attrs.frozen(kw_only=True)
class Door:
    """Knows every token, and every browser that is signed in."""

    keys: Keys
    house: House
    secure: bool
    """Whether browsers come over HTTPS, so that a cookie must not go any other way."""
    attempts: Attempts = attrs.Factory(Attempts)

    @property
    def _store(self) -> Store:
        return self.house.store

    async def admit(self, request: Request) -> Visitor | None:
        """Return who asks, None when nobody knows them."""
        if (token := bearer(request.headers)) is not None:
            key = self.keys.opened_by(token)
            return None if key is None else Visitor(name=key.name, scopes=key.scopes)
        session = request.cookies.get(COOKIE)
        if not session:
            return None
        now = self.house.now_ms()
        fingerprint = await self._store.read(sign_ins.token_of, hashed(session), now=now)
        key = self.keys.named(fingerprint) if fingerprint else None
        if key is None:
            return None
        return Visitor(name=key.name, scopes=key.scopes, session=session)

    def check_origin(self, request: Request, visitor: Visitor, shown: str) -> None:
        """Make sure that a change which a browser asks for comes from a page of ours.

        Raises:
          Problem: it does not.
        """
        if visitor.session is None or request.method in _SAFE:
            return
        if not hmac.compare_digest(visitor.csrf.encode(), shown.encode("utf-8", "replace")):
            wrong = "页面已过期，请刷新后再试 (the page is too old: reload it)"
            raise Problem(403, "csrf", wrong)

    async def sign_in(self, key: Key) -> str:
        """Remember a browser; return what its cookie has to hold."""
        session, now = secrets.token_urlsafe(32), self.house.now_ms()
        until = now + GOOD_FOR * 1000
        await self._store.insist(
            sign_ins.keep, hashed(session), key.fingerprint, until=until, now=now
        )
        return session

    async def sign_out(self, session: str) -> None:
        """Forget a browser."""
        await self._store.insist(sign_ins.forget, hashed(session))


def bearer(headers: Headers) -> str | None:
    """Return the token of an `Authorization` header, None without one."""
    given = headers.get("authorization", "")
    if not given.lower().startswith(_BEARER):
        return None
    return given[len(_BEARER) :].strip()


def hashed(session: str) -> str:
    """Return what a sign-in is kept under: who reads the database cannot use it."""
    return hashlib.sha256(session.encode("utf-8", "surrogateescape")).hexdigest()
