"""`POST /xianyu/reply`: the one call that clients of the seed know.

It always answers 200 to a request that it understood; `code` tells what became of the words.
"""

from __future__ import annotations

from typing import Annotated, Final

import attrs
from msgspec import Meta
from starlette.requests import Request

from xybot.model import AccountId, ChatId, ItemId, Outgoing, Text, UserId
from xybot.store.writing import Fate, Wanted
from xybot.web import sending
from xybot.web.endpoint import endpoint
from xybot.web.house import House
from xybot.web.problems import Problem, misfit
from xybot.web.reading import NOT_BLANK
from xybot.web.visitors import Visitor

_TOLD_IN_BODY: Final = (404, 409)
LONGEST_TEXT: Final = 5000
"""Characters of a message; how many the platform takes is not known."""


@attrs.frozen(kw_only=True)
class ReplyRequest:
    """What to say, and to whom; all are texts."""

    cookie_id: Annotated[
        str, Meta(min_length=1, description="账号名 (the account: id in bot.toml)")
    ]
    msg_time: Annotated[str, Meta(description="买家消息的时间，只作记录 (not used)")]
    user_url: Annotated[str, Meta(description="买家主页，只作记录 (not used)")]
    send_user_id: Annotated[
        str, Meta(min_length=1, max_length=64, description="买家编号 (the id of the buyer)")
    ]
    send_user_name: Annotated[str, Meta(description="买家昵称，只作记录 (not used)")]
    item_id: Annotated[
        str,
        Meta(max_length=64, description="商品编号；chat_id 空着时必填 (needed without chat_id)"),
    ]
    send_message: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=LONGEST_TEXT,
            pattern=NOT_BLANK,
            description="要发的话 (what to say)",
        ),
    ]
    chat_id: Annotated[
        str,
        Meta(
            max_length=64,
            description="会话编号；空着就按买家和商品建立会话 (empty: the chat of buyer and item)",
        ),
    ]


@attrs.frozen(kw_only=True)
class ReplyData:
    """What was said."""

    send_msg: str
    message_id: str | None
    """The platform's id of it, once it has it."""


@attrs.frozen(kw_only=True)
class ReplyAnswer:
    """What became of it.

    `code` is 200 when the platform has it, 202 when it is queued (the account is off line, or
    has much to say), 404 when there is no such account, 409 when the account waits for its
    seller, 410 when it was taken back before it was said, 502 when the platform refused it,
    504 when nobody can tell whether it arrived.
    """

    code: int
    msg: str
    data: ReplyData | None = None


@endpoint("POST", "/xianyu/reply", "send", headers=sending.KEYED)
async def xianyu_reply(
    house: House, visitor: Visitor, request: Request, body: ReplyRequest
) -> ReplyAnswer:
    """发一条消息，等平台的答复 (say something, and wait for the platform's answer).

    An `Idempotency-Key` header makes a repeat of the request safe: the words are said once, and
    the repeat is told what became of them.
    """
    if not body.chat_id.strip() and not body.item_id.strip():
        wrong = "chat_id 和 item_id 不能都空着 (one of the two is needed)"
        raise misfit("body.item_id", wrong)
    key = sending.key_of(request, visitor)
    wanted = Wanted(outgoing=_outgoing(house, visitor, body), key=key)
    try:
        fate = await sending.say(house, AccountId(body.cookie_id), wanted)
    except Problem as exc:
        if exc.status not in _TOLD_IN_BODY:
            raise
        return ReplyAnswer(code=exc.status, msg=str(exc))
    return _answer(fate, body.send_message)


def _outgoing(house: House, visitor: Visitor, body: ReplyRequest) -> Outgoing:
    author = sending.over_api(visitor)
    return Outgoing(
        uuid=house.uuid(),
        chat=ChatId(_bare(body.chat_id)),
        to=UserId(_bare(body.send_user_id)),
        content=Text(body.send_message),
        source=author.source,
        because=author.because,
        item=ItemId(body.item_id.strip()) or None,
    )


def _bare(id_: str) -> str:
    """Return an id as we keep it: some clients write it as an address."""
    return id_.strip().removesuffix("@goofish")


def _answer(fate: Fate, text: str) -> ReplyAnswer:
    code, msg = outcome(fate)
    return ReplyAnswer(code=code, msg=msg, data=ReplyData(send_msg=text, message_id=fate.message))


def outcome(fate: Fate) -> tuple[int, str]:
    """Return what became of a message, as a status of HTTP and in words."""
    why = fate.reason or ""
    match fate.state:
        case "sent":
            return 200, "ok"
        case "queued":
            return 202, "已排队，账号在线后就发 (queued, will be said when the account is on line)"
        case "dropped":
            return 410, f"没说就作废了 (taken back before it was said): {why}"
        case "refused":
            return 502, f"平台拒发 (the platform refused it): {why}"
        case "held" | "sending":
            return 504, f"不确定是否送达，请看一眼会话 (nobody can tell whether it arrived): {why}"
        case _:
            return 409, f"{fate.state}: {why}"
