"""`xybot replay --since`: the stored days, decided on once more, with other settings.

Each turn comes as it was grouped then, at the time at which it was decided then, after all
that was said before; so the limits count and `once` is once.  Nothing is sent, and the
database is only read.  Not asked again are the sources that ask outside: what they said
then, they say again.  Turns in a chat that was the seller's at that time stay as they were.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

import attrs

from xybot.config import Loaded
from xybot.egress import Outside
from xybot.errors import ConfigError
from xybot.facts import Facts
from xybot.model import AccountId, Decision, Pass, Photo, Reply, Sayable, Turn
from xybot.replies.compose import Composer
from xybot.replies.source import Answer, Means
from xybot.store import rehearsal
from xybot.store.codec import Kept
from xybot.store.database import Store, in_thread, inline, open_store
from xybot.store.rehearsal import Past, Span
from xybot.tools.offline import asking, offline

Progress: TypeAlias = Callable[[int, int], None]
"""Is told how many turns of how many are done."""

_UNKNOWN: Final = "会去问，这里不问，不知道会说什么 (would be asked; what it says is not known)"
_SECONDS: Final = {"d": 86_400, "h": 3600, "m": 60, "s": 1}


def milliseconds(duration: str) -> int:
    """Return how long `7d`, `12h`, `30m` or `90s` is.

    Raises:
      ConfigError: it is nothing of that sort.
    """
    found = re.fullmatch(r"([0-9]{1,6})([dhms])", duration.strip().lower())
    if not found:
        wrong = "请写成 7d、12h、30m (write it like 7d, 12h, 30m)"
        raise ConfigError(f"--since {duration[:40]!r}: {wrong}")
    return int(found[1]) * _SECONDS[found[2]] * 1000


@attrs.frozen(kw_only=True)
class Effect:
    """What a buyer gets of a decision, and why."""

    contents: tuple[Kept, ...]
    mode: str
    """send · draft · dry_run; empty when nothing is said."""
    why: tuple[str, ...]
    """The source and what made it answer, or the reason of each that passed."""
    unknown: bool = False
    """A source would be asked that was not asked then."""

    def same(self, other: Effect) -> bool:
        """Tell whether the buyer gets the same, for whatever reason."""
        if self.unknown or other.unknown:
            return False
        return (self.contents, self.mode) == (other.contents, other.mode)


@attrs.frozen(kw_only=True)
class Rehearsed:
    """A turn, what was said to it then, and what would be said now."""

    past: Past
    before: Effect
    after: Effect
    differs: bool
    assumed: str | None
    """A source outside whose former answer is taken as unchanged."""


@attrs.define(eq=False)
class _Stage:
    """Where the play has got to."""

    past: Past | None = None

    @property
    def scene(self) -> Past:
        assert self.past is not None
        return self.past

    def now_ms(self) -> int:
        return self.scene.verdict.decided_at


@attrs.frozen
class _Memory:
    """Stands in for a source that asks outside: what it said then, it says again."""

    name: str
    stage: _Stage

    async def answer(self, _turn: Turn) -> Answer:
        past = self.stage.scene
        if past.verdict.source == self.name:
            because = past.verdict.because or ""
            contents = tuple(
                each.content for each in past.said if isinstance(each.content, Sayable)
            )
            return Reply(contents=contents, source=self.name, because=because)
        for source, reason in past.verdict.passed:
            if source == self.name:
                return Pass(reason)
        return Reply(contents=(), source=self.name, because=_UNKNOWN)


@attrs.frozen(kw_only=True)
class _Play:
    then: Store
    """What really was; only read."""
    store: Store
    """What would have been."""
    composer: Composer
    stage: _Stage
    outside: frozenset[str]

    async def once_more(self, past: Past) -> Rehearsed:
        """Decide on a turn again, and store what comes of it."""
        before = _then(past)
        if any(gate == "manual_pause" for gate, _ in past.verdict.passed):
            return Rehearsed(past=past, before=before, after=before, differs=False, assumed=None)
        self.stage.past = past
        now = past.verdict.decided_at
        decision = await self.composer.decide(past.turn, now)
        after = await self._now(past, decision)
        differs = not after.same(before) and not _reworded(past, decision, self.outside)
        said = decision.reply.contents if decision.reply else ()
        states = ["sent"] * len(said) if differs else [each.state for each in past.said]
        states = (states + ["sent"] * len(said))[: len(said)]
        await self.store.transact(rehearsal.settle, past.turn, decision, states, now)
        source = decision.reply.source if decision.reply else None
        assumed = source if source in self.outside and not after.unknown else None
        return Rehearsed(past=past, before=before, after=after, differs=differs, assumed=assumed)

    async def _now(self, past: Past, decision: Decision) -> Effect:
        reply = decision.reply
        contents = reply.contents if reply else ()
        shown = [await self._as_sent(past.turn.account, each) for each in contents]
        return Effect(
            contents=tuple(shown),
            mode=decision.mode if contents else "",
            why=tuple(_why(decision)),
            unknown=reply is not None and reply.because == _UNKNOWN,
        )

    async def _as_sent(self, account: AccountId, content: Sayable) -> Kept:
        """Return a picture of a file as the platform has it, if it does."""
        if not isinstance(content, Photo):
            return content
        digest = await in_thread(partial(_digest, Path(content.path)))
        return await self.then.transact(rehearsal.picture, account, digest) or content


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""  # Nothing has this digest: the picture is not what was sent.


def _then(past: Past) -> Effect:
    verdict = past.verdict
    why = [f"{verdict.source}: {verdict.because}"] if verdict.source else []
    if not why:
        why = [f"{source}: {reason}" for source, reason in past.verdict.passed]
    if verdict.held:
        why.append(verdict.held)
    return Effect(
        contents=tuple(each.content for each in past.said),
        mode=(verdict.mode or "send") if past.said else "",
        why=tuple(why),
    )


def _why(decision: Decision) -> Iterator[str]:
    if decision.reply is not None:
        yield decision.why
    else:
        yield from (f"{source}: {reason}" for source, reason in decision.passed)
    if decision.held:
        yield decision.held


def _reworded(past: Past, decision: Decision, outside: frozenset[str]) -> bool:
    """Tell whether a model had only put the same offer into other words than the template's."""
    offer = decision.reply.offer if decision.reply else None
    if offer is None or past.offered is None or "ai" not in outside:
        return False
    return offer.made == past.offered.made and decision.mode == (past.verdict.mode or "send")


