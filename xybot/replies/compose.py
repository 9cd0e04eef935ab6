"""Ask the reply sources in turn, and write down what each of them said."""

from __future__ import annotations

import attrs
import structlog

from xybot.config import Config
from xybot.errors import ReplyError
from xybot.model import Decision, Pass, Reply, Turn
from xybot.replies import gates
from xybot.replies.default import DefaultReply
from xybot.replies.rules import general_rules, item_rules
from xybot.replies.source import Answer, Source
from xybot.store.database import Store

log = structlog.get_logger()


@attrs.frozen(kw_only=True)
class Composer:
    """Decides what to say; made anew whenever bot.toml changes."""

    sources: tuple[Source, ...]
    expiry: float
    """Seconds after which a line is not answered any more."""

    async def decide(self, turn: Turn, now: int) -> Decision:
        """Return the first reply, or why there is none.

        Args:
          turn: all that the buyer said since our last answer.
          now: the platform's clock (ms).
        """
        fresh = gates.fresh(turn, now, self.expiry)
        if isinstance(fresh, Pass):
            return Decision(reply=None, passed=(("message_expiry", fresh.reason),), late=True)
        passed: list[tuple[str, str]] = []
        for source in self.sources:
            answer = await _ask(source, fresh)
            if isinstance(answer, Reply):
                return Decision(reply=answer, passed=tuple(passed))
            passed.append((source.name, answer.reason))
        return Decision(reply=None, passed=tuple(passed))


async def _ask(source: Source, turn: Turn) -> Answer:
    try:
        return await source.answer(turn)
    except ReplyError as exc:
        log.warning("source.failed", account=turn.account, source=source.name, reason=str(exc))
        return Pass(f"出错 (failed): {exc}")


def composer(config: Config, store: Store) -> Composer:
    """Build the sources that bot.toml names, in its order.

    Raises:
      ConfigError: a rule cannot be used.
    """
    known: dict[str, Source] = {
        "item_rules": item_rules(config.rules),
        "rules": general_rules(config.rules),
        "default": DefaultReply(setting=config.default, store=store),
    }
    # A name without a source here is one that needs a setting of its own, and has none.
    sources = tuple(known[name] for name in config.replies.order if name in known)
    return Composer(sources=sources, expiry=config.timing.message_expiry)
