"""The desk of one account at the platform: what waits for it, and what goes wrong with it.

Assumptions about the platform:

* a push is kept until a frame with code 200 and its `mid` comes back, and the same frame is
  sent again when none does (protocol.md §1.5, "a slow ack makes the server push the same
  frame again"); how long it waits: unknown;
* what was not acknowledged on one connection is pushed anew, under new `mid`s and several
  to a frame, on the next (§1.5 and §4.5: backlog after `/reg`);
* typing, quick phrases and farewells are never kept (§1.6: "never stored");
* entries may come in another order than they happened (unknown; `.PNM` numbers do not tell
  it, §2.3), and under the path `/s/sync_failover` (§1.6);
* the phone app of the account may take entries, which then are pushed to nobody else (§4.6);
* when too much was missed, it is never pushed: every push carries a `syncExtraType` of 1 or 2
  until `ackDiff` comes with exactly what `getState` answered last (§4.5); that an empty push
  tells it at once, that typing tells it too, that a wrong body is answered 400, and that
  `ackDiff` changes nothing else (§4.2 says that it may take what waits as received): unknown.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from typing import Final, Literal, Protocol, TypeAlias

import attrs
import trio

from xybot.model import AccountId
from xybot.simulator import payloads
from xybot.simulator.payloads import Entry
from xybot.simulator.switches import Switches
from xybot.simulator.world import Json, SimAccount, SimChat, SimMessage, World

TooLong: TypeAlias = Literal[1, 2]
"""The `syncExtraType` that means: too much was missed to be pushed."""
#: Seconds that a lone entry waits for a later one to overtake it.
_OVERTAKEN_WITHIN: Final = 1.0


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
    too_long: TooLong | None = None
    """What pushes carry as `syncExtraType` since the backlog was forgotten."""
    owes_notice: bool = False
    """Whether the present line must be told of it by an empty push."""
    state: Json = None
    """What `getState` answered last, since the backlog was forgotten."""
    _held_until: float = math.inf

    def push(self, *entries: Entry) -> None:
        """Push entries as soon as the account is on line; keep them until acknowledged."""
        for entry in entries:
            if not self.switches.happens("swallow_pushes"):
                self.waiting.append(entry)
        self.ring()

    def forget_backlog(self, kind: TooLong) -> None:
        """Never push what is not acknowledged; say so until the client is told where it is."""
        self.waiting.clear()
        self.sent.clear()
        self.too_long, self.owes_notice, self.state = kind, True, None
        self._held_until = math.inf
        self.ring()

    def caught_up(self, body: Json) -> bool:
        """Take an `ackDiff`; False if it does not repeat what `getState` answered last."""
        if self.too_long is None:
            return True
        if self.state is None or body != [self.state]:
            return False
        self.too_long, self.owes_notice = None, False
        return True

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
        self.owes_notice = self.too_long is not None

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

    def next_due(self) -> float:
        """Return when (trio time) to look again, `inf` when only something new matters."""
        return min(self._redelivery(), self._held_until)

    def _redelivery(self) -> float:
        first = next(iter(self.sent.values()), None)
        return math.inf if first is None else first.at + self.settings.redeliver_after

    def due_again(self) -> str | None:
        """Return a frame that waited too long for its acknowledgement, as sent now."""
        now = trio.current_time()
        if self._redelivery() > now:
            return None
        mid, sent = next(iter(self.sent.items()))
        del self.sent[mid]
        self.sent[mid] = Sent(sent.text, sent.entries, now)
        return sent.text

    def holds_back(self) -> bool:
        """Tell whether the only entry that waits is to be overtaken by a later one first."""
        if len(self.waiting) != 1 or not self.switches.left["reorder"]:
            return False
        now = trio.current_time()
        self._held_until = min(self._held_until, now + _OVERTAKEN_WITHIN)
        return now < self._held_until

    def bundled(self, mid: str, sid: str, now_ms: int) -> str:
        """Put what waits, up to a full frame, into a push that counts as sent."""
        self._held_until = math.inf
        count = min(self.settings.bundle, len(self.waiting))
        take = self.waiting.pop if self.switches.happens("reorder") else self.waiting.popleft
        return self._framed(tuple(take() for _ in range(count)), mid, sid, now_ms)

    def notice(self, mid: str, sid: str, now_ms: int) -> str:
        """Make an empty push, which tells that too much was missed; it counts as sent."""
        self.owes_notice = False
        return self._framed((), mid, sid, now_ms)

    def _framed(self, entries: tuple[Entry, ...], mid: str, sid: str, now_ms: int) -> str:
        lwp = payloads.FAILOVER if self.switches.happens("fail_over") else payloads.SYNC
        headers = payloads.push_headers(mid, sid)
        text = payloads.frame(lwp, headers, entries, now_ms, self.too_long)
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
