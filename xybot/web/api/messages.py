"""What is said in chats: the conversation, each line with its why, and saying something."""

from __future__ import annotations

from typing import Annotated, Final

import attrs
from msgspec import Meta
from starlette.requests import Request

from xybot.model import AccountId, ChatId, MessageId, Outgoing, Sayable, Text, UserId
from xybot.store import stories, transcript
from xybot.store.stories import Story
from xybot.store.writing import Wanted
from xybot.web import cursors, pictures, sending
from xybot.web.api import chats, shapes
from xybot.web.api.shapes import InAccount, InChat, Message, Ms, Sending, Why
from xybot.web.cursors import Paging, Whole
from xybot.web.endpoint import endpoint, limited
from xybot.web.house import House
from xybot.web.problems import Problem, misfit, not_found
from xybot.web.reading import NOT_BLANK
from xybot.web.reply import LONGEST_TEXT
from xybot.web.visitors import Visitor


@attrs.frozen(kw_only=True)
class Messages:
    """A page of a conversation, its oldest line first; `next` leads to older ones."""

    items: tuple[Message, ...]
    next: str | None


@attrs.frozen(kw_only=True)
class TextMessage:
    """What to say."""

    text: Annotated[str, Meta(min_length=1, max_length=LONGEST_TEXT, pattern=NOT_BLANK)]
    to: Annotated[
        str, Meta(max_length=64, description="买家编号；会话里没人说过话时才需要 (of a new chat)")
    ] = ""
    by_hand: Annotated[
        bool,
        Meta(
            description="是您亲自写的：机器人在这个会话里安静 manual_pause 秒 "
            "(you wrote it yourself: the bot keeps out for a while)"
        ),
    ] = True


@attrs.frozen(kw_only=True)
class PictureQuery:
    """How a picture is said."""

    to: Annotated[str, Meta(max_length=64)] = ""
    by_hand: bool = True


@attrs.frozen(kw_only=True)
class InMessage(InAccount):
    """A message of an account, somebody's or ours."""

    message: Annotated[
        str, Meta(max_length=100, description="消息编号，可以不写 .PNM (with or without .PNM)")
    ]


@attrs.frozen(kw_only=True)
class Heard:
    """A line of the turn that a message belongs to."""

    message_id: MessageId
    kind: str
    at: Ms
    outcome: str | None


@attrs.frozen(kw_only=True)
class Explanation:
    """All that led to an answer, or to none."""

    account: AccountId
    chat: ChatId | None
    heard: tuple[Heard, ...]
    decided: tuple[Why, ...]
    said: tuple[Sending, ...]


_IN_CHAT: Final = "/api/v1/accounts/{account}/chats/{chat}"


@endpoint("GET", f"{_IN_CHAT}/messages", "read", refusals=(404,))
async def list_messages(house: House, visitor: Visitor, path: InChat, query: Paging) -> Messages:
    """会话里的消息，每条带着原因 (the conversation, each line with its why).

    The goods that were sent for orders are shown to a token with `admin` only.
    """
    await chats.of(house, path.account, path.chat)
    before = cursors.read(query.cursor, tuple[Whole, Whole, Whole])
    found = await house.store.read(
        transcript.page, path.account, path.chat, before=before, most=query.limit
    )
    if "admin" not in visitor.scopes:
        found = transcript.veiled(found)
    more = len(found) == query.limit
    return Messages(
        items=tuple(map(shapes.message, found)),
        next=cursors.write(found[0].place) if more else None,
    )


@endpoint("POST", f"{_IN_CHAT}/messages", "send", refusals=(404, 409), headers=sending.KEYED)
async def send_text(
    house: House, visitor: Visitor, request: Request, path: InChat, body: TextMessage
) -> Sending:
    """发一句话，等平台的答复 (say something, and wait for the platform's answer).

    An `Idempotency-Key` header makes a repeat of the request safe.  `state` tells what became
    of it: `queued` when the account is off line, or has much to say.
    """
    to = await _peer(house, path, body.to, "body.to")
    key = sending.key_of(request, visitor)
    return await _say(house, visitor, path, _What(to, Text(body.text), body.by_hand, key))


@endpoint(
    "POST",
    f"{_IN_CHAT}/images",
    "send",
    refusals=(404, 409),
    takes="image/*",
    headers=sending.KEYED,
)
async def send_image(
    house: House, visitor: Visitor, request: Request, path: InChat, query: PictureQuery
) -> Sending:
    """发一张图片；请求体就是图片文件 (send a picture; the body is the file itself).

    PNG, JPEG, GIF or WebP of at most 20 MB; it is kept, and uploaded once.
    """
    to = await _peer(house, path, query.to, "query.to")
    content = await limited(request, pictures.LARGEST)
    photo = await pictures.keep(content, house.data)
    key = sending.key_of(request, visitor)
    return await _say(house, visitor, path, _What(to, photo, query.by_hand, key))


@attrs.frozen
class _What:
    to: UserId
    content: Sayable
    by_hand: bool
    key: str | None


async def _say(house: House, visitor: Visitor, path: InChat, what: _What) -> Sending:
    author = sending.over_api(visitor, by_hand=what.by_hand)
    outgoing = Outgoing(
        uuid=house.uuid(),
        chat=path.chat,
        to=what.to,
        content=what.content,
        source=author.source,
        because=author.because,
    )
    quiet = sending.quiet(house) if what.by_hand else None
    wanted = Wanted(outgoing=outgoing, key=what.key, quiet=quiet)
    return shapes.fate(await sending.say(house, path.account, wanted))


async def _peer(house: House, path: InChat, given: str, where: str) -> UserId:
    """Return to whom something is said in a chat."""
    named = UserId(given.strip().removesuffix("@goofish"))
    try:
        found = (await chats.of(house, path.account, path.chat)).peer
    except Problem:
        found = None
        if not named:
            raise
    if found and named not in ("", found):
        raise misfit(where, f"这个会话的买家是 (this is the chat of) {found}")
    if not (found or named):
        raise misfit(where, "不知道买家是谁，请写上编号 (whose chat it is, is not known)")
    return found or named


@endpoint("GET", "/api/v1/accounts/{account}/messages/{message}", "read", refusals=(404,))
async def explain_message(house: House, path: InMessage) -> Explanation:
    """一条消息：为什么这样回，为什么没回 (why a message was answered so, or was not)."""
    sending.known(house, path.account)
    found = await house.store.read(stories.of_message, path.message, path.account)
    if not found:
        raise not_found(f"消息 {path.message}")
    return _explained(found[0])


def _explained(story: Story) -> Explanation:
    heard = (
        Heard(message_id=line.message, kind=line.kind, at=line.at, outcome=line.outcome)
        for line in story.lines
        if not line.ours
    )
    return Explanation(
        account=story.account,
        chat=story.chat,
        heard=tuple(heard),
        decided=tuple(map(shapes.why, story.verdicts)),
        said=tuple(map(shapes.sending, story.said)),
    )


ENDPOINTS: Final = (list_messages, send_text, send_image, explain_message)
