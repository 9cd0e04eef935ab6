"""Saying something on somebody's behalf, and waiting for what becomes of it."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Final

import attrs
import trio
from starlette.requests import Request

from xybot.chronicle import Means
from xybot.config import AccountConfig
from xybot.errors import Cause
from xybot.events import Event
from xybot.model import AccountId, AccountState, ChatId, Outgoing
from xybot.store import accounts, writing
from xybot.store.accounts import Parked
from xybot.store.database import Database
from xybot.store.outbox import BY_HAND
from xybot.store.writing import ANSWERED, Fate, Wanted, Written
from xybot.telling import taken
from xybot.web.house import House
from xybot.web.problems import Problem, misfit, not_found
from xybot.web.reading import NOT_BLANK
from xybot.web.visitors import Visitor

ANSWER_WITHIN: Final = 20.0
"""Seconds to wait for the platform's answer."""
SETTLED: Final = frozenset({"sent", "refused", "held", "dropped"})
KEY_HEADER: Final = "idempotency-key"
_LONGEST_KEY: Final = 255
KEYED: Final = {
    "Idempotency-Key": {
        "type": "string",
        "minLength": 1,
        "maxLength": _LONGEST_KEY,
        "pattern": NOT_BLANK,
        "description": "同一个值只发一次，重复请求得到第一次的结果 (a repeat is said only once)",
    }
}
"""The header, as the document has it."""


def known(house: House, id_: str) -> AccountConfig:
    """Return an account of bot.toml.

    Raises:
      Problem: there is none of this name.
    """
    account = house.account(id_)
    if account is None:
        raise not_found(f"账号 {id_}")
    return account


async def may_say(house: House, account: AccountId) -> None:
    """Make sure that the account will say something, if not now.

    Raises:
      Problem: 409 when it waits for its seller, or is switched off.
    """
    config = known(house, account)
    parked = await house.store.read(_parked, account)
    if parked is not None:
        wished = parked.cause is Cause.PAUSED
        raise Problem(409, "paused" if wished else "parked", parked.reason)
    if not config.enabled:
        raise Problem(409, "disabled", "这个账号在 bot.toml 里停用了 (the account is switched off)")


def _parked(db: Database, account: AccountId) -> Parked | None:
    return next((each for each in accounts.roster(db).parked if each.id == account), None)


async def say(house: House, account: AccountId, wanted: Wanted) -> Fate:
    """Queue a message, and wait a while for what becomes of it.

    Returns:
      Its fate until now: it is `queued` when the account is off line, or has much to say.

    Raises:
      Problem: 404 when there is no such account, 409 when it waits for its seller, 422 when the
        key was used for another message.
    """
    try:
        # A repeat is told what became of it, whatever became of the account meanwhile.
        found = await house.store.read(writing.wished_before, account, wanted)
        if found is None:
            await may_say(house, account)
            found = await _written(house, account, wanted)
    except KeyError:
        wrong = "这个 Idempotency-Key 已经用于另一条消息 (was used for another message)"
        raise misfit(f"header.{KEY_HEADER}", wrong) from None
    return await _settled(house, account, found.outgoing.uuid)


async def _written(house: House, account: AccountId, wanted: Wanted) -> Fate:
    means = _means(account, wanted.outgoing.chat)
    written = await house.chronicle.insist(means, writing.write, account, wanted, now=house.clock())
    house.ring(account)
    return written.fate


def _means(account: AccountId, chat: ChatId) -> Means[Written]:
    def means(written: Written) -> list[Event]:
        what = written.taken
        return [] if what is None else list(taken(account, chat, what, ANSWERED))

    return means


async def _settled(house: House, account: AccountId, uuid: str) -> Fate:
    named = partial(_is_named, uuid)
    with house.chronicle.feed.subscribe(wanted=named) as told, trio.move_on_after(ANSWER_WITHIN):
        while not await _is_final(house, account, uuid):
            await told.next()
    return await _fate(house, account, uuid)


async def _is_final(house: House, account: AccountId, uuid: str) -> bool:
    """Tell whether there is nothing to wait for."""
    on_line = house.status(account).new is AccountState.CONNECTED
    return not on_line or (await _fate(house, account, uuid)).state in SETTLED


async def _fate(house: House, account: AccountId, uuid: str) -> Fate:
    fate = await house.store.read(writing.fate, account, uuid)
    assert fate is not None
    return fate


def _is_named(uuid: str, event: Event) -> bool:
    return getattr(event, "uuid", None) == uuid


def key_of(request: Request, visitor: Visitor) -> str | None:
    """Return what tells a repeat of a request, None when it says nothing of that.

    Raises:
      Problem: the header is no use.
    """
    given = request.headers.get(KEY_HEADER)
    if given is None:
        return None
    if not given.strip() or len(given) > _LONGEST_KEY:
        wrong = f"应为 1 到 {_LONGEST_KEY} 个字符 (want 1 to {_LONGEST_KEY} characters)"
        raise misfit(f"header.{KEY_HEADER}", wrong)
    return hashlib.sha256(f"{visitor.name}\n{given}".encode()).hexdigest()


@attrs.frozen(kw_only=True)
class Author:
    """On whose behalf something is said."""

    source: str
    because: str


PROGRAM: Final = "api"
IN_CONSOLE: Final = Author(source=BY_HAND, because="您在控制台写的 (you wrote it in the console)")


def over_api(visitor: Visitor, *, by_hand: bool = False) -> Author:
    """Return the author of what is to be said over the API; `by_hand`: for the seller wrote it."""
    return Author(
        source=BY_HAND if by_hand else PROGRAM,
        because=f"接口令牌 {visitor.name} (asked for over the API)",
    )


def quiet(house: House) -> int | None:
    """Return how long the bot keeps out of a chat in which its seller writes (ms)."""
    return round(1000 * house.loaded().config.timing.manual_pause) or None


def outgoing(house: House, author: Author, message: Outgoing) -> Outgoing:
    """Return a message with its author, and a name of its own."""
    return attrs.evolve(message, uuid=house.uuid(), source=author.source, because=author.because)
