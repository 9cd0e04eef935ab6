"""Accounts: pause, resume, connect anew, and adding one by its cookie."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from starlette.responses import Response

from xybot.config import checks, cookies, editing
from xybot.config.cookies import Field
from xybot.config.problems import Misfit
from xybot.errors import ConfigError
from xybot.model import AccountId
from xybot.store import accounts
from xybot.web.api.accounts import PAUSED, Change
from xybot.web.pages.overview import cards
from xybot.web.pages.visit import Visit, action, page, to
from xybot.web.sending import known

_LONGEST: Final = 20_000
"""Characters of a pasted cookie."""


@page("/accounts")
async def listed(visit: Visit) -> Response:
    """Show every account, and a form for another."""
    return await _shown(visit)


@action("/accounts", "admin")
async def add(visit: Visit) -> Response:
    """Add an account."""
    id_, pasted = visit.field("id").strip(), visit.field("cookie").strip()[:_LONGEST]
    house = visit.house
    simulated = house.loaded().config.simulator.enabled
    try:
        checks.account_id(id_)
    except Misfit as exc:
        return await _shown(visit, wrong=str(exc))
    fields = () if simulated else cookies.check(pasted)
    if not all(field.is_good for field in fields):
        return await _shown(visit, fields=fields)
    cookie = None if simulated else pasted
    try:
        added = await house.change(partial(editing.with_account, id_=AccountId(id_), cookie=cookie))
    except ConfigError as exc:
        return await _shown(visit, wrong=str(exc), fields=fields)
    if not added:
        return await _shown(visit, wrong=f"{id_}: 已经有这个账号 (there is such an account)")
    return to("/accounts", notice="account_added")


@action("/accounts/{account}/cookie", "admin")
async def renew(visit: Visit) -> Response:
    """Take another cookie for an account."""
    account = AccountId(visit.path("account"))
    known(visit.house, account)
    pasted = visit.field("cookie").strip()[:_LONGEST]
    fields = cookies.check(pasted)
    if not all(field.is_good for field in fields):
        return await _shown(visit, fields=fields)
    try:
        done = await visit.house.change(partial(editing.with_cookie, id_=account, cookie=pasted))
    except ConfigError as exc:
        return await _shown(visit, wrong=str(exc), fields=fields)
    if not done:
        wrong = (
            "这个账号的 Cookie 不在单独的文件里，请在 bot.toml 里改 "
            "(its cookie has no file of its own: change it in bot.toml)"
        )
        return await _shown(visit, wrong=wrong)
    return to("/accounts", notice="cookie_renewed")


@action("/accounts/{account}/pause", "admin")
async def pause(visit: Visit) -> Response:
    """Take an account off line."""
    await _change(visit, partial(accounts.pause, reason=PAUSED))
    return to("/", notice="paused")


@action("/accounts/{account}/resume", "admin")
async def resume(visit: Visit) -> Response:
    """Let an account go on."""
    await _change(visit, accounts.resume)
    return to("/", notice="resumed")


@action("/accounts/{account}/reconnect", "admin")
async def reconnect(visit: Visit) -> Response:
    """Have an account connect anew."""
    await _change(visit, accounts.redial)
    return to("/", notice="reconnecting")


async def _change(visit: Visit, change: Change) -> None:
    account = known(visit.house, visit.path("account")).id
    await visit.house.store.insist(change, account)
    visit.house.ring(account)


async def _shown(visit: Visit, *, wrong: str = "", fields: Sequence[Field] = ()) -> Response:
    status = 422 if wrong or fields else 200
    return await visit.page(
        "accounts.html",
        status,
        cards=await cards(visit),
        wrong=wrong,
        fields=fields,
        given_id=visit.field("id"),
    )


PAGES: Final = (listed, add, renew, pause, resume, reconnect)
