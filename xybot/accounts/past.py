"""What the platform remembers of an account: its chats and their history, page by page."""

from __future__ import annotations

from typing import Any, Final

import attrs
import trio

from xybot.errors import Busy
from xybot.model import ChatId, UserId
from xybot.wire import answers, history, requests
from xybot.wire.frames import Frame
from xybot.wire.history import Line
from xybot.wire.requests import Request
from xybot.xianyu.connection import Connection

PAUSES: Final = (2.0, 4.0, 6.0, 15.0, 30.0, 60.0)
"""Seconds before each further attempt that the platform asked to make later (§1.3)."""
_ASKED_AGAIN: Final = 3
"""How many of them a question is worth; what it is for is tried again in a while anyway."""
_A_PAGE: Final = 50


@attrs.frozen
class Past:
    """Asks on one connection, and is patient where the platform wants patience.

    Every question raises `Busy` when it is not answered even so, and `ConnectionLost`.
    """

    _line: Connection
    _user: UserId

    async def changed(self, since: int) -> dict[ChatId, int | None]:
        """Return the chats in which something happened since then (ms), and when it did."""
        chats: dict[ChatId, int | None] = {}
        cursor: int | None = requests.NEWEST
        while cursor is not None:
            page = history.conversations(await self._ask(requests.conversations(cursor, _A_PAGE)))
            new = [each for each in page.changed if each.at is None or each.at >= since]
            chats.update({each.chat: each.at for each in new})
            cursor = _next(cursor, page.older) if len(new) == len(page.changed) else None
        return chats

    async def said(self, chat: ChatId, since: int) -> list[Line]:
        """Return what was said in a chat since then (ms), in its order, the oldest first."""
        lines: dict[str, Line] = {}
        cursor: int | None = requests.NEWEST
        while cursor is not None:
            page = history.page(
                await self._ask(requests.history(chat, cursor, _A_PAGE)), self._user
            )
            times = [line.push.facts.sent_at for line in page.lines]
            new = [
                line
                for line, at in zip(page.lines, times, strict=True)
                if at is None or at >= since
            ]
            lines.update({line.key: line for line in new})
            cursor = _next(cursor, page.older) if len(new) == len(page.lines) else None
        return sorted(lines.values(), key=lambda line: line.push.facts.sent_at or since)

    async def diff_done(self) -> None:
        """Tell the platform that we look after what its pushes left out (§4.5)."""
        state: Any = (await self._ask(requests.sync_state())).body
        await self._ask(requests.diff_done(state))

    async def _ask(self, request: Request) -> Frame:
        reason: str | None = None
        for pause in (0.0, *PAUSES[:_ASKED_AGAIN]):
            if pause:
                await trio.sleep(pause)
            answer = await self._line.request(request)
            reason = answers.put_off(answer) or answers.refusal(answer)
            if reason is None:
                return answer
        raise Busy(f"平台没有回答 {request.lwp} (not answered): {reason}")


def _next(cursor: int, older: int | None) -> int | None:
    """Return where to read on: at the edge of a page once more, for others may stand there.

    A cursor that does not go down would be followed for ever.
    """
    if older is None or older >= cursor:
        return None
    return min(older + 1, cursor - 1)
