"""What a ready connection may ask (`/r/...`), and what it is answered.

Assumptions about the platform:

* a send is answered `{messageId, receiverCount: 2, uuid, createAt}` (protocol.md §3.1,
  capture 73, which is no recording); the same `uuid` again gives the same message and is
  shown once (unknown; `Settings.same_uuid_once` turns it off);
* a send must name exactly the two sides of the chat as receivers; else 400 (unknown);
* a refused send is code 200 with a `reason` and no message; too many sends are `400600001`
  in `body.code`, here with code 400 (§3.1; the code around it: unknown);
* flow control meets requests that only read as well (§1.3 does not say which; unknown), and
  the history may be refused with 400 and no body (§3);
* the platform may change the words of a send, here by a full stop at their end, and show
  them; the answer tells nothing of it (unknown);
* history and conversations are newest first, cut by a cursor in milliseconds, the cursor
  itself left out (§3; the edge: unknown); a page of conversations is longer than asked for
  rather than cut between chats that changed in the same millisecond (unknown);
* `create` finds or opens the chat of a pair and an item (§3, captures of other clients);
* `read` and `clearRedPoint` change the unread count and answer nothing (§3);
* an unknown path is code 404 (unknown).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import attrs
import msgspec
import trio

from xybot.model import ChatId, ItemId, UserId
from xybot.simulator import payloads
from xybot.simulator.desk import Desks
from xybot.simulator.world import Json, SimAccount, SimChat, SimMessage, World

SEND: Final = "/r/MessageSend/sendByReceiverScope"
HISTORY: Final = "/r/MessageManager/listUserMessages"
CONVERSATIONS: Final = "/r/Conversation/listNewestPagination"
STATE: Final = "/r/SyncStatus/getState"
#: What changes nothing.
_READS: Final = frozenset(
    {HISTORY, CONVERSATIONS, STATE, "/r/Conversation/listNewest", "/r/Conversation/getByCids"}
)
#: Summary of what is said, by contentType.
_SUMMARIES: Final = {2: "[图片]", 3: "[语音]", 4: "[视频]", 5: "[动画表情]"}


@attrs.frozen
class Answer:
    """The `code` and `body` of an answer."""

    code: int = 200
    body: Json = None


BAD: Final = Answer(400)
_FORBIDDEN: Final = Answer(200, {"reason": "CSI_FORBID", "moreInfo": "CSI_FORBID||安全拦截"})
_BUSY: Final = Answer(400, {"code": "400600001", "reason": "flow control"})

_Method: TypeAlias = Callable[["Answers", SimAccount, Json], Answer]


def bare(address: object) -> str:
    """Strip `@goofish`."""
    return str(address).removesuffix("@goofish")


@attrs.define(eq=False)
class Answers:
    """Answers requests; what they change is told to both sides at once."""

    world: World
    desks: Desks

    def to(self, account: SimAccount, lwp: str, body: Json) -> Answer:
        """Answer a request; one whose body has the wrong form is 400."""
        method = _METHODS.get(lwp)
        if method is None:
            return Answer(404, {"reason": "service not found", "code": "404", "scope": "lwp"})
        if lwp in _READS and self.desks.of(account).switches.happens("busy_reads"):
            return _BUSY
        try:
            return method(self, account, body)
        except (KeyError, IndexError, TypeError, ValueError):
            return BAD

    def send(self, account: SimAccount, body: Json) -> Answer:
        """Say something; see the assumptions above."""
        switches = self.desks.of(account).switches
        if switches.happens("busy"):
            return _BUSY
        if switches.happens("refuse_sends"):
            return _FORBIDDEN
        wanted, receivers = body[0], body[1]["actualReceivers"]
        chat, uuid = self._chat(account, wanted["cid"]), str(wanted["uuid"])
        if {bare(each) for each in receivers} != {chat.seller.id, chat.buyer.id}:
            return BAD
        said = account.uuids.get(uuid) if self.desks.settings.same_uuid_once else None
        if said is None:
            said = account.uuids[uuid] = self._say(account, chat, wanted["content"])
        told = {"messageId": said.id, "receiverCount": 2, "uuid": uuid, "createAt": said.sent_at}
        return Answer(200, told)

    def _say(self, account: SimAccount, chat: SimChat, content: Json) -> SimMessage:
        kind, inner = _spoken(content)
        if kind == 1 and self.desks.of(account).switches.happens("alter_sends"):
            inner = {**inner, "text": {**inner["text"], "text": inner["text"]["text"] + "。"}}
        words = inner["text"]["text"] if kind == 1 else _SUMMARIES.get(kind, "[消息]")
        said = self.world.write(
            chat, account.user, kind=kind, content=inner, summary=words, platform="web"
        )
        account.heard.append((trio.current_time(), chat.id, words))
        self.desks.tell(self.world, said)
        if self.desks.settings.reads:
            said.read = True
            self.desks.of(account).push(payloads.receipt(said, self.world.now_ms()))
        return said

    def _chat(self, account: SimAccount, address: object) -> SimChat:
        chat = self.world.chats[ChatId(bare(address))]
        if account.user_id not in (chat.seller.id, chat.buyer.id):
            raise ValueError("not a chat of this account")
        return chat

    def history(self, account: SimAccount, body: Json) -> Answer:
        """List messages of a chat, newest first."""
        if self.desks.of(account).switches.happens("refuse_history"):
            return BAD
        address, _, cursor, limit, _ = body
        chat = self._chat(account, address)
        older = [each for each in reversed(chat.messages) if each.sent_at < int(cursor)]
        page = older[: min(int(limit), 100)]
        models = [payloads.history_model(each, account.user_id) for each in page]
        more = {"hasMore": int(len(older) > len(page))}
        after = {"nextCursor": page[-1].sent_at} if page else {}
        return Answer(200, {**more, **after, "userMessageModels": models})

    def conversations(self, account: SimAccount, body: Json) -> Answer:
        """List chats, the last changed first."""
        cursor, limit = int(body[0]), min(int(body[1]), 100)
        mine = self.world.chats_of.get(account.user_id, [])
        # Nobody sees a chat before the first word.
        older = [chat for chat in mine if chat.messages and chat.changed_at < cursor]
        older.sort(key=lambda chat: chat.changed_at, reverse=True)
        edge = older[:limit][-1].changed_at if older else 0
        page = [chat for chat in older if chat.changed_at >= edge]
        models = [payloads.conversation(chat, account.user_id) for chat in page]
        after = {"nextCursor": page[-1].changed_at} if page else {}
        more = {"hasMore": int(len(older) > len(page))}
        return Answer(200, {**more, **after, "userConvs": models})

    def newest(self, account: SimAccount, body: Json) -> Answer:
        """List chats the old way: `[0, limit]`."""
        return self.conversations(account, [2**53, body[1]])

    def some_conversations(self, account: SimAccount, body: Json) -> Answer:
        """List the chats that are asked for."""
        chats = [self._chat(account, address) for address in body[0]]
        return Answer(200, [payloads.conversation(chat, account.user_id) for chat in chats])

    def create(self, account: SimAccount, body: Json) -> Answer:
        """Find or open the chat of a pair about an item."""
        wanted = body[0]
        item = self.world.items[ItemId(str(wanted["extension"]["itemId"]))]
        pair = {UserId(bare(wanted["pairFirst"])), UserId(bare(wanted["pairSecond"]))}
        (peer,) = pair - {account.user_id}
        (buyer,) = pair - {item.seller}
        if peer not in self.world.users:
            return BAD
        chat = self.world.open_chat(item, self.world.users[buyer])
        told = payloads.conversation(chat, account.user_id)["singleChatUserConversation"]
        return Answer(200, {"cid": chat.address, **told})

    def read(self, account: SimAccount, body: Json) -> Answer:
        """Mark messages as read, and what came before them in their chats."""
        wanted = set(body[0])
        for chat in self.world.chats_of.get(account.user_id, []):
            known = [n for n, each in enumerate(chat.messages) if each.id in wanted]
            for each in list(chat.messages)[: max(known, default=-1) + 1]:
                each.read = each.read or each.sender.id != account.user_id
        return Answer(200, {})

    def clear_red_point(self, account: SimAccount, body: Json) -> Answer:
        """Forget the unread count of chats."""
        for wanted in body[0]:
            for each in self._chat(account, wanted["cid"]).messages:
                each.read = each.read or each.sender.id != account.user_id
        return Answer(200, {})

    def recall(self, account: SimAccount, body: Json) -> Answer:
        """Take an own message back."""
        for said in account.uuids.values():
            if said.id == body[0]:
                said.recalled = True
                return Answer(200, {})
        return BAD

    def state(self, account: SimAccount, body: Json) -> Answer:
        """Tell where the stream of pushes stands."""
        now = self.world.now_ms()
        told = {"pipeline": "sync", "tooLong2Tag": "PNM,1", "channel": "sync", "topic": "sync"}
        state = {**told, "highPts": 0, "pts": now * 1000, "seq": 0, "timestamp": now}
        self.desks.of(account).state = state
        return Answer(200, state)

    def diff_done(self, account: SimAccount, body: Json) -> Answer:
        """Take note that the client caught up."""
        if not self.desks.of(account).caught_up(body):
            return BAD
        return Answer(
            200, {"syncExtensionModel": {"fingerprint": -898528959}, "syncExtraType": {"type": 3}}
        )


def _spoken(content: Json) -> tuple[int, Mapping[str, Any]]:
    """Read what is to be said: the wrapper 101 around base64 of the content (§3.1)."""
    if content["contentType"] != 101:
        raise ValueError("not wrapped")
    custom = content["custom"]
    try:
        inner = msgspec.json.decode(base64.b64decode(custom["data"], validate=True))
    except (binascii.Error, msgspec.DecodeError) as exc:
        raise ValueError("unreadable content") from exc
    if inner["contentType"] == 1 and not isinstance(inner["text"]["text"], str):
        raise ValueError("no words")
    return int(inner["contentType"]), inner


_METHODS: Final[Mapping[str, _Method]] = {
    SEND: Answers.send,
    HISTORY: Answers.history,
    "/r/MessageManager/recallMessage": Answers.recall,
    CONVERSATIONS: Answers.conversations,
    "/r/Conversation/listNewest": Answers.newest,
    "/r/Conversation/getByCids": Answers.some_conversations,
    "/r/Conversation/clearRedPoint": Answers.clear_red_point,
    "/r/SingleChatConversation/create": Answers.create,
    "/r/MessageStatus/read": Answers.read,
    STATE: Answers.state,
    "/r/SyncStatus/ackDiff": Answers.diff_done,
}
