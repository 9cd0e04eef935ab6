"""Every exception that xybot raises on purpose, sorted by remedy.

* `TransientError`: wait and try again;
* `AttentionRequired`: stop this account and tell its seller;
* `ReplyError`: this source of replies is out, ask the next;
* `ConfigError`, `WireError`: somebody's input, reported where it was read;
* everything else is a bug and travels.
"""

from __future__ import annotations


class XybotError(Exception):
    """Base of the tree; never raised itself."""


class ConfigError(XybotError):
    """A setting cannot be used; the text names the file and the key. Exit code 2."""


class WireError(XybotError):
    """The peer sent bytes that do not follow the protocol: quarantine them, go on."""


class TransientError(XybotError):
    """Something that waiting may cure."""


class ConnectionLost(TransientError):
    """The websocket could not be opened, was closed, or fell silent."""


class Busy(TransientError):
    """The platform asks for patience (flow control, rate limits)."""


class StoreUnavailable(TransientError):
    """The database cannot be written just now (disk full, locked, read-only)."""


class TokenExpired(TransientError):
    """The IM token is no longer good: fetch another, then dial again."""


class KickedOut(TokenExpired):
    """The platform replaced this session (`/push/kickout`)."""


class AttentionRequired(XybotError):
    """Only the seller can cure this; the account is parked until they do."""


class LoginRequired(AttentionRequired):
    """The account's cookies are no longer good."""


class SessionTaken(AttentionRequired):
    """Another login of this account won (`/s/session/remove`): do not fight it."""


class VerificationRequired(AttentionRequired):
    """The platform wants a person to prove that they are one.

    xybot never solves, dodges or delays such a check; it hands `url` to the seller.
    """

    def __init__(self, message: str, *, url: str | None = None) -> None:
        super().__init__(message)
        self.url = url


class ReplyError(XybotError):
    """A reply source is broken right now; the next one is asked."""


def first_error(group: BaseException) -> BaseException:
    """Return the first error inside a group of groups; what is no group is its own."""
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group
