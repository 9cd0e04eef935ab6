"""All settings of bot.toml: a setting is one field here."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
from attrs import field

from xybot.config import checks
from xybot.config.ai import Ai
from xybot.config.answering import Default, Replies, Rule
from xybot.config.checks import by
from xybot.config.follow_ups import FollowUp
from xybot.config.goods import Goods
from xybot.config.guarding import Guard
from xybot.config.problems import Misfit
from xybot.config.secrets import SecretSource
from xybot.config.selling import Haggle, ItemConfig
from xybot.config.web import Hook, Web
from xybot.config.webhook import Webhook
from xybot.model import AccountId, ItemId


@attrs.frozen(kw_only=True)
class Simulator:
    """A small Xianyu on this machine, instead of the real one."""

    enabled: bool = False
    listen: str = field(default="127.0.0.1:0", validator=by(checks.listen_address))
    buyers: int = field(default=3, validator=by(checks.not_negative))
    seed: int | None = None


@attrs.frozen(kw_only=True)
class Platform:
    """Where Xianyu is."""

    websocket: str = field(
        default="wss://wss-goofish.dingtalk.com/", validator=by(checks.websocket_url)
    )
    gateway: str = field(default="https://h5api.m.goofish.com", validator=by(checks.http_url))
    passport: str = field(default="https://passport.goofish.com", validator=by(checks.http_url))
    upload: str = field(default="https://stream-upload.goofish.com", validator=by(checks.http_url))


@attrs.frozen(kw_only=True)
class Timing:
    """Seconds, but for `max_failures`."""

    heartbeat_interval: float = field(default=15.0, validator=by(checks.above_zero))
    heartbeat_timeout: float = field(default=10.0, validator=by(checks.above_zero))
    debounce: float = field(default=3.0, validator=by(checks.not_negative))
    """Silence that ends a buyer's turn; 0 answers at once."""
    debounce_max: float = field(default=30.0, validator=by(checks.not_negative))
    """A buyer who never falls silent is answered after this long."""
    manual_pause: float = field(default=600.0, validator=by(checks.not_negative))
    """How long the bot keeps out of a chat after the seller wrote in it by hand."""
    send_pace: float = field(default=0.5, validator=by(checks.not_negative))
    """From one message of an account to its next; 0 is as fast as it goes."""
    catch_up_every: float = field(default=120.0, validator=by(checks.above_zero))
    """How often to look for messages that were never pushed."""
    message_expiry: float = field(default=300.0, validator=by(checks.not_negative))
    """Older messages are stored and not answered."""
    max_failures: int = field(default=5, validator=by(checks.above_zero))

    def __attrs_post_init__(self) -> None:
        if self.debounce_max < self.debounce:
            wrong = "不能小于 debounce (must be at least debounce)"
            raise Misfit(wrong, key="debounce_max")


@attrs.frozen(kw_only=True)
class AccountConfig:
    """One seller account; `Loaded.cookies` has the cookie itself where it is needed."""

    id: AccountId
    cookie: SecretSource | None = None
    enabled: bool = True
    dry_run: bool = False
    """Decide and store, but send nothing."""
    drafts: bool = False
    """Replies wait for the seller's approval."""
    haggle: Haggle = attrs.Factory(Haggle)


@attrs.frozen(kw_only=True)
class Notify:
    """A way to tell the seller; no events means all of them."""

    url: SecretSource
    events: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Config:
    """bot.toml and bot.d as values."""

    data: str = field(default="data", validator=by(checks.not_blank))
    store: str = field(default="sqlite", validator=by(checks.store))
    simulator: Simulator = Simulator()
    platform: Platform = Platform()
    timing: Timing = Timing()
    web: Web | None = None
    """None: nothing listens."""
    accounts: tuple[AccountConfig, ...] = ()
    replies: Replies = attrs.Factory(Replies)
    rules: tuple[Rule, ...] = ()
    default: Default | None = None
    haggle: Haggle = attrs.Factory(Haggle)
    items: Mapping[ItemId, ItemConfig] = attrs.Factory(dict)
    ai: Ai | None = None
    webhook: Webhook | None = None
    goods: tuple[Goods, ...] = ()
    follow_ups: tuple[FollowUp, ...] = ()
    guard: Guard = attrs.Factory(Guard)
    notify: tuple[Notify, ...] = ()
    hooks: tuple[Hook, ...] = ()
