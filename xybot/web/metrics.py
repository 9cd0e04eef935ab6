"""Numbers for Prometheus: counted as things happen, or looked up when they are asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

import attrs
import trio
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import generate_latest

from xybot.events import (
    AccountStatus,
    ChatPaused,
    Event,
    MessageReceived,
    ModelAsked,
    ReplyDropped,
    ReplySent,
    ReplySkipped,
    SendHeld,
    SendRefused,
    WroteByHand,
)
from xybot.model import AccountId, AccountState, ChatId
from xybot.store.overview import Depth

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS: Final = (0.5, 1, 2, 3, 5, 8, 13, 30, 60, 120, 300)
_MOST_CHATS: Final = 10_000
"""Chats whose first open line is remembered, to tell how long the answer took."""


class Metrics:
    """Counts from the start of the program on."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._asked_at: OrderedDict[tuple[AccountId, ChatId], float] = OrderedDict()
        ProcessCollector(registry=self._registry)
        self._received = self._counter("messages_received", "Lines of people", "account")
        self._sent = self._counter("replies", "Messages the platform has", "account", "source")
        self._skipped = self._counter("skipped", "Turns without an answer", "account", "cause")
        self._dropped = self._counter("dropped", "Replies that were taken back", "account")
        self._refused = self._counter("refused", "Sends that were refused", "account")
        self._held = self._counter("unknown_sends", "Sends whose outcome is unknown", "account")
        self._reconnects = self._counter("reconnects", "Ends of a line", "account", "cause")
        self._asked = self._counter("ai_requests", "Requests to a model", "account", "answered")
        self._tokens = self._counter("ai_tokens", "Tokens of a model", "account", "kind")
        self._latency = Histogram(
            "xybot_reply_seconds",
            "From the first open line of a buyer to the answer that the platform has",
            ["account"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._up = self._gauge("account_up", "Whether an account is on line", "account")
        self._waiting = self._gauge("waiting", "What waits", "account", "what")
        self._listeners = Gauge(
            "xybot_event_listeners", "Listeners to the event stream", registry=self._registry
        )

    def hear(self, event: Event) -> None:
        """Count an event."""
        match event:
            case MessageReceived():
                self._received.labels(event.account).inc()
                self._ask(event.account, event.chat)
            case ReplySent():
                self._sent.labels(event.account, event.source).inc()
                self._answer(event.account, event.chat)
            case ReplySkipped():
                self._skipped.labels(event.account, event.cause).inc()
                self._asked_at.pop((event.account, event.chat), None)
            case WroteByHand() | ChatPaused():  # What waited there is the seller's.
                self._asked_at.pop((event.account, event.chat), None)
            case ReplyDropped():
                self._dropped.labels(event.account).inc()
            case SendRefused():
                self._refused.labels(event.account).inc()
            case SendHeld():
                self._held.labels(event.account).inc()
            case AccountStatus(new=AccountState.RECONNECTING, cause=cause):
                self._reconnects.labels(event.account, cause.value if cause else "").inc()
            case ModelAsked():
                self._ask_model(event)

    def text(
        self,
        up: Mapping[AccountId, bool],
        depths: Mapping[AccountId, Depth],
        listeners: int,
    ) -> bytes:
        """Return everything in Prometheus' own form.

        Args:
          up: every account, and whether it is on line.
          depths: what waits, of accounts where something does.
          listeners: to the event stream.
        """
        self._listeners.set(listeners)
        self._up.clear()  # Accounts come and go.
        self._waiting.clear()
        for account, is_up in up.items():
            self._up.labels(account).set(is_up)
            depth = depths.get(account, Depth())
            for what, count in attrs.asdict(depth).items():
                self._waiting.labels(account, what).set(count)
        return generate_latest(self._registry)

    def _ask(self, account: AccountId, chat: ChatId) -> None:
        self._asked_at.setdefault((account, chat), trio.current_time())
        if len(self._asked_at) > _MOST_CHATS:
            self._asked_at.popitem(last=False)

    def _answer(self, account: AccountId, chat: ChatId) -> None:
        began = self._asked_at.pop((account, chat), None)
        if began is not None:
            self._latency.labels(account).observe(trio.current_time() - began)

    def _ask_model(self, event: ModelAsked) -> None:
        self._asked.labels(event.account, str(event.answered).lower()).inc()
        self._tokens.labels(event.account, "prompt").inc(event.prompt_tokens or 0)
        self._tokens.labels(event.account, "completion").inc(event.completion_tokens or 0)

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(f"xybot_{name}", what, labels, registry=self._registry)

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(f"xybot_{name}", what, labels, registry=self._registry)
