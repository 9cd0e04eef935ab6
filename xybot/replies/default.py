"""The last word, when no other source has one."""

from __future__ import annotations

import attrs

from xybot.config import Default
from xybot.model import Pass, Reply, Text, Turn
from xybot.replies.source import Answer, variables
from xybot.store import outbox
from xybot.store.database import Store
from xybot.template import render


@attrs.frozen(kw_only=True)
class DefaultReply:
    """The same text to everybody; with `once`, a single time in each chat."""

    setting: Default | None
    store: Store
    name: str = "default"

    async def answer(self, turn: Turn) -> Answer:
        """Answer, unless there is no default, or this chat has heard it."""
        if self.setting is None or not self.setting.reply:
            return Pass("没有设置默认回复 (no default reply is set)")
        if self.setting.once and await self._has_said(turn):
            return Pass("默认回复已发过一次 (said once already)")
        text = render(self.setting.reply, variables(turn))
        return Reply(contents=(Text(text),), source=self.name, because="默认回复 [default]")

    async def _has_said(self, turn: Turn) -> bool:
        # What was refused does not count: only a reply that the buyer has, or will have.
        return await self.store.transact(outbox.has_said, turn.account, turn.chat, self.name)
