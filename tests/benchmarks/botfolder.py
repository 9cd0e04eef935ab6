"""The bot.toml of a measurement, and what the bot's database says in the end."""

from __future__ import annotations

import os
import secrets
import socket
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import tomli_w

from xybot.config import load

TOKEN: Final = secrets.token_urlsafe()
"""Opens the API of the bots that are measured."""
REPLY: Final = "您好，在的，喜欢直接拍～"
_RULES: Final = [
    {"keywords": ["还有货吗", "有货吗"], "reply": REPLY},
    {"keywords": ["(包|免)邮", "邮费|运费"], "mode": "regex", "reply": REPLY},
]
_SENT: Final = "SELECT sending_at, settled_at, queued_at FROM outbox WHERE state = 'sent'"
_RECEIVED: Final = (
    "SELECT o.settled_at - i.received_at FROM outbox o JOIN inbox i ON i.turn = o.turn"
    " WHERE o.state = 'sent' AND i.received_at >= ?"
)


@attrs.frozen(kw_only=True)
class Where:
    """A platform, and the cookies of accounts on it."""

    websocket: str
    gateway: str
    cookies: Mapping[str, str]
    port: int = attrs.field(factory=lambda: _free_port())
    """Where the bot's own API is."""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def named_by(path: Path) -> Where | None:
    """Return the platform of somebody's bot.toml, None when that asks for the simulator."""
    loaded = load(path)
    if loaded.config.simulator.enabled:
        return None
    platform = loaded.config.platform
    cookies = {str(id_): cookie.reveal() for id_, cookie in loaded.cookies.items()}
    return Where(websocket=platform.websocket, gateway=platform.gateway, cookies=cookies)


@contextmanager
def bot_folder(where: Where, **more: object) -> Iterator[Path]:
    """Make a folder with a bot.toml that answers everything at once, and `more` settings."""
    fields: dict[str, Any] = {
        "platform": {"websocket": where.websocket, "gateway": where.gateway},
        # As fast as it goes: no pace, and no limit that would take a player for a bot.
        "timing": {"debounce": 0, "send_pace": 0},
        "replies": {"chat_limit": 0, "buyer_limit": 0},
        "rules": _RULES,
        "default": {"reply": REPLY, "once": False},
        "web": {"listen": f"127.0.0.1:{where.port}", "token": TOKEN},
        "accounts": [{"id": id_, "cookie": text} for id_, text in where.cookies.items()],
        **more,
    }
    # Beside the temporary files of everybody else, but for us only: cookies may be in it.
    with tempfile.TemporaryDirectory(prefix="xybot-bench-") as name:
        folder = Path(name)
        file = os.open(folder / "bot.toml", os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as bot_toml:
            bot_toml.write(tomli_w.dumps(fields))
        yield folder


def said_by_bot(folder: Path) -> str:
    """Return what the bot complained about: nothing, if all went well."""
    log = folder / "bot.log"
    return log.read_text("utf-8") if log.exists() else ""


@attrs.frozen
class Books:
    """What the store knows of replies that the platform has accepted."""

    sent: int
    latencies_ms: tuple[int, ...]
    """From the arrival of a message to the commit that its reply was accepted."""
    seconds: float
    """From the first of them to the last."""


def books(folder: Path, *, since_ms: int = 0) -> Books:
    """Read the bot's database."""
    with closing(sqlite3.connect(f"file:{folder / 'data' / 'xybot.db'}?mode=ro", uri=True)) as db:
        settled = [row[1] for row in db.execute(_SENT) if row[1] >= since_ms]
        latencies = tuple(row[0] for row in db.execute(_RECEIVED, (since_ms,)))
    span = (max(settled) - min(settled)) / 1000 if settled else 0.0
    return Books(sent=len(settled), latencies_ms=latencies, seconds=span)
