"""A story: what buyers and a seller do, the bot through whatever happens, and the reckoning.

Every line of a buyer is a word of its own, and the bot answers with the words it answers; so
what the platform heard tells which line was answered, and how often.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path

import attrs
import sqlalchemy as sa
import trio

from tests.conftest import SHOP, Shop, open_shop
from xybot.accounts.chat import Patience
from xybot.errors import Cause
from xybot.events import AccountStatus
from xybot.model import AccountState, Reply, Text, Turn
from xybot.replies.compose import Composer
from xybot.secret import Secret
from xybot.simulator.faults import Faults
from xybot.simulator.platform import Platform
from xybot.simulator.world import SimAccount, SimMessage
from xybot.store import accounts, books
from xybot.store.accounts import Setting
from xybot.store.codec import content_of
from xybot.store.database import Database
from xybot.store.schema import inbox, outbox, turns

PATIENCE = Patience(catch_up_every=60)
#: What a line begins with that gets an answer of three messages.
LONG = "long"
LATENCY = 0.02
"""Seconds that a frame takes, so that there is a time at which it is under way."""
_THINKS = 10
"""Seconds until the seller acts."""
_PARKED = {Cause.LOGIN_REQUIRED, Cause.VERIFICATION_REQUIRED, Cause.SESSION_TAKEN}


class Parrot:
    """Repeats what was said."""

    name = "parrot"

    async def answer(self, turn: Turn) -> Reply:
        words = turn.text.replace("\n", "+")
        parts = (words, f"{words}/2", f"{words}/3") if LONG in words else (words,)
        contents = tuple(Text(part) for part in parts)
        return Reply(contents=contents, source=self.name, because="it was said")


@attrs.define(eq=False, kw_only=True)
class Story:
    """One account, its platform, and all that is said there."""

    platform: Platform
    path: Path | None = None
    """The database, kept over restarts; None: one in memory."""
    lines: list[SimMessage] = attrs.Factory(list)
    """What buyers said."""
    by_hand: set[str] = attrs.Factory(set)
    """The chats in which the seller wrote."""
    events: list[tuple[float, object]] = attrs.Factory(list)
    """What the bot told, and when."""
    sim: SimAccount = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.sim = self.platform.add_account(SHOP)
        self.faults.slow(LATENCY)

    @property
    def faults(self) -> Faults:
        return self.platform.faults(self.sim)

    def buyer_says(self, buyer: str, word: str) -> None:
        self.lines.append(self.platform.buyer_says(self.sim, buyer, word))

    def seller_says(self, buyer: str, words: str) -> None:
        self.by_hand.add(self.platform.seller_says(self.sim, buyer, words).chat.id)

    def calm(self) -> None:
        """Let nothing more go wrong."""
        self.faults.calm()
        self.faults.slow(LATENCY)

    @asynccontextmanager
    async def bot(self, session: str | None = None) -> AsyncIterator[Shop]:
        """Run the bot under its supervisor, and its seller, for as long as the block runs.

        Args:
          session: what it is to be logged in with, as it is stored; None: what it is.
        """
        composer = Composer(sources=(Parrot(),), expiry=PATIENCE.message_expiry)
        async with (
            open_shop(
                self.path, platform=self.platform, decide=composer.decide, patience=PATIENCE
            ) as shop,
            trio.open_nursery() as nursery,
        ):
            await nursery.start(self._note, shop)
            await nursery.start(self._seller, shop)
            if session is not None:
                await shop.store.transact(accounts.save_session, SHOP, session)
            nursery.start_soon(shop.supervisor().run)
            yield shop
            nursery.cancel_scope.cancel()

    async def _note(self, shop: Shop, *, task_status=trio.TASK_STATUS_IGNORED) -> None:
        with shop.feed.subscribe() as events:
            task_status.started()
            while True:
                event = await events.next()
                self.events.append((trio.current_time(), event))

    async def _seller(self, shop: Shop, *, task_status=trio.TASK_STATUS_IGNORED) -> None:
        """Do what a parked account asks for, a while after it asked."""
        with shop.feed.subscribe() as events:
            task_status.started()
            while True:
                event = await events.next()
                if not (isinstance(event, AccountStatus) and event.new is AccountState.FAILED):
                    continue
                if event.cause in _PARKED:
                    await trio.sleep(_THINKS)
                    await self._act(shop, event.cause)

    async def _act(self, shop: Shop, cause: Cause) -> None:
        if cause is Cause.VERIFICATION_REQUIRED:
            self.faults.lift_verification()
        if cause is Cause.LOGIN_REQUIRED:
            shop.cookie = Secret(self.sim.cookie_text)
            again = f"login {self.sim.logins}"
            setting = Setting(version=again, pasted=again)
            await shop.store.transact(accounts.configure, {SHOP: setting})
        else:
            await shop.store.transact(accounts.resume, SHOP)


@attrs.frozen
class Fate:
    """What became of a line."""

    word: str
    chat: str
    reason: str
    """Why it was not answered; empty: it was, in full, and once."""


async def reckon(story: Story, shop: Shop) -> tuple[list[Fate], list[str]]:
    """Return what became of every line, and all that must not be, for people to read."""
    rows = await shop.store.transact(_rows)
    days = await shop.store.transact(books.balance, zone=UTC)
    wrong = list(await shop.store.transact(books.contradictions))
    wrong += [f"the books of {day.day} do not balance: {day}" for day in days if not day.balances]
    if sum(day.received for day in days) != len(story.lines):
        wrong.append(f"the books count {days}, there were {len(story.lines)} lines")
    if waiting := story.platform.unacknowledged(story.sim):
        wrong.append(f"{len(waiting)} entries are not acknowledged")
    if shop.status.state is not AccountState.CONNECTED:
        wrong.append(f"the account is {shop.status.state}: {shop.status.reason}")
    heard = Counter((chat, text.rstrip("。")) for _, chat, text in story.sim.heard)
    wrong += _foreign(rows, heard)
    fates = [_fate(line, rows[line.id], heard, wrong) for line in story.lines]
    wrong += _untrue(story, fates)
    return fates, wrong


@attrs.frozen
class _Row:
    """A line as it is stored, with one of the messages that answer it, if any do."""

    chat: str
    outcome: str | None
    why: str
    said: str | None
    state: str | None


def _rows(db: Database) -> dict[str, list[_Row]]:
    found: defaultdict[str, list[_Row]] = defaultdict(list)
    query = (
        sa.select(
            inbox,
            turns.c.passed_json,
            outbox.c.content_json.label("said"),
            outbox.c.state,
        )
        .outerjoin(turns, turns.c.id == inbox.c.turn)
        .outerjoin(outbox, outbox.c.turn == inbox.c.turn)
        .order_by(outbox.c.seq)
    )
    for row in db.execute(query):
        said = content_of(row.said) if row.said else None
        words = said.text if isinstance(said, Text) else None
        found[row.message].append(
            _Row(row.chat, row.outcome, row.passed_json or "", words, row.state)
        )
    return found


def _foreign(rows: dict[str, list[_Row]], heard: Counter[tuple[str, str]]) -> Iterator[str]:
    """Yield what was heard and is in no outbox, or more often than once."""
    known = {(row.chat, row.said) for each in rows.values() for row in each}
    for (chat, text), times in heard.items():
        if (chat, text) not in known:
            yield f"{text} was heard in {chat}, where nobody meant to say it"
        if times > 1:
            yield f"{text} was said {times} times"


def _fate(
    line: SimMessage, rows: list[_Row], heard: Counter[tuple[str, str]], wrong: list[str]
) -> Fate:
    word = line.summary
    if not rows:
        wrong.append(f"{word} was lost")
        return Fate(word, line.chat.id, "lost")
    if any(row.said is None for row in rows):
        return Fate(word, line.chat.id, _unanswered(word, rows[0], wrong))
    if not any(word in (row.said or "").split("+") for row in rows):
        wrong.append(f"{word} counts as answered by {rows}, which leaves it out")
    states = set()
    for row in rows:
        times = heard[row.chat, row.said or ""]
        states.add(row.state)
        # Of a message in doubt nobody knows, us included.
        if row.state not in ("sent", "refused", "dropped", "held"):
            wrong.append(f"{row.said} is {row.state} for ever")
        elif row.state != "held" and times != (row.state == "sent"):
            wrong.append(f"{row.said} is {row.state}, and was heard {times} times")
    reason = "" if states == {"sent"} else " and ".join(sorted(filter(None, states)))
    return Fate(word, line.chat.id, reason)


def _unanswered(word: str, row: _Row, wrong: list[str]) -> str:
    if row.outcome is None or row.outcome == "answered":
        wrong.append(f"{word} is {row.outcome or 'open'} and has no answer")
    return f"{row.outcome} {row.why}".strip()


def _untrue(story: Story, fates: list[Fate]) -> Iterator[str]:
    # Whose words the platform changed, and never named to us, look like the seller's.
    altered = {chat for _, chat, text in story.sim.heard if text.endswith("。")}
    for fate in fates:
        if "hand" in fate.reason and fate.chat not in story.by_hand | altered:
            yield f"{fate.word} was left to the seller, who never wrote there"
        if fate.reason.startswith("failed"):
            yield f"{fate.word} met an error of ours: {fate.reason}"
