"""Ask the gates, then the reply sources in turn, then the guard; and write all of it down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import attrs
import structlog

from xybot.config import Config, Loaded, Replies
from xybot.config import Guard as GuardConfig
from xybot.errors import ReplyError
from xybot.model import AccountId, Decision, Pass, Reply, ReplyMode, Sayable, Text, Turn
from xybot.replies import guard as guarding
from xybot.replies.ai.source import ai_source
from xybot.replies.default import DefaultReply
from xybot.replies.gates import Gate, fresh, gates
from xybot.replies.guard import Guard
from xybot.replies.haggle import floors, haggling
from xybot.replies.rules import general_rules, item_rules
from xybot.replies.source import Answer, Means, Source
from xybot.replies.webhook import webhook

log = structlog.get_logger()

_DRY_RUN: Final = "只演练，不发送 (dry run)"
_DRAFT: Final = "等您批准 (waits for your approval)"


@attrs.frozen(kw_only=True)
class Modes:
    """What becomes of replies: of all, of an account's, of a source's."""

    settings: Replies = attrs.Factory(Replies)
    dry_run: frozenset[AccountId] = frozenset()
    drafts: frozenset[AccountId] = frozenset()

    def of(self, account: AccountId, source: str, stopped: str) -> tuple[ReplyMode, str]:
        """Return what becomes of a reply, and why; a dry run sends nothing, whatever else holds."""
        settings = self.settings
        if settings.dry_run or account in self.dry_run or source in settings.dry_run_sources:
            return "dry_run", "; ".join(filter(None, (_DRY_RUN, stopped)))
        if stopped:
            return "draft", stopped
        if settings.drafts or account in self.drafts or source in settings.draft_sources:
            return "draft", _DRAFT
        return "send", ""


@attrs.frozen(kw_only=True)
class Composer:
    """Decides what to say; made anew whenever bot.toml changes."""

    sources: tuple[Source, ...]
    expiry: float
    """Seconds after which a line is not answered any more."""
    gates: tuple[Gate, ...] = ()
    guard: Guard = attrs.Factory(lambda: guarding.guard(GuardConfig()))
    modes: Modes = attrs.Factory(Modes)
    warnings: tuple[str, ...] = ()
    """What of the settings will not work as it is written, for the seller."""

    async def decide(self, turn: Turn, now: int) -> Decision:
        """Return the first reply and what becomes of it, or why there is none.

        Args:
          turn: all that the buyer said since our last answer.
          now: the platform's clock (ms).
        """
        lines = fresh(turn, now, self.expiry)
        if isinstance(lines, Pass):
            return Decision(reply=None, passed=(("message_expiry", lines.reason),), late=True)
        decision = await self._answer(lines, now)
        stale = tuple(each.id for each in turn.messages if each not in lines.messages)
        return attrs.evolve(decision, stale=stale)

    def judge(self, account: AccountId, source: str, texts: Sequence[str]) -> tuple[ReplyMode, str]:
        """Return what becomes of messages that nobody asked for, and why: as of replies."""
        return self.modes.of(account, source, self.guard.objection(texts))

    async def _answer(self, turn: Turn, now: int) -> Decision:
        for gate in self.gates:
            if stop := await gate.check(turn, now):
                passed = ((stop.gate, stop.reason),)
                return Decision(reply=None, passed=passed, alarm=stop.alarm)
        return await self._ask_all(turn)

    async def _ask_all(self, turn: Turn) -> Decision:
        passed: list[tuple[str, str]] = []
        for source in self.sources:
            answer = await _ask(source, turn)
            if isinstance(answer, Reply):
                return await self._last_look(turn, answer, tuple(passed))
            passed.append((source.name, answer.reason))
        return Decision(reply=None, passed=tuple(passed))

    async def _last_look(
        self, turn: Turn, reply: Reply, passed: tuple[tuple[str, str], ...]
    ) -> Decision:
        looked = await self.guard.look(turn, reply)
        mode, held = self.modes.of(turn.account, reply.source, looked.stopped)
        return Decision(
            reply=looked.reply,
            passed=passed,
            mode=mode,
            held=held,
            delays=_delays(looked.reply.contents, self.modes.settings),
        )


async def _ask(source: Source, turn: Turn) -> Answer:
    try:
        return await source.answer(turn)
    except ReplyError as exc:
        log.warning("source.failed", account=turn.account, source=source.name, reason=str(exc))
        return Pass(f"出错 (failed): {exc}")


def _delays(contents: Sequence[Sayable], settings: Replies) -> tuple[float, ...]:
    """Return how long each message waits: until it, and those before it, would be typed."""
    if not settings.seconds_per_char:
        return ()
    typed, delays = 0, []
    for content in contents:
        typed += len(content.text) if isinstance(content, Text) else 1
        delays.append(min(typed * settings.seconds_per_char, settings.longest_delay))
    return tuple(delays)


def composer(loaded: Loaded, means: Means) -> Composer:
    """Build the sources that bot.toml names, in its order, and what stands around them.

    Raises:
      ConfigError: a rule, or a secret, cannot be used; the text names it.
    """
    config = loaded.config
    known = _sources(config, means)
    last_look = guarding.guard(config.guard, floors(config, means))
    return Composer(
        # A name without a source here is one that needs a setting of its own, and has none.
        sources=tuple(known[name] for name in config.replies.order if name in known),
        gates=gates(config.replies, means.store),
        guard=last_look,
        modes=Modes(
            settings=config.replies,
            dry_run=frozenset(each.id for each in config.accounts if each.dry_run),
            drafts=frozenset(each.id for each in config.accounts if each.drafts),
        ),
        expiry=config.timing.message_expiry,
        warnings=tuple(_warnings(config, last_look)),
    )


def _sources(config: Config, means: Means) -> Mapping[str, Source]:
    model = ai_source(config, means)
    sources: dict[str, Source] = {
        "item_rules": item_rules(config.rules, means),
        "rules": general_rules(config.rules, means),
        "haggle": haggling(config, means, model.word if model else None),
        "default": DefaultReply(setting=config.default, items=config.items, means=means),
    }
    if model is not None:
        sources["ai"] = model
    if config.webhook is not None:
        sources["webhook"] = webhook(config.webhook, means)
    return sources


def _warnings(config: Config, last_look: Guard) -> Iterator[str]:
    """Yield the replies in bot.toml that the guard will stop, every time."""
    written: list[tuple[str, Iterable[str]]] = [(rule.where, rule.reply) for rule in config.rules]
    written += [(f"{each.where}: reply", (each.reply,)) for each in config.items.values()]
    written += [(f"{each.where}: text", (each.text,)) for each in config.follow_ups]
    if config.default is not None:
        written.append(("default.reply", (config.default.reply,)))
    for where, texts in written:
        if wrong := last_look.objection_to_templates(texts):
            yield f"{where}: 每次都会先等您批准 (will always wait for your approval): {wrong}"
