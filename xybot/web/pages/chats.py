"""Chats: the list, a conversation, and what its seller does there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from starlette.responses import Response

from xybot.model import AccountId, ChatId, Outgoing, Sayable, Text, UserId
from xybot.store import chatlist, transcript
from xybot.store.chatlist import Asked, Listed, Show
from xybot.store.writing import Wanted
from xybot.web import cursors, pictures, sending
from xybot.web.api import chats as api
from xybot.web.api.shapes import InChat
from xybot.web.cursors import Whole
from xybot.web.pages import words
from xybot.web.pages.visit import Visit, action, chat_path, page, to
from xybot.web.problems import Problem, misfit, not_found
from xybot.web.reply import LONGEST_TEXT, outcome

_A_PAGE: Final = 40
_LINES: Final = 60
_SHOWS: Final = get_args(Show)


@page("/chats")
async def chats(visit: Visit) -> Response:
    """Show the list alone."""
    return await visit.page("chats.html", chat=None, **await _list(visit))


@page("/chats/{account}/{chat}")
async def chat(visit: Visit) -> Response:
    """Show a conversation, beside the list."""
    return await _shown(visit)


async def _shown(visit: Visit, wrong: str = "", status: int = 200) -> Response:
    place = _place(visit)
    listed = await api.of(visit.house, place.account, place.chat)
    before = cursors.read(visit.request.query_params.get("before", ""), tuple[Whole, Whole, Whole])
    lines = await visit.house.store.read(
        transcript.page, place.account, place.chat, before=before, most=_LINES
    )
    if not visit.may("admin"):
        lines = transcript.veiled(lines)
    older = cursors.write(lines[0].place) if len(lines) == _LINES else ""
    return await visit.page(
        "chat.html",
        status,
        chat=listed,
        here=_link(listed),
        lines=lines,
        older=older,
        is_past=before is not None,
        phrases=_phrases(visit),
        words=words,
        wrong=wrong,
        text=visit.field("text"),
        **await _list(visit),
    )


async def _list(visit: Visit) -> Mapping[str, Any]:
    """Return what the list shows."""
    query = visit.request.query_params
    show: Show = next((each for each in _SHOWS if each == query.get("show")), "all")
    named = visit.house.account(query.get("account", ""))
    asked = Asked(
        account=named.id if named else None,
        show=show,
        words=query.get("words", "")[:100],
        before=cursors.read(query.get("cursor", ""), tuple[Whole, AccountId, ChatId]),
        most=_A_PAGE,
        now=visit.house.clock(),
    )
    found = await visit.house.store.read(chatlist.page, asked)
    last = await visit.house.store.read(chatlist.last_words, found)
    return {
        "rows": [(each, last.get((each.account, each.chat)), _link(each)) for each in found],
        "more": api.next_of(found, _A_PAGE),
        "asked": asked,
        "accounts": [each.id for each in visit.house.loaded().config.accounts],
    }


def _link(listed: Listed) -> str:
    return chat_path(listed.account, listed.chat)


def _phrases(visit: Visit) -> Sequence[str]:
    web = visit.house.loaded().config.web
    return web.phrases if web else ()


def _place(visit: Visit) -> InChat:
    account, chat = visit.path("account"), visit.path("chat")
    if visit.house.account(account) is None:
        raise not_found(account)
    return InChat(account=AccountId(account), chat=ChatId(chat))


@action("/chats/{account}/{chat}/seen", "send")
async def seen(visit: Visit) -> Response:
    """Note that the seller has looked."""
    place = _place(visit)
    await visit.house.store.insist(chatlist.seen, place.account, place.chat)
    return Response(status_code=204)


@action("/chats/{account}/{chat}/take-over", "send")
async def take_over(visit: Visit) -> Response:
    """Keep the bot out until the chat is handed back."""
    place = _place(visit)
    await api.keep_out_for_good(visit.house, place)
    return to(chat_path(place.account, place.chat))


@action("/chats/{account}/{chat}/hand-back", "send")
async def hand_back(visit: Visit) -> Response:
    """Let the bot answer again."""
    place = _place(visit)
    await api.give_back(visit.house, place)
    return to(chat_path(place.account, place.chat))


@action("/chats/{account}/{chat}/say", "send")
async def say(visit: Visit) -> Response:
    """Say what the seller wrote, or show a picture of theirs."""
    place = _place(visit)
    listed = await api.of(visit.house, place.account, place.chat)
    try:
        for content in await _contents(visit):
            await _say(visit, place, _outgoing(visit, place, _sure(listed.peer), content))
    except Problem as exc:
        return await _shown(visit, wrong=exc.words[0], status=exc.status)
    await visit.house.store.insist(chatlist.seen, place.account, place.chat)
    return to(chat_path(place.account, place.chat))


async def _say(visit: Visit, place: InChat, outgoing: Outgoing) -> None:
    wanted = Wanted(outgoing=outgoing, quiet=sending.quiet(visit.house))
    code, told = outcome(await sending.say(visit.house, place.account, wanted))
    if code >= 400:  # what went wrong, as in HTTP
        raise Problem(code, "not_said", told)


def _sure(peer: UserId | None) -> UserId:
    if peer is None:
        wrong = "不知道买家是谁，请在手机上回复 (who the buyer is, is not known: use your phone)"
        raise Problem(409, "unknown_buyer", wrong)
    return peer


async def _contents(visit: Visit) -> Sequence[Sayable]:
    text, picture = visit.field("text").strip(), await visit.file("picture")
    if not text and not picture:
        raise misfit("text", "请先写点什么 (write something first)")
    if len(text) > LONGEST_TEXT:
        wrong = f"太长，最多 {LONGEST_TEXT} 字 (too long: at most {LONGEST_TEXT} characters)"
        raise misfit("text", wrong)
    found: list[Sayable] = [Text(text)] if text else []
    if picture:
        found.append(await pictures.keep(picture, visit.house.data))
    return found


def _outgoing(visit: Visit, place: InChat, peer: UserId, content: Sayable) -> Outgoing:
    return Outgoing(
        uuid=visit.house.uuid(),
        chat=place.chat,
        to=peer,
        content=content,
        source=sending.IN_CONSOLE.source,
        because=sending.IN_CONSOLE.because,
    )


PAGES: Final = (chats, chat, seen, take_over, hand_back, say)
