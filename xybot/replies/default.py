"""The last word, when no other source has one: the item's own, or the same to everybody."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from xybot.config import Default, ItemConfig
from xybot.model import ItemId, Pass, Reply, Text, Turn
from xybot.replies.source import Answer, Means, fill_in
from xybot.store import outbox


@attrs.frozen(kw_only=True)
class DefaultReply:
    """What is left to say; with `once`, a single time in each chat.

    An item's own reply stands in place of the default, in the chats about that item; it
    is said once, too, unless the default may be said again and again.
    """

    setting: Default | None
    items: Mapping[ItemId, ItemConfig] = attrs.Factory(dict)
    means: Means
    name: str = "default"

    async def answer(self, turn: Turn) -> Answer:
        """Answer, unless there is no reply to give, or this chat has heard it."""
        item = self.items.get(turn.item) if turn.item else None
        template, because = self._template(item)
        if not template:
            return Pass("没有设置默认回复 (no default reply is set)")
        if self._once() and await self._has_said(turn, because):
            return Pass("默认回复已发过一次 (said once already)")
        (text,) = await fill_in((template,), turn, self.means)
        return Reply(contents=(Text(text),), source=self.name, because=because)

    def _template(self, item: ItemConfig | None) -> tuple[str, str]:
        if item is not None and item.reply:
            return item.reply, f"商品回复 [{item.where}]"
        return self.setting.reply if self.setting else "", "默认回复 [default]"

    def _once(self) -> bool:
        return self.setting is None or self.setting.once

    async def _has_said(self, turn: Turn, because: str) -> bool:
        # Only a reply that the buyer has, or will have, counts: not what was refused, or dropped,
        # waits for approval, or was not to be sent.
        return await self.means.store.transact(
            outbox.has_said, turn.account, turn.chat, self.name, because
        )
