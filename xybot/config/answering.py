"""Settings of what to say, and when to keep quiet: `[replies]`, `[[rules]]`, `[default]`."""

from __future__ import annotations

import hashlib
import json
from typing import Literal, NewType, TypeAlias

import attrs
from attrs import field

from xybot.config import checks
from xybot.config.checks import by
from xybot.config.problems import Misfit
from xybot.model import AccountId, ItemId

SourceName: TypeAlias = Literal["item_rules", "rules", "haggle", "ai", "webhook", "default"]
Mode: TypeAlias = Literal["contains", "exact", "regex", "expression"]

_WHERE_IT_STANDS = ("where", "line", "priority")

Texts = NewType("Texts", tuple[str, ...])
"""In TOML an array of texts, or a lone text for an array of one."""


def texts(given: str | tuple[str, ...]) -> Texts:
    """Return an array; a lone text is an array of one."""
    return Texts((given,) if isinstance(given, str) else given)


@attrs.frozen(kw_only=True)
class Replies:
    """Whom to ask for a reply, in this order, and what keeps us from asking."""

    order: tuple[SourceName, ...] = field(
        default=("item_rules", "rules", "haggle", "ai", "webhook", "default"),
        validator=by(checks.distinct),
    )
    at_once: int = field(default=32, validator=by(checks.above_zero))
    """How many chats of an account look for a reply at the same time."""
    toggle_word: str = "。"
    """What the seller writes in a chat to switch the bot off there, and on again."""
    dry_run: bool = False
    """Decide and store, but send nothing."""
    dry_run_sources: tuple[SourceName, ...] = ()
    """The same for some sources only."""
    drafts: bool = False
    """Replies wait for the seller's approval."""
    draft_sources: tuple[SourceName, ...] = ()
    """The same for some sources only."""
    blacklist: tuple[str, ...] = field(default=(), validator=by(checks.no_blanks))
    """Buyers who are never answered: their ids or their names."""
    chat_limit: int = field(default=30, validator=by(checks.not_negative))
    """Replies in one chat within an hour; 0 is no limit.  Loops between two bots end here."""
    buyer_limit: int = field(default=100, validator=by(checks.not_negative))
    """Replies to one buyer within a day; 0 is no limit."""
    seconds_per_char: float = field(default=0.0, validator=by(checks.not_negative))
    """A reply waits so long for each of its characters, as if typed; 0 sends at once."""
    longest_delay: float = field(default=15.0, validator=by(checks.not_negative))
    """No reply waits longer than so many seconds."""


@attrs.frozen(kw_only=True)
class Rule:
    """A reply to certain words; an empty `reply` means: matched, stay silent."""

    accounts: tuple[AccountId, ...] = ()
    """Empty: every account."""
    items: tuple[ItemId, ...] = ()
    """Empty: every item, unless there are titles."""
    titles: tuple[str, ...] = field(default=(), validator=by(checks.no_blanks))
    """Words of the titles of more items that it is for, or regular expressions: `/…/`."""
    hours: Texts = field(default=Texts(()), converter=texts)
    """`22:00-08:00`; empty: at any time."""
    priority: int = 0
    """Higher is asked first; equals are asked in the order of the file."""
    keywords: tuple[str, ...] = field(validator=by(checks.keywords))
    mode: Mode = "contains"
    reply: Texts = field(default=Texts(()), converter=texts, validator=by(checks.templates))
    """One message after the other."""
    image: str = field(default="", validator=by(checks.picture))
    """Shown after the words: a file, which the loader makes absolute, or an address."""
    hand_over: bool = False
    """Whether the chat is the seller's from here on."""
    where: str = ""
    """`bot.toml: rules[2]（第 3 条）`; the loader's, never written in TOML."""
    line: int | None = None
    """At which line of its file it begins, if that is known; the loader's."""

    def __attrs_post_init__(self) -> None:
        if not self.reply and not self.image and not self.hand_over:
            raise Misfit("缺少这一项 (missing)", key="reply")

    @property
    def fingerprint(self) -> str:
        """What tells the rule, wherever it stands: whom it answers, to what, and with what."""
        what = attrs.asdict(self, filter=lambda field, _: field.name not in _WHERE_IT_STANDS)
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]

    def place(self, key: str) -> str:
        """Return where one of its keys stands: `bot.toml: rules[2].reply（第 3 条）`."""
        table, mark, nth = self.where.rpartition("（第")
        return f"{table}.{key}{mark}{nth}" if mark else f"{self.where}.{key}"


@attrs.frozen(kw_only=True)
class Default:
    """What to say when nobody else has an answer."""

    reply: str = field(validator=by(checks.template))
    once: bool = True
    """Only once in each chat: a buyer and an item."""
