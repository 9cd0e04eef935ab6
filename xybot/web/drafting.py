"""What the seller does with a reply that waits for their word; for the API and the console."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from xybot.events import DraftApproved, Event
from xybot.model import AccountId
from xybot.store import drafts
from xybot.store.drafts import REJECTED, Draft
from xybot.telling import dropped, words
from xybot.web.house import House
from xybot.web.problems import Problem, not_found
from xybot.web.sending import known


async def approve(house: House, account: AccountId, uuid: str) -> Draft:
    """Let a draft be said.

    Raises:
      Problem: it is none any more.
    """
    known(house, account)
    now = house.clock()
    found = await house.chronicle.insist(
        _told(account, _approved), drafts.approve, account, uuid, now=now
    )
    house.ring(account)
    return _sure(uuid, found)


async def reject(house: House, account: AccountId, uuid: str) -> Draft:
    """Have a draft never said.

    Raises:
      Problem: it is none any more.
    """
    known(house, account)
    now = house.clock()
    found = await house.chronicle.insist(
        _told(account, _rejected), drafts.reject, account, uuid, now=now
    )
    return _sure(uuid, found)


async def edit(house: House, account: AccountId, uuid: str, text: str) -> Draft:
    """Change the words of a draft, which goes on waiting.

    Raises:
      Problem: it is none any more, or a picture.
    """
    known(house, account)
    try:
        found = await house.store.insist(drafts.edit, account, uuid, text)
    except TypeError:
        wrong = "图片不能改成文字 (a picture cannot be changed into words)"
        raise Problem(409, "picture", wrong) from None
    return _sure(uuid, found)


def _told(
    account: AccountId, event: Callable[[AccountId, Draft], Event]
) -> Callable[[Draft | None], Iterable[Event]]:
    return lambda draft: [] if draft is None else [event(account, draft)]


def _approved(account: AccountId, draft: Draft) -> DraftApproved:
    outgoing = draft.outgoing
    text = words(outgoing.content)
    return DraftApproved(account=account, chat=outgoing.chat, uuid=outgoing.uuid, text=text)


def _rejected(account: AccountId, draft: Draft) -> Event:
    return dropped(account, draft.outgoing, REJECTED)


def _sure(uuid: str, found: Draft | None) -> Draft:
    if found is None:
        raise not_found(f"草稿 {uuid}")
    return found
