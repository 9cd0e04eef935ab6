"""From what the world knows to what the wire carries: entries, frames, history models.

Assumptions about the platform:

* every shape here is one that was recorded: messages captures 02, 07, 15, 17, 31, 34, 64;
  receipts 03 and 25; typing 06; red reminder 18; pointer 19; card update 29; arouse 08, 09;
  history 57; conversation list 70 and protocol.md §3.2;
* a red reminder has objectType 40005, a pointer 40000 (both inferred, protocol.md §2.2);
* a recall is `{1: message, 2: chat, 3: ms}` under 40104 (unknown: never recorded), and fills
  `code` and `operatorUid` of `recallFeature` in the history, which are empty texts in capture
  51 (§3.2: "where a recall would show"); what was said stays there (unknown).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
import msgspec

from xybot.model import UserId
from xybot.simulator.world import SimChat, SimMessage

APP_KEY: Final = "444e9908a51d1cb236a27862abc769c9"
USER_AGENT: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/133.0.0.0 Safari/537.36 DingTalk(2.1.5) OS(Windows/10) Browser(Chrome/133.0.0.0) "
    "DingWeb/2.1.5 IMPaaS DingWeb/2.1.5"
)
SYNC, PARA, VULCAN = "/s/sync", "/s/para", "/s/vulcan"
FAILOVER: Final = "/s/sync_failover"


@attrs.frozen
class Entry:
    """One element of `syncPushPackage.data`, and what it is about."""

    item: Mapping[str, Any]
    at: int
    """Milliseconds since 1970."""
    about: str
    """The message, or else the chat, that it tells of."""


def text_of(value: object) -> str:
    """Render compact JSON."""
    return msgspec.json.encode(value).decode()


def base64_of(raw: bytes) -> str:
    """Render bytes as base64 text."""
    return base64.b64encode(raw).decode()


def packed(payload: object, object_type: int, at: int, about: str) -> Entry:
    """Make an entry of a payload with integer keys."""
    data = base64_of(msgspec.msgpack.encode(payload))
    item = {"bizType": 40, "data": data, "streamId": "40", "objectType": object_type}
    return Entry(item, at, about)


def message(said: SimMessage, to: UserId) -> Entry:
    """Tell one side of a chat of a new message (40000)."""
    body = {
        1: {1: f"{said.sender.id}@goofish"},
        2: said.chat.address,
        3: said.id,
        4: 0,
        5: said.sent_at,
        6: {1: 101, 3: {1: "", 2: said.summary, 3: "", 4: said.kind, 5: text_of(said.content)}},
        7: 2 if said.by_person else 1,
        8: 1,
        9: 0,
        10: extension(said),
        12: 1,
    }
    return packed({1: body, 3: {"needPush": _need_push(said, to)}}, 40000, said.sent_at, said.id)


def _need_push(said: SimMessage, to: UserId) -> str:
    return "false" if said.sender.id == to else "true"


def extension(said: SimMessage) -> dict[str, str]:
    """Return the extension of a message: map 10 of a push, `extension` in the history."""
    item, chat = said.chat.item.id, said.chat.id
    link = (
        f"fleamarket://message_chat?itemId={item}&peerUserId={said.sender.id}&sid={chat}"
        f"&messageId={said.hex_id}&adv=no"
    )
    own = _persons(said) if said.by_person else _platforms(said)
    return {
        **own,
        "detailNotice": said.summary,
        "reminderContent": said.summary,
        "reminderUrl": link,
        "senderUserId": said.sender.id,
        "senderUserType": "0",
        "sessionType": "1",
        **said.extension,
    }


def _persons(said: SimMessage) -> dict[str, str]:
    device = {} if said.platform == "web" else {"utdid": "X" * 24, "umidToken": "X" * 32}
    ext = {"quickReply": "1", **device, "messageId": said.hex_id, "tag": "u"}
    marks = {
        "_platform": said.platform or "web",
        "bizTag": text_of({"sourceId": "S:1", "messageId": said.hex_id}),
        "extJson": text_of(ext),
        "reminderNotice": "发来一条新消息",
        "reminderTitle": said.sender.nick,
    }
    if said.platform == "web":
        return marks
    phone = {"clientIp": "111.11.11.111", "port": "59927", "umid": "X" * 33}
    return {**marks, **phone, **device}


def _platforms(said: SimMessage) -> dict[str, str]:
    task = said.hex_id[:12]
    tag = {"sourceId": f"C2C:{task}", "taskName": said.task, "materialId": task, "taskId": task}
    ext = {
        "msgArgs": {"task_id": task, "source": "im", "msg_id": said.hex_id},
        "quickReply": "1",
        "msgArg1": "MsgTips" if said.kind == 14 else "MsgCard",
        "messageId": said.hex_id,
        "contentType": str(said.kind),
        **said.ext_json,
    }
    return {
        "bizTag": text_of(tag),
        "closePushReceiver": "false",
        "closeUnreadNumber": "false",
        "extJson": text_of(ext),
        "receiver": said.chat.peer(said.sender.id).id,
        "reminderNotice": said.summary.strip("[]"),
        "reminderTitle": "交易消息",
        "updateHead": "true",
    }


def card_update(card: SimMessage, caption: str, at: int) -> Entry:
    """Edit a card in place (40105); its red reminder stays as it was (capture 29)."""
    changed = {**extension(card), "reminderContent": caption, "detailNotice": caption}
    body = {1: card.id, 2: card.chat.address, 3: 1, 4: changed, 5: at}
    return packed(body, 40105, at, card.id)


def red_reminder(chat: SimChat, at: int) -> Entry:
    """Tell of the red line in the list of chats (40005)."""
    words, style = chat.red_reminder or ("", "0")
    reminder = {"redReminder": words, "redReminderStyle": style}
    return packed({1: chat.address, 2: 1, 3: reminder, 4: at}, 40005, at, chat.id)


def typing(chat: SimChat, to: UserId, *, started: bool) -> Entry:
    """Tell that the other side began or ceased to type; field 4 is the receiver itself."""
    body = {1: [{1: chat.address, 2: 1, 3: int(started), 4: f"{to}@goofish"}]}
    entry = packed(body, 40006, 0, chat.id)
    return attrs.evolve(entry, item={**entry.item, "syncId": ""})


def receipt(said: SimMessage, at: int) -> Entry:
    """Tell that one message of ours was read (40103)."""
    body = {1: said.id, 2: 2, 3: 0, 4: said.chat.address, 5: 1, 6: at}
    return packed(body, 40103, at, said.id)


def receipts(said: Sequence[SimMessage], at: int) -> Entry:
    """Tell that several messages of one chat were read (40102)."""
    body = {1: [each.id for each in said], 2: 2, 3: said[0].chat.address, 4: 1, 5: at}
    return packed(body, 40102, at, said[0].id)


def pointer(said: SimMessage) -> Entry:
    """Tell of a new message without its body."""
    body = {1: said.chat.address, 2: 1, 3: said.id, 4: said.sent_at}
    return packed(body, 40000, said.sent_at, said.id)


def recall(said: SimMessage, at: int) -> Entry:
    """Tell that a message was taken back (40104)."""
    return packed({1: said.id, 2: said.chat.address, 3: at}, 40104, at, said.id)


def damaged(chat: SimChat | None, at: int) -> Entry:
    """Make an entry that nobody can read: MessagePack that was cut off (captures 20-22)."""
    raw = msgspec.msgpack.encode({1: {1: {1: "1@goofish"}, 2: "2@goofish", 3: "3.PNM"}})[:-4]
    item = {"bizType": 40, "data": base64_of(raw), "streamId": "40", "objectType": 40000}
    return Entry(item, at, chat.id if chat else "")


def arouse(chat: SimChat, to: UserId, at: int) -> Entry:
    """Suggest a phrase for a chat (370000): base64 of JSON, not of MessagePack."""
    words = f"{chat.item.title}还在吗"
    args = {"topic_title": "shading_chat", "session_id": int(chat.id), "content": words}
    script = {
        "chatScrip": words,
        "chatScripStrategy": "shading_chat",
        "argInfo": {"args": args, "arg1": "ChatTopic"},
    }
    inner = {"residentFunctions": [], "arouseTimeStamp": at, "arouseChatScriptInfo": [script]}
    aroused = {"memberFlags": 0, "needKeyBoard": True, "sessionArouseInfo": inner}
    session = {
        "createTime": chat.created_at,
        "extensions": chat_extension(chat),
        "groupOwnerId": chat.seller.id,
        "sessionId": chat.id,
        "sessionType": 1,
        "type": 1,
    }
    operation = {
        "content": {"contentType": 8, "sessionArouse": aroused},
        "receiverIds": [to],
        "sessionInfo": session,
    }
    payload = {"chatType": 1, "incrementType": 1, "operation": operation, "sessionId": chat.id}
    item = {
        "bizType": 370,
        "data": base64_of(msgspec.json.encode(payload)),
        "streamId": "370",
        "objectType": 370000,
    }
    return Entry(item, at, chat.id)


def chat_extension(chat: SimChat) -> dict[str, str]:
    """Return what a conversation says of its item and its people."""
    return {
        "extUserType": "0",
        "itemTitle": chat.item.title,
        "extUserId": chat.buyer.id,
        "source": "",
        "itemMainPic": f"https://img.alicdn.com/bao/uploaded/{chat.item.id}.jpg",
        "ownerUserType": "0",
        "itemId": chat.item.id,
        "itemSellerId": chat.item.seller,
        "ownerUserId": chat.seller.id,
        f"squadName_{chat.seller.id}": chat.item.title,
        f"squadId_{chat.seller.id}": chat.item.id,
    }


def frame(
    lwp: str,
    headers: Mapping[str, str],
    entries: Sequence[Entry],
    now: int,
    too_long: int | None = None,
) -> str:
    """Render a push; typing has no place in the stream, so its counters are 0 (capture 06).

    `too_long` is a `syncExtraType` other than the usual: 3 after `/reg`, else none.
    """
    kept = lwp != PARA
    newest = max((entry.at for entry in entries), default=0)
    package = {
        "maxHighPts": 0,
        "startSeq": int(kept),
        "endSeq": len(entries) if kept else 0,
        "data": [entry.item for entry in entries],
        "maxPts": newest * 1000 if kept else 0,
        "hasMore": 0,
        "timestamp": now if kept else 0,
    }
    if kept:
        package["minCreateTime"] = min((entry.at for entry in entries), default=now)
    body: dict[str, Any] = {"syncPushPackage": package, "syncExtensionModel": {}}
    if kept:
        body["syncExtensionModel"] = {
            "reconnectType": int(lwp == VULCAN),
            "failover": 0,
            "fingerprint": -915538802,
        }
    if too_long is not None or lwp == VULCAN:
        body["syncExtraType"] = {"type": too_long or 3}
    return text_of({"headers": headers, "lwp": lwp, "body": body})


def push_headers(mid: str, sid: str) -> dict[str, str]:
    """Return the headers of a push."""
    return {"app-key": APP_KEY, "mid": mid, "ua": USER_AGENT, "sid": sid}


def history_model(said: SimMessage, to: UserId) -> dict[str, Any]:
    """Render a message as `listUserMessages` does."""
    recalled = {"code": "1", "operatorUid": f"{said.sender.id}@goofish"} if said.recalled else {}
    custom = {
        "summary": said.summary,
        "data": base64_of(msgspec.json.encode(said.content)),
        "type": said.kind,
    }
    body = {
        "extension": extension(said),
        "messageId": said.id,
        "unreadCount": 0 if said.read else 1,
        "msgReadStatusSetting": 1,
        "createAt": said.sent_at,
        "content": {"custom": custom, "contentType": 101},
        "displayStyle": 0,
        "redPointPolicy": 0,
        "sender": {"uid": f"{said.sender.id}@goofish", "tag": 0},
        "receiverCount": 2 if said.by_person else 1,
        "cid": said.chat.address,
    }
    return {
        "readStatus": 2 if said.read else 1,
        "userExtension": {"needPush": _need_push(said, to)},
        "recallFeature": {"showRecallStatusSetting": 1, "operatorType": 0, **recalled},
        "message": body,
        "msgStatus": 1,
    }


def conversation(chat: SimChat, to: UserId) -> dict[str, Any]:
    """Render a chat as `listNewestPagination` does."""
    words, style = chat.red_reminder or ("", "0")
    reminder = {"redReminder": words, "redReminderStyle": style} if words else {}
    chat_facts = {
        "cid": chat.address,
        "pairFirst": f"{chat.seller.id}@goofish",
        "pairSecond": f"{chat.buyer.id}@goofish",
        "bizType": "1",
        "createAt": chat.created_at,
        "extension": chat_extension(chat),
    }
    user_chat = {
        "visible": 1,
        "modifyTime": chat.changed_at,
        "joinTime": chat.created_at,
        "redPoint": chat.unread(to),
        "topRank": 0,
        "muteNotification": 0,
        "userExtension": reminder,
        "singleChatConversation": chat_facts,
        "msgReadStatusSetting": 1,
    }
    if chat.messages:
        user_chat["lastMessage"] = history_model(chat.messages[-1], to)
    return {"type": 1, "singleChatUserConversation": user_chat}
