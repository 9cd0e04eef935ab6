"""Chats: the list, take over and hand back, pause and resume."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Final

import attrs
from msgspec import Meta

from xybot.events import ChatResumed, Event
from xybot.model import AccountId, ChatId
from xybot.store import chatlist, writing
from xybot.store.chatlist import Asked, Listed, Show
from xybot.store.chats import FOREVER
from xybot.store.writing import TAKEN_OVER, Pause, Taken
from xybot.telling import taken
from xybot.web import cursors
from xybot.web.api import shapes
from xybot.web.api.shapes import Chat, InChat
from xybot.web.cursors import CursorText, Limit, Whole
from xybot.web.endpoint import endpoint
from xybot.web.house import House
from xybot.web.problems import not_found
from xybot.web.sending import known

LONGEST_PAUSE: Final = 30 * 86_400


@attrs.frozen(kw_only=True)
class ChatQuery:
    """Which chats."""

    account: Annotated[str, Meta(description="只看这个账号 (of this account only)")] = ""
    show: Annotated[
        Show, Meta(description="all · unread · taken_over · drafts (which of them)")
    ] = "all"
    words: Annotated[
        str,
        Meta(max_length=100, description="昵称或说过的话的一部分，或编号 (part of a name or line)"),
    ] = ""
    cursor: CursorText = ""
    limit: Limit = 50


@attrs.frozen(kw_only=True)
class Chats:
    """A page of chats, the one in which somebody spoke last first."""

    items: tuple[Chat, ...]
    next: str | None


@attrs.frozen(kw_only=True)
class PauseFor:
    """How long the bot keeps out."""

    seconds: Annotated[float, Meta(ge=1, le=LONGEST_PAUSE)]


@endpoint("GET", "/api/v1/chats", "read", refusals=(404,))
async def list_chats(house: House, query: ChatQuery) -> Chats:
    """列出会话，最近说过话的在前 (chats, the last active first)."""
    if query.account:
        known(house, query.account)
    asked = Asked(
        account=AccountId(query.account) if query.account else None,
        show=query.show,
        words=query.words,
        before=cursors.read(query.cursor, tuple[Whole, AccountId, ChatId]),
        most=query.limit,
        now=house.clock(),
    )
    found = await house.store.read(chatlist.page, asked)
    return Chats(items=tuple(map(shapes.chat, found)), next=next_of(found, query.limit))


def next_of(found: tuple[Listed, ...], limit: int) -> str | None:
    """Return the cursor of the page after this one, None at the end."""
    if len(found) < limit:
        return None
    last = found[-1]
    return cursors.write((last.last_at, last.account, last.chat))


@endpoint("GET", "/api/v1/accounts/{account}/chats/{chat}", "read", refusals=(404,))
async def get_chat(house: House, path: InChat) -> Chat:
    """一个会话 (one chat)."""
    return shapes.chat(await of(house, path.account, path.chat))


@endpoint("POST", "/api/v1/accounts/{account}/chats/{chat}/seen", "send", refusals=(404,))
async def mark_seen(house: House, path: InChat) -> Chat:
    """标记为看过 (note that its seller has looked at it)."""
    known(house, path.account)
    await house.store.insist(chatlist.seen, path.account, path.chat)
    return shapes.chat(await of(house, path.account, path.chat))


@endpoint("POST", "/api/v1/accounts/{account}/chats/{chat}/take-over", "send", refusals=(404,))
async def take_over(house: House, path: InChat) -> Chat:
    """接管：机器人不再说话，直到交还 (the bot keeps out until the chat is handed back)."""
    return await keep_out_for_good(house, path)


@endpoint("POST", "/api/v1/accounts/{account}/chats/{chat}/pause", "send", refusals=(404,))
async def pause_chat(house: House, path: InChat, body: PauseFor) -> Chat:
    """让机器人在这个会话里安静一段时间 (the bot keeps out for a while)."""
    known(house, path.account)
    until = house.clock() + round(1000 * body.seconds)
    return await _keep_out(house, path, until)


@endpoint("POST", "/api/v1/accounts/{account}/chats/{chat}/hand-back", "send", refusals=(404,))
async def hand_back(house: House, path: InChat) -> Chat:
    """交还：机器人重新回答 (the bot answers again)."""
    return await give_back(house, path)


@endpoint("POST", "/api/v1/accounts/{account}/chats/{chat}/resume", "send", refusals=(404,))
async def resume_chat(house: House, path: InChat) -> Chat:
    """结束暂停，同交还 (ends a pause; the same as hand-back)."""
    return await give_back(house, path)


async def of(house: House, account: AccountId, chat: ChatId) -> Listed:
    """Return a chat of the list.

    Raises:
      Problem: there is no such chat.
    """
    known(house, account)
    found = await house.store.read(chatlist.one, account, chat, now=house.clock())
    if found is None:
        raise not_found(f"会话 {chat}")
    return found


async def keep_out_for_good(house: House, path: InChat) -> Chat:
    """Keep the bot out of a chat until it is handed back."""
    return await _keep_out(house, path, FOREVER)


async def _keep_out(house: House, path: InChat, until: int) -> Chat:
    await of(house, path.account, path.chat)

    def means(what: Taken) -> list[Event]:
        return list(taken(path.account, path.chat, what, TAKEN_OVER))

    pause, now = Pause(until, TAKEN_OVER), house.clock()
    await house.chronicle.insist(means, writing.take_over, path.account, path.chat, pause, now=now)
    house.ring(path.account)
    return shapes.chat(await of(house, path.account, path.chat))


async def give_back(house: House, path: InChat) -> Chat:
    """Let the bot answer in a chat again, if it does not."""
    await of(house, path.account, path.chat)
    means = partial(_resumed, path)
    await house.chronicle.insist(
        means, writing.hand_back, path.account, path.chat, now=house.clock()
    )
    house.ring(path.account)
    return shapes.chat(await of(house, path.account, path.chat))


def _resumed(path: InChat, was_paused: bool) -> list[Event]:
    return [ChatResumed(account=path.account, chat=path.chat)] if was_paused else []


ENDPOINTS: Final = (
    list_chats,
    get_chat,
    mark_seen,
    take_over,
    pause_chat,
    hand_back,
    resume_chat,
)
