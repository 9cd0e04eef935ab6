"""Replies that wait for their seller: list, approve, edit, reject."""

from __future__ import annotations

from typing import Annotated, Final

import attrs
from msgspec import Meta

from xybot.model import AccountId
from xybot.store import drafts
from xybot.web import cursors, drafting
from xybot.web.api import shapes
from xybot.web.api.shapes import Draft, InAccount
from xybot.web.cursors import CursorText, Limit, Whole
from xybot.web.endpoint import endpoint
from xybot.web.house import House
from xybot.web.reading import NOT_BLANK
from xybot.web.reply import LONGEST_TEXT
from xybot.web.sending import known


@attrs.frozen(kw_only=True)
class DraftQuery:
    """Which drafts."""

    account: Annotated[str, Meta(description="只看这个账号 (of this account only)")] = ""
    cursor: CursorText = ""
    limit: Limit = 50


@attrs.frozen(kw_only=True)
class Drafts:
    """A page of drafts, the oldest first."""

    items: tuple[Draft, ...]
    next: str | None


@attrs.frozen(kw_only=True)
class InDraft(InAccount):
    """A draft of an account."""

    uuid: Annotated[str, Meta(max_length=100)]


@attrs.frozen(kw_only=True)
class NewText:
    """Other words."""

    text: Annotated[str, Meta(min_length=1, max_length=LONGEST_TEXT, pattern=NOT_BLANK)]


@endpoint("GET", "/api/v1/drafts", "read", refusals=(404,))
async def list_drafts(house: House, query: DraftQuery) -> Drafts:
    """等您批准的回复 (replies that wait for approval)."""
    account = AccountId(query.account) if query.account else None
    if account is not None:
        known(house, account)
    after = cursors.read(query.cursor, Whole) or 0
    found = await house.store.read(drafts.waiting, account, after=after, most=query.limit)
    more = len(found) == query.limit
    return Drafts(
        items=tuple(map(shapes.draft, found)), next=cursors.write(found[-1].seq) if more else None
    )


_IN_DRAFT: Final = "/api/v1/accounts/{account}/drafts/{uuid}"


@endpoint("POST", f"{_IN_DRAFT}/approve", "send", refusals=(404,))
async def approve_draft(house: House, path: InDraft) -> Draft:
    """批准，发出去 (let it be said)."""
    return shapes.draft(await drafting.approve(house, path.account, path.uuid))


@endpoint("PATCH", _IN_DRAFT, "send", refusals=(404, 409))
async def edit_draft(house: House, path: InDraft, body: NewText) -> Draft:
    """改一改，仍然等您批准 (change its words; it goes on waiting)."""
    return shapes.draft(await drafting.edit(house, path.account, path.uuid, body.text))


@endpoint("POST", f"{_IN_DRAFT}/reject", "send", refusals=(404,))
async def reject_draft(house: House, path: InDraft) -> Draft:
    """不要了 (have it never said)."""
    return shapes.draft(await drafting.reject(house, path.account, path.uuid))


ENDPOINTS: Final = (list_drafts, approve_draft, edit_draft, reject_draft)
