"""Asking a model: one question, one text, within its time, its place in line and its budget."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

import attrs
import trio

from xybot import config
from xybot.egress import Answer, Asked
from xybot.errors import ReplyError, TransientError
from xybot.events import ModelAsked
from xybot.model import AccountId, Turn
from xybot.replies.ai.prompt import Prompt
from xybot.replies.ai.reading import Reader
from xybot.replies.source import Means
from xybot.secret import Secret
from xybot.store import ai_calls

LONGEST_PAUSE: Final = 86_400.0
"""Seconds; a server that asks for more patience is asked again after a day."""
_OK: Final = 200
_TOO_MANY: Final = 429
_STATUSES: Final = {
    400: "AI 服务不接受这个请求，请检查 ai.model (bad request)",
    401: "AI 密钥不对，请检查 ai.key (the key is refused)",
    402: "AI 账户余额不足 (payment required)",
    403: "AI 密钥没有权限 (the key has no permission)",
    404: "没有这个模型或网址，请检查 ai.url 和 ai.model (no such model or address)",
    413: "问题太长 (the question is too large)",
    _TOO_MANY: "AI 服务说请求太多 (too many requests)",
}
_SPENT: Final[Mapping[ai_calls.Spent, str]] = {
    "account": "这个账号今天的 AI 次数用完了 (the budget of the account is used up)",
    "chat": "这个聊天今天的 AI 次数用完了 (the budget of the chat is used up)",
}


class NotNow(ReplyError):
    """The model must not be asked just now; nothing is broken."""


@attrs.define(eq=False, kw_only=True)
class Model:
    """An endpoint for chat completions, as one seller set it up."""

    settings: config.Ai
    _key: Secret | None
    _means: Means
    _places: defaultdict[AccountId, trio.CapacityLimiter] = attrs.field(init=False)
    _quiet_until: dict[AccountId, float] = attrs.field(factory=dict, init=False)
    """Trio's time before which the server wants to hear nothing from an account."""

    def __attrs_post_init__(self) -> None:
        self._places = defaultdict(lambda: trio.CapacityLimiter(self.settings.at_once))

    async def ask(self, turn: Turn, prompt: Prompt) -> str:
        """Return what the model says, in whole; "" if it says nothing.

        Args:
          turn: who asks; the place in line and the budget are theirs.
          prompt: what it is told.

        Raises:
          NotNow: the line is long, the budget is used up, or the server asked for patience.
          ReplyError: nothing came, nothing in time, or nothing usable.
        """
        within = self.settings.timeout
        with trio.move_on_after(within):
            async with self._place(turn.account):
                await self._admit(turn)
                return await self._ask(turn, prompt)
        raise ReplyError(f"模型 {within:g} 秒内没有答完 (no whole answer within {within:g} s)")

    @asynccontextmanager
    async def _place(self, account: AccountId) -> AsyncIterator[None]:
        """Wait for a place in line, unless the line is long.

        Whoever waits here keeps other chats of the account from being thought about.
        """
        places = self._places[account]
        if places.statistics().tasks_waiting >= self.settings.at_once:
            raise NotNow("同时问 AI 的聊天太多 (too many chats ask at the same time)")
        async with places:
            yield

    async def _admit(self, turn: Turn) -> None:
        quiet = self._quiet_until.get(turn.account, 0) - trio.current_time()
        if quiet > 0:
            seconds = math.ceil(quiet)
            raise NotNow(f"AI 服务要求再等 {seconds} 秒 (it wants to be asked in {seconds} s)")
        budget = ai_calls.Budget(account=self.settings.daily, chat=self.settings.per_chat)
        spent = await self._means.store.transact(
            ai_calls.admit, turn.account, turn.chat, budget, now=self._means.now_ms()
        )
        if spent is not None:
            raise NotNow(_SPENT[spent])

    async def _ask(self, turn: Turn, prompt: Prompt) -> str:
        reader, began, answered = Reader(), trio.current_time(), False
        try:
            text = await self._read(turn.account, prompt, reader)
            answered = True
            return text
        finally:
            self._means.note(
                ModelAsked(
                    account=turn.account,
                    chat=turn.chat,
                    answered=answered,
                    seconds=trio.current_time() - began,
                    prompt_tokens=reader.usage.prompt_tokens,
                    completion_tokens=reader.usage.completion_tokens,
                )
            )

    async def _read(self, account: AccountId, prompt: Prompt, reader: Reader) -> str:
        asked = Asked(
            url=f"{self.settings.url.rstrip('/')}/chat/completions",
            body={
                "model": self.settings.model,
                "messages": prompt,
                "temperature": self.settings.temperature,
                "stream": True,
                "stream_options": {"include_usage": True},
            },
            headers={"Authorization": f"Bearer {self._key.reveal()}"} if self._key else {},
            timeout=self.settings.timeout,
        )
        try:
            answer = await self._means.outside.stream_json(asked, reader.feed)
        except TransientError as exc:
            raise ReplyError(f"AI 服务没有回答 (no answer): {exc}") from exc
        if answer.status != _OK:
            raise ReplyError(self._refusal(account, answer))
        return reader.text()

    def _refusal(self, account: AccountId, answer: Answer) -> str:
        """Return the words for a refusal, and heed when it says to ask again."""
        words = _STATUSES.get(answer.status, "AI 服务出错 (the server has a bad moment)")
        pause = seconds_of(answer.retry_after, self._means.now_ms())
        if pause:
            self._quiet_until[account] = trio.current_time() + pause
            words += f"，{pause:.0f} 秒后再问 (again in {pause:.0f} s)"
        return f"{words}, HTTP {answer.status}"


def seconds_of(retry_after: str, now_ms: int) -> float:
    """Return how long a `Retry-After` asks to wait: it is seconds or a date; 0 for neither."""
    text = retry_after.strip()
    if text.isascii() and text.isdecimal():
        return min(float(text), LONGEST_PAUSE)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0.0
    until = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, min(until.timestamp() - now_ms / 1000, LONGEST_PAUSE))
