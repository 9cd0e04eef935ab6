"""What the seller reads while the bot runs: one line for each thing that matters.

The code logs by key and values; here a key becomes a sentence, Chinese first, or, with
`--log-format json`, one JSON object.  Whatever a buyer wrote is shown as text: control
characters, which could take over a terminal, are replaced.
"""

from __future__ import annotations

import enum
import json
import re
import sys
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

import attrs
import structlog
from structlog.typing import EventDict, WrappedLogger

from xybot.events import (
    AccountStatus,
    ChatLimited,
    ChatPaused,
    DeliveryHeld,
    Event,
    GapClosed,
    Quarantined,
    ReplyDrafted,
    ReplyDropped,
    SendHeld,
    SendRefused,
    StockLow,
)
from xybot.journal.harmless import harmless_lines, is_harmless, short
from xybot.journal.phrases import PHRASES, STANDS, plainly
from xybot.model import AccountState

__all__ = ["STANDS", "Level", "LogFormat", "configure", "short", "tell"]

LogFormat: TypeAlias = Literal["text", "json"]
Level: TypeAlias = Literal["info", "warning", "error"]

_LEVELS: Final[Mapping[Level, int]] = {"info": 20, "warning": 30, "error": 40}
_COLOURS: Final = {"warning": "\x1b[33m", "error": "\x1b[31m"}
#: What must not be in a line, however it got there: cookies and tokens in an error's words.
_SECRETS: Final = re.compile(
    r"(\b(?:_m_h5_tk(?:_enc)?|cookie2|sgcookie|csg|_tb_token_|x5sec|havana_\w+|sdkSilent)"
    r"(?:=|\\?[\"']: *\\?[\"'])"  # as in a header, or as in a dict; in JSON a quote has a \
    r"|oauth_k1:)[^;&\s\"'\\]+"
)


class _Lines:
    """Writes lines and never fails: a closed terminal must not stop the bot."""

    def msg(self, line: str) -> None:
        """Write one line at once."""
        try:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        except (OSError, ValueError):
            pass

    info = warning = error = exception = critical = msg


def configure(log_format: LogFormat, level: Level = "info") -> None:
    """Set up logging for the whole process."""
    if hasattr(sys.stdout, "reconfigure"):
        # A Windows console with another code page must not stop on an emoji.
        sys.stdout.reconfigure(errors="replace")
    last = _as_json() if log_format == "json" else _as_text
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(
                fmt="iso" if log_format == "json" else "%H:%M:%S", utc=log_format == "json"
            ),
            structlog.processors.format_exc_info,
            last,
            _without_secrets,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_: _Lines(),
        cache_logger_on_first_use=True,
    )


def _as_json() -> structlog.typing.Processor:
    render = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)

    def harmless(logger: WrappedLogger, name: str, values: EventDict) -> str:
        return "".join(map(_escaped, str(render(logger, name, values))))

    return harmless


def _escaped(char: str) -> str:
    # Beyond ASCII JSON has characters in texts only, where an escape says the same.
    return char if char.isascii() or is_harmless(char) else json.dumps(char)[1:-1]


def _without_secrets(_: WrappedLogger, __: str, line: Any) -> str:  # noqa: ANN401  # a str
    return _SECRETS.sub(r"\1***", line)


def tell(event: Event) -> None:
    """Write an event as a line of the journal."""
    log, level = structlog.get_logger().bind(), _LEVELS[_level(event)]
    if not log.is_enabled_for(level):
        return
    values = attrs.asdict(event, recurse=False)
    for key, value in values.items():
        if isinstance(value, enum.Enum):
            values[key] = value.value
    log.log(level, event.name, **values)


def _level(event: Event) -> Level:
    match event:
        case AccountStatus(new=AccountState.FAILED):
            return "error"
        case AccountStatus(new=AccountState.RECONNECTING) | SendRefused() | Quarantined():
            return "warning"
        case SendHeld() | ReplyDropped() | ReplyDrafted() | ChatLimited():
            return "warning"
        case DeliveryHeld() | StockLow():
            return "warning"
        case ChatPaused(why=why):
            return "warning" if why else "info"
        case GapClosed(late=late, unaccounted=unaccounted):
            return "warning" if late or unaccounted else "info"
        case _:
            return "info"


def _as_text(_: WrappedLogger, __: str, values: EventDict) -> str:
    level, at, key = values.pop("level"), values.pop("timestamp"), values.pop("event")
    account = values.pop("account", "")
    trace = values.pop("exception", None)
    words = PHRASES.get(key, plainly(key))(values)
    line = f"{at}  {account:<10}  {words}" if account else f"{at}  {words}"
    if level in _COLOURS and _on_terminal():
        line = f"{_COLOURS[level]}{line}\x1b[0m"
    return f"{line}\n{harmless_lines(trace)}" if trace else line


def _on_terminal() -> bool:
    try:
        return sys.stdout.isatty()
    except ValueError:  # It was closed.
        return False
