"""bot.toml and bot.d/*.toml -> `Config`; every mistake is told with its file and key."""

from __future__ import annotations

from xybot.config.load import Loaded, load
from xybot.config.schema import (
    AccountConfig,
    Config,
    Default,
    Mode,
    Notify,
    Platform,
    Replies,
    Rule,
    Simulator,
    SourceName,
    Timing,
    Web,
)
from xybot.config.secrets import FromEnv, FromFile, FromText, SecretSource

__all__ = [
    "AccountConfig",
    "Config",
    "Default",
    "FromEnv",
    "FromFile",
    "FromText",
    "Loaded",
    "Mode",
    "Notify",
    "Platform",
    "Replies",
    "Rule",
    "SecretSource",
    "Simulator",
    "SourceName",
    "Timing",
    "Web",
    "load",
]
