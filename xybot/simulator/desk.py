"""The desk of one account at the platform: what waits for it, and what goes wrong with it.

Assumptions about the platform:

* a push is kept until a frame with code 200 and its `mid` comes back, and the same frame is
  sent again when none does (protocol.md §1.5, "a slow ack makes the server push the same
  frame again"); how long it waits: unknown;
* what was not acknowledged on one connection is pushed anew, under new `mid`s and several
  to a frame, on the next (§1.5 and §4.5: backlog after `/reg`);
* typing, quick phrases and farewells are never kept (§1.6: "never stored").
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from typing import Literal, Protocol, TypeAlias

import attrs
import trio

from xybot.model import AccountId
from xybot.simulator import payloads
from xybot.simulator.payloads import Entry
from xybot.simulator.world import SimAccount, SimChat, SimMessage, World

Mishap: TypeAlias = Literal[
    "drop_acks",
    "lose_answers",
    "lose_pushes",
    "duplicate",
    "refuse_sends",
    "busy",
    "refuse_dial",
    "fail_calls",
]


@attrs.frozen(kw_only=True)
class Settings:
    """How the platform behaves when nothing goes wrong."""

    ready_after: float = 0.05
    """Seconds from the answer to `/reg` to `/s/vulcan`."""
    redeliver_after: float = 10.0
    bundle: int = 32
    """The most entries in one frame."""
    same_uuid_once: bool = True
    """Whether a repeated `uuid` is recognised (unknown for the real platform)."""
    echo: Literal["after", "before", "never"] = "after"
    """Whether an own message is pushed back after or before the answer to its sender."""
    reads: bool = False
    """Whether buyers read at once what is said to them, so that receipts come."""


@attrs.define(eq=False)
class Switches:
    """What goes wrong now; `Faults` turns them, the line and the gateway obey."""

    muted: bool = False
    no_vulcan: bool = False
    verification: bool = False
    slow: float = 0.0
    left: Counter[Mishap] = attrs.Factory(Counter)
    """How often more each mishap happens."""

    def happens(self, mishap: Mishap) -> bool:
        """Use up one of a mishap; False when none is left."""
        if self.left[mishap] <= 0:
            return False
        self.left[mishap] -= 1
        return True


class OpenLine(Protocol):
    """What a desk needs of the connection that its account registered on."""

    def cut(self) -> None:
        """End at once, without a goodbye."""

    def wake(self) -> None:
        """Have the line look at the desk: something waits."""

    def leave(self, lwp: str | None, *, code: int = 1000) -> None:
        """Push a farewell, if any, and close."""


@attrs.define(eq=False)
class Sent:
    """A push that is out: its text, what is in it, and when it was sent last."""

    text: str
    entries: tuple[Entry, ...]
    at: float


@attrs.define(eq=False)
class Desk:
    """What the platform keeps for an account."""

    account: SimAccount
    settings: Settings
    switches: Switches = attrs.Factory(Switches)
    line: OpenLine | None = None
    waiting: deque[Entry] = attrs.Factory(deque)
    """Entries that no frame of the present line carries yet."""
    fleeting: deque[Entry] = attrs.Factory(deque)
    """Entries to push once and to forget."""
    scraps: deque[str] = attrs.Factory(deque)
    """Texts to send as they are."""
    sent: dict[str, Sent] = attrs.Factory(dict)
    """The pushes that were not acknowledged yet, by `mid`, the one sent longest ago first."""

    def push(self, *entries: Entry) -> None:
        """Push entries as soon as the account is on line; keep them until acknowledged."""
        self.waiting.extend(entries)
        self.ring()

    def mention(self, entry: Entry) -> None:
        """Push an entry that nobody keeps; nothing happens when the account is off line."""
        if self.line is not None:
            self.fleeting.append(entry)
            self.ring()

    def scrap(self, text: str) -> None:
        """Send any text, if the account is on line."""
        if self.line is not None:
            self.scraps.append(text)
            self.ring()

    def ring(self) -> None:
        """Wake the line."""
        if self.line is not None:
            self.line.wake()

    def take_over(self, line: OpenLine) -> None:
        """Let a new line serve the account; what the last one did not bring over waits again."""
        self._gather()
        self.line = line

    def hang_up(self, line: OpenLine) -> None:
        """Forget a line that ended, unless another took over before."""
        if self.line is line:
            self._gather()
            self.line = None

    def _gather(self) -> None:
        out = [entry for sent in self.sent.values() for entry in sent.entries]
        # A redelivery goes to the end of `sent`; the next line has all in their order.
        out.sort(key=lambda entry: entry.at)
        self.waiting.extendleft(reversed(out))
        self.sent.clear()
        self.fleeting.clear()
        self.scraps.clear()

    def acknowledge(self, mid: str) -> None:
        """Take a push as received, unless acknowledgements get lost just now."""
        if mid in self.sent and not self.switches.happens("drop_acks"):
            del self.sent[mid]

    @property
    def unacknowledged(self) -> tuple[Entry, ...]:
        """Everything the account has not confirmed, out or waiting."""
        return (*(entry for sent in self.sent.values() for entry in sent.entries), *self.waiting)

    def next_due(self) -> float | None:
        """Return when (trio time) the next redelivery is due, None when nothing is out."""
        first = next(iter(self.sent.values()), None)
        return None if first is None else first.at + self.settings.redeliver_after

    def due_again(self) -> list[str]:
        """Return the frames that waited too long for their acknowledgement, as sent now."""
        now, again = trio.current_time(), []
        while (due := self.next_due()) is not None and due <= now:
            mid, sent = next(iter(self.sent.items()))
            del self.sent[mid]
            self.sent[mid] = Sent(sent.text, sent.entries, now)
            again.append(sent.text)
        return again

    def bundled(self, mid: str, sid: str, now_ms: int) -> str:
        """Put what waits, up to a full frame, into a push that counts as sent."""
        count = min(self.settings.bundle, len(self.waiting))
        entries = tuple(self.waiting.popleft() for _ in range(count))
        text = payloads.frame(payloads.SYNC, mid, sid, entries, now_ms)
        self.sent[mid.partition(" ")[0]] = Sent(text, entries, trio.current_time())
        return text


@attrs.define(eq=False)
class Desks:
    """The desks of all accounts; what happens in a chat is told to whoever has one."""

    settings: Settings
    _desks: dict[AccountId, Desk] = attrs.Factory(dict)

    def add(self, account: SimAccount) -> Desk:
        """Open a desk for a new account."""
        desk = self._desks[account.id] = Desk(account, self.settings)
        return desk

    def of(self, account: SimAccount) -> Desk:
        """Return the desk of an account."""
        return self._desks[account.id]

    def all(self) -> Iterable[Desk]:
        """Return every desk."""
        return self._desks.values()

    def on(self, world: World, chat: SimChat) -> tuple[Desk, ...]:
        """Return the desks of the sides of a chat that are accounts."""
        sides = (world.by_user.get(user.id) for user in (chat.seller, chat.buyer))
        return tuple(self.of(account) for account in sides if account is not None)

    def tell(self, world: World, said: SimMessage) -> None:
        """Push a message to both sides of its chat; an echo only if the settings want one."""
        for desk in self.on(world, said.chat):
            own = said.sender.id == desk.account.user_id
            if not own or self.settings.echo != "never":
                desk.push(payloads.message(said, desk.account.user_id))
