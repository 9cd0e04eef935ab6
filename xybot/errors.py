"""Every exception that xybot raises on purpose, sorted by remedy.

* `TransientError`: wait and try again;
* `AttentionRequired`: stop this account and tell its seller;
* `ReplyError`: this source of replies is out, ask the next;
* `ConfigError`, `WireError`: somebody's input, reported where it was read;
* everything else is a bug and travels.
"""

from __future__ import annotations

import enum


class Cause(enum.Enum):
    """Why a connection ended, or why an account is off line; stored and logged by its value."""

    STARTED = "started"
    """The program, or the account, was just started."""
    STOPPED = "stopped"
    """The program ended, or the account was switched off."""
    PAUSED = "paused"
    """The seller paused the account."""
    REDIAL = "redial"
    """The seller asked for a new connection."""
    RENEWAL = "renewal"
    """Planned: a fresh token needs a fresh connection."""
    CLOSED = "closed"
    """The websocket was closed in good order, mostly by the platform."""
    ABORTED = "aborted"
    """The connection broke without a word."""
    SILENT = "silent"
    """The connection stood, and nobody answered."""
    DNS = "dns"
    """The name of the server has no address."""
    UNREACHABLE = "unreachable"
    """No TCP connection: refused, no route, or not within its time."""
    TLS = "tls"
    """No encrypted connection: a certificate or a protocol is not as it should be."""
    HANDSHAKE = "handshake"
    """A server answered that would not open a websocket."""
    GATEWAY = "gateway"
    """The HTTP gateway gave no answer, or none that is usable."""
    BUSY = "busy"
    """The platform asks for patience."""
    REGISTRATION = "registration"
    """`/reg` was refused for a reason that nobody documented."""
    TOKEN_EXPIRED = "token_expired"  # noqa: S105  # a word, no secret
    """The platform no longer knows the token: an in-band 401."""
    TOKEN_REFUSED = "token_refused"  # noqa: S105  # a word, no secret
    """`/reg` did not take the token."""
    KICKED_OUT = "kicked_out"
    """The platform ended this session; a new token makes another."""
    SESSION_TAKEN = "session_taken"
    """Another login of this account won."""
    LOGIN_REQUIRED = "login_required"
    """The cookies are no longer good."""
    VERIFICATION_REQUIRED = "verification_required"
    """The platform wants a person to prove that they are one."""
    STORE = "store"
    """The database cannot be written."""
    BUG = "bug"
    """An error of ours."""
    OTHER = "other"


class XybotError(Exception):
    """Base of the tree; never raised itself."""

    cause: Cause = Cause.BUG
    """What an account that ends with this error is off line for."""


class ConfigError(XybotError):
    """A setting cannot be used; the text names the file and the key. Exit code 2."""


class WireError(XybotError):
    """The peer sent bytes that do not follow the protocol: quarantine them, go on."""


class TransientError(XybotError):
    """Something that waiting may cure; `cause` where the kind alone does not tell it."""

    cause = Cause.OTHER

    def __init__(self, message: str = "", *, cause: Cause | None = None) -> None:
        super().__init__(message)
        self.cause = cause or type(self).cause


class ConnectionLost(TransientError):
    """The websocket could not be opened, was closed, or fell silent; `cause` tells which."""

    cause = Cause.ABORTED


class Busy(TransientError):
    """The platform asks for patience (flow control, rate limits)."""

    cause = Cause.BUSY


class StoreUnavailable(TransientError):
    """The database cannot be written just now (disk full, locked, read-only)."""

    cause = Cause.STORE


class TokenExpired(TransientError):
    """The IM token is no longer good: fetch another, then dial again."""

    cause = Cause.TOKEN_EXPIRED


class TokenRefused(TokenExpired):
    """`/reg` did not take the IM token."""

    cause = Cause.TOKEN_REFUSED


class KickedOut(TokenExpired):
    """The platform replaced this session (`/push/kickout`)."""

    cause = Cause.KICKED_OUT


class AttentionRequired(XybotError):
    """Only the seller can cure this; the account is parked until they do."""

    cause = Cause.OTHER


class LoginRequired(AttentionRequired):
    """The account's cookies are no longer good."""

    cause = Cause.LOGIN_REQUIRED


class SessionTaken(AttentionRequired):
    """Another login of this account won (`/s/session/remove`): do not fight it."""

    cause = Cause.SESSION_TAKEN


class VerificationRequired(AttentionRequired):
    """The platform wants a person to prove that they are one.

    xybot never solves, dodges or delays such a check; it hands `url` to the seller.
    """

    cause = Cause.VERIFICATION_REQUIRED

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


def cause_of(exc: BaseException) -> Cause:
    """Return why a connection ended with this error; of a group, the first error tells."""
    first = first_error(exc)
    return first.cause if isinstance(first, XybotError) else Cause.BUG
