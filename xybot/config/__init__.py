"""bot.toml and bot.d/*.toml -> `Config`; every mistake is told with its file and key."""

from __future__ import annotations

from xybot.config.ai import Ai, AiTexts, Intent
from xybot.config.answering import Default, Mode, Replies, Rule, SourceName
from xybot.config.follow_ups import FollowUp
from xybot.config.goods import Goods, GoodsKind, Supplier
from xybot.config.guarding import Guard
from xybot.config.load import Loaded, load
from xybot.config.schema import (
    AccountConfig,
    Config,
    Notify,
    Platform,
    Simulator,
    Timing,
)
from xybot.config.secrets import FromEnv, FromFile, FromText, SecretSource
from xybot.config.selling import Haggle, ItemConfig
from xybot.config.web import Hook, Scope, Web, WebToken
from xybot.config.webhook import Webhook

__all__ = [
    "AccountConfig",
    "Ai",
    "AiTexts",
    "Config",
    "Default",
    "FollowUp",
    "FromEnv",
    "FromFile",
    "FromText",
    "Goods",
    "GoodsKind",
    "Guard",
    "Haggle",
    "Hook",
    "Intent",
    "ItemConfig",
    "Loaded",
    "Mode",
    "Notify",
    "Platform",
    "Replies",
    "Rule",
    "Scope",
    "SecretSource",
    "Simulator",
    "SourceName",
    "Supplier",
    "Timing",
    "Web",
    "WebToken",
    "Webhook",
    "load",
]
