"""Replies that wait for their seller's word."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from xybot.model import AccountId, Text
from xybot.store import chatlist, drafts
from xybot.web import drafting
from xybot.web.pages import words
from xybot.web.pages.visit import Visit, action, chat_path, page, to
from xybot.web.problems import Problem
from xybot.web.reply import LONGEST_TEXT

_MOST: Final = 100


@page("/drafts")
async def waiting(visit: Visit) -> Response:
    """Show what waits, the oldest first."""
    return await _shown(visit)


async def _shown(visit: Visit, wrong: str = "", status: int = 200) -> Response:
    found = await visit.house.store.read(drafts.waiting)
    shown, now = [], visit.house.clock()
    for each in found[:_MOST]:
        chat = each.outgoing.chat
        listed = await visit.house.store.read(chatlist.one, each.account, chat, now=now)
        name = listed.name if listed else None
        shown.append((each, name or chat, chat_path(each.account, chat)))
    return await visit.page(
        "drafts.html",
        status,
        drafts=shown,
        left_out=len(found) - len(shown),
        words=words,
        wrong=wrong,
    )


@action("/drafts/{account}/{uuid}", "send")
async def settle(visit: Visit) -> Response:
    """Approve a draft, as it is or changed, or reject it."""
    account, uuid = AccountId(visit.path("account")), visit.path("uuid")
    text, house = visit.field("text").strip(), visit.house
    try:
        if visit.field("do") == "reject":
            await drafting.reject(house, account, uuid)
            return to("/drafts", notice="draft_rejected")
        draft = await house.store.read(drafts.one, account, uuid)
        if draft is not None and isinstance(draft.outgoing.content, Text):
            if not text or len(text) > LONGEST_TEXT:
                return await _shown(visit, visit.translate("请写上要发的话，不要太长。"), 422)
            if text != draft.outgoing.content.text:
                await drafting.edit(house, account, uuid, text)
        if visit.field("do") == "keep":
            return to("/drafts", notice="draft_kept")
        await drafting.approve(house, account, uuid)
    except Problem as exc:
        return await _shown(visit, str(exc), exc.status)
    return to("/drafts", notice="draft_approved")


PAGES: Final = (waiting, settle)