@attrs.define(kw_only=True)
class Result:
    """What a rehearsal came to."""

    turns: int
    """All that were decided on again."""
    differing: int = 0
    rows: list[Rehearsed] = attrs.Factory(list)
    """Those that differ, or all."""
    assumed: Counter[str] = attrs.Factory(Counter)
    """Source outside -> answers of it that are taken as unchanged."""

    def add(self, row: Rehearsed, *, keep: bool) -> None:
        """Count a turn, and keep it if it differs or is to be kept."""
        self.differing += row.differs
        if row.assumed:
            self.assumed[row.assumed] += 1
        if keep or row.differs:
            self.rows.append(row)


async def rehearse(loaded: Loaded, span: Span, *, whole: bool, progress: Progress) -> Result:
    """Decide on stored turns once more, in the order of then.

    Args:
      loaded: the settings to decide by; beside them is the database.
      span: which turns.
      whole: whether to return also those that would not differ.
      progress: told after each turn.

    Raises:
      ConfigError: there is no database, or a rule cannot be used.
    """
    stage, outside = _Stage(), asking(loaded)
    async with (
        open_store(loaded.database, read_only=True) as then,
        open_store(None, run=inline) as store,
    ):
        means = Means(
            store=store,
            facts=Facts(store=then, now_ms=stage.now_ms).of,
            outside=Outside(),
            now_ms=stage.now_ms,
        )
        made = offline(loaded, means, partial(_Memory, stage=stage))
        play = _Play(then=then, store=store, composer=made, stage=stage, outside=outside)
        return await _played(play, span, whole=whole, progress=progress)


async def _played(play: _Play, span: Span, *, whole: bool, progress: Progress) -> Result:
    before = await play.then.transact(rehearsal.before, span)
    await play.store.transact(rehearsal.restore, before)
    result = Result(turns=await play.then.transact(rehearsal.count, span))
    done = last = 0
    while page := await play.then.transact(rehearsal.page, span, last):
        for past in page:
            result.add(await play.once_more(past), keep=whole)
            done += 1
            progress(done, result.turns)
        last = page[-1].verdict.id
    return attrs.evolve(result, turns=done)
