"""Switches for what goes wrong with one account; every method is sync and works at once.

Assumption about the platform: all of these happen (protocol.md §1.5, §1.6, §3.1, §4, §5);
how often, and in which order, is unknown.
"""

from __future__ import annotations

import attrs

from xybot.simulator import payloads
from xybot.simulator.desk import Desk, TooLong
from xybot.simulator.switches import Mishap
from xybot.simulator.world import World


@attrs.frozen
class Faults:
    """The switches of one account."""

    _world: World
    _desk: Desk

    # The connection that is open now.

    def cut(self) -> None:
        """Cut the connection without a goodbye."""
        if self._desk.line is not None:
            self._desk.line.cut()

    def close(self, code: int = 1000) -> None:
        """Close the connection in good order."""
        if self._desk.line is not None:
            self._desk.line.leave(None, code=code)

    def kick_out(self) -> None:
        """Push `/push/kickout` and close: another login replaced this session."""
        if self._desk.line is not None:
            self._desk.line.leave("/push/kickout")

    def remove_session(self) -> None:
        """Push `/s/session/remove` and close: too many connections."""
        if self._desk.line is not None:
            self._desk.line.leave("/s/session/remove")

    def mute(self) -> None:
        """Take nothing in and give nothing out, while the connection stays."""
        self._desk.switches.muted = True

    def unmute(self) -> None:
        """Listen and speak again; what came in meanwhile is lost."""
        self._desk.switches.muted = False
        self._desk.ring()

    def slow(self, seconds: float) -> None:
        """Let every frame and every call take so much longer; 0 ends it."""
        self._desk.switches.slow = seconds

    def garbage(self, text: str = "<html>502 Bad Gateway</html>") -> None:
        """Send a frame that is no JSON."""
        self._desk.scrap(text)

    def damaged_entry(self) -> None:
        """Push an entry that cannot be decoded; it waits for its acknowledgement like others."""
        chats = self._world.chats_of.get(self._desk.account.user_id, [])
        self._desk.push(payloads.damaged(chats[0] if chats else None, self._world.now_ms()))

    def no_vulcan(self, *, on: bool = True) -> None:
        """Never push `/s/vulcan`; requests may be sent after the same moment all the same."""
        self._desk.switches.no_vulcan = on

    def forget_backlog(self, kind: TooLong = 2) -> None:
        """Never push what waits unacknowledged now: the diff is too long, says `syncExtraType`.

        An empty push tells it at once, and again after `/s/vulcan` on each new line; every
        push repeats it until the client sends back by `ackDiff` what `getState` told it last.
        """
        self._desk.forget_backlog(kind)

    # Tokens and cookies.

    def expire_token(self) -> None:
        """Make every IM token of the account worthless; a live line is answered 401 from now."""
        self._world.revoke(self._desk.account)

    def expire_h5(self) -> None:
        """Make every signing token worthless."""
        self._desk.account.h5.clear()

    def expire_cookie(self) -> None:
        """End the login; `account.cookie_text` is then what a new login would give."""
        self._desk.account.logins += 1
        self._desk.switches.dozing = False

    def doze(self) -> None:
        """Answer every call as if the login were gone, until one asks who is logged in."""
        self._desk.switches.dozing = True

    def demand_verification(self) -> None:
        """Answer every call with the demand to prove that a person is there."""
        self._desk.switches.verification = True

    def lift_verification(self) -> None:
        """Act as if a person had proved it."""
        self._desk.switches.verification = False

    # What the gateway tells of orders.

    def slow_orders(self, seconds: float) -> None:
        """Let every call about orders take so much longer; 0 ends it."""
        self._desk.switches.slow_orders = seconds

    def late_orders(self, seconds: float) -> None:
        """Tell of orders what was true so long ago: one just paid waits for its payment."""
        self._desk.switches.orders_late = seconds

    def forbid_orders(self, *, on: bool = True) -> None:
        """Refuse every call about orders with PERMISSION_EXCEPTION."""
        self._desk.switches.orders_forbidden = on

    def shop_sleeps(self, *, on: bool = True) -> None:
        """Answer the list of what was sold as if the login were gone; others are answered."""
        self._desk.switches.shop_asleep = on

    # The next so many times.

    def drop_acks(self, times: int = 1) -> None:
        """Lose acknowledgements on their way."""
        self._add("drop_acks", times)

    def lose_answers(self, times: int = 1) -> None:
        """Do what a send asks for, and lose the answer."""
        self._add("lose_answers", times)

    def alter_sends(self, times: int = 1) -> None:
        """Add a full stop to the words of sends, and show them so; answer as usual."""
        self._add("alter_sends", times)

    def lose_pushes(self, times: int = 1) -> None:
        """Lose push frames on their way; they come again when nobody acknowledges them."""
        self._add("lose_pushes", times)

    def duplicate(self, times: int = 1) -> None:
        """Send push frames twice."""
        self._add("duplicate", times)

    def reorder(self, times: int = 1) -> None:
        """Push what waits newest first; a lone entry waits up to a second to be overtaken."""
        self._add("reorder", times)

    def fail_over(self, times: int = 1) -> None:
        """Push frames under `/s/sync_failover`."""
        self._add("fail_over", times)

    def swallow_pushes(self, times: int = 1) -> None:
        """Let the phone app have what happens next: only the history and the list of chats tell.

        One time is one entry, be it a message, an echo, a receipt or a card.
        """
        self._add("swallow_pushes", times)

    def refuse_sends(self, times: int = 1) -> None:
        """Answer sends with code 200 and the reason CSI_FORBID; nobody sees the message."""
        self._add("refuse_sends", times)

    def busy(self, times: int = 1) -> None:
        """Answer sends with flow control, 400600001."""
        self._add("busy", times)

    def busy_reads(self, times: int = 1) -> None:
        """Answer what reads (history, conversations, state) with flow control, 400600001."""
        self._add("busy_reads", times)

    def refuse_history(self, times: int = 1) -> None:
        """Answer reads of the history with 400 and no body."""
        self._add("refuse_history", times)

    def refuse_dial(self, times: int = 1) -> None:
        """Refuse connections; the next of anybody, when a dial does not say who it is."""
        self._add("refuse_dial", times)

    def limit_connections(self, times: int = 1) -> None:
        """Refuse `/reg` with "connect limit": another session holds the account."""
        self._add("limit_connections", times)

    def refuse_token(self, times: int = 1) -> None:
        """Refuse `/reg` with 401 although the token is good, and stays so."""
        self._add("refuse_token", times)

    def fail_calls(self, times: int = 1) -> None:
        """Answer calls of the gateway with a page of HTML and status 502."""
        self._add("fail_calls", times)

    def fail_orders(self, times: int = 1) -> None:
        """Answer calls about orders with a page of HTML and status 502, and do nothing."""
        self._add("fail_orders", times)

    def lose_order_answers(self, times: int = 1) -> None:
        """Do what calls about orders ask for, and answer with status 502."""
        self._add("lose_order_answers", times)

    # And no more.

    def calm(self) -> None:
        """Let nothing go wrong any more; a login that ended, and what is lost, stays so."""
        switches = self._desk.switches
        switches.left.clear()
        self.slow(0)
        self.slow_orders(0)
        self.late_orders(0)
        self.forbid_orders(on=False)
        self.shop_sleeps(on=False)
        self.no_vulcan(on=False)
        self.lift_verification()
        self.unmute()

    def _add(self, mishap: Mishap, times: int) -> None:
        self._desk.switches.left[mishap] += times
