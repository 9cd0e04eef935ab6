"""What a reply source is, and the words a template may use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeAlias

from xybot.model import Pass, Reply, Turn

Answer: TypeAlias = Reply | Pass


class Source(Protocol):
    """One way to answer a buyer; asked in the order of `replies.order`."""

    @property
    def name(self) -> str:
        """The name in `replies.order`, in decisions and in the console."""

    async def answer(self, turn: Turn) -> Answer:
        """Answer a turn, or pass and say why.

        Raises:
          ReplyError: the source is broken right now; the next one is asked.
        """


def variables(turn: Turn) -> Mapping[str, str]:
    """Return what a reply template may name (see `xybot.template`)."""
    return {
        "send_user_name": turn.last.sender_name,
        "send_user_id": turn.last.sender,
        "send_message": turn.text,
        "item_id": turn.item or "",
    }
