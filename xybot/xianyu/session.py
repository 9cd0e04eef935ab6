"""What an account is logged in with: cookies, device id, IM token; kept across restarts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
import msgspec

from xybot.model import UserId
from xybot.secret import Secret
from xybot.wire.ids import Chance, device_id
from xybot.wire.sign import parse_cookies

#: Tokens are good for longer than we use them (protocol.md §1.1: 2 h to 24 h are claimed);
#: a 401 says when we were wrong.
_LONGEST_USE: Final = 6 * 3600 * 1000
#: Whatever lifetime is claimed: the token call is too guarded to be made more often.
_SHORTEST_USE: Final = 10 * 60 * 1000


@attrs.frozen(kw_only=True)
class Token:
    """An IM access token, bound to the device id it was fetched for."""

    text: Secret
    fetched_at: int
    """Milliseconds."""
    good_until: int
    """Milliseconds; after that another is fetched before the next connection."""


@attrs.frozen(kw_only=True)
class Session:
    """The login of one account.  Nothing in it shows when it is printed."""

    cookies: Mapping[str, str] = attrs.field(repr=False)
    device: str
    token: Token | None = None

    @property
    def user(self) -> UserId:
        """The account's own id on the platform: the cookie `unb`."""
        return UserId(self.cookies["unb"])


def new_session(cookie: Secret, rng: Chance) -> Session:
    """Begin with a pasted cookie; the device id is made once and kept."""
    cookies = parse_cookies(cookie.reveal())
    return Session(cookies=cookies, device=device_id(cookies["unb"], rng))


def new_token(text: str, lifetime_ms: int | None, now: int) -> Token:
    """Note a fetched token and until when it will be used."""
    use = max(_SHORTEST_USE, min(lifetime_ms or _LONGEST_USE, _LONGEST_USE))
    return Token(text=Secret(text), fetched_at=now, good_until=now + use)


def dumps(session: Session) -> str:
    """Render for the store; the only place where a session's secrets become text."""
    token = session.token
    fields: dict[str, Any] = {"cookies": dict(session.cookies), "device": session.device}
    if token is not None:
        fields["token"] = [token.text.reveal(), token.fetched_at, token.good_until]
    return msgspec.json.encode(fields).decode()


def loads(text: str) -> Session:
    """Read what `dumps` wrote."""
    fields = msgspec.json.decode(text)
    token = None
    if "token" in fields:
        secret, fetched, until = fields["token"]
        token = Token(text=Secret(secret), fetched_at=fetched, good_until=until)
    return Session(cookies=fields["cookies"], device=fields["device"], token=token)
