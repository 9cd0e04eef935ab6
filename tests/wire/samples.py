"""Made-up traffic in every shape that protocol.md documents; no id here belongs to anybody.

`EVERY_KIND` has one payload of each shape under a name, with the kind it is read as.  A new
kind of push brings its sample here.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import attrs
import msgspec

from xybot.model import UserId
from xybot.wire import frames, payload, reading
from xybot.wire.payload import Entry
from xybot.wire.pushes import Push

ME = UserId("990001")
BUYER = "880002"
CHAT = "70000000001"
OTHER_CHAT = "70000000002"
ORDER = "4400000000000000011"
ITEM = "600000000001"
PNM = "1230000000001.PNM"
HEX = "0123456789abcdef0123456789abcdef"
NOW = 1_800_000_000_000

Payload = dict[Any, Any]

TEXT = {"atUsers": [], "contentType": 1, "text": {"text": "还在吗"}}
PICTURE = {"height": 20, "type": 0, "url": "https://example.test/a.jpg", "width": 10}
IMAGE = {"atUsers": [], "contentType": 2, "image": {"pics": [PICTURE, PICTURE]}}
VOICE = {"contentType": 3, "audio": {"duration": 2, "url": "https://example.test/a.amr"}}
EXPRESSION = {"contentType": 3, "expression": {"name": "笑", "iconUrl": "https://example.test/e"}}
VIDEO = {"contentType": 4, "video": {"duration": 1, "url": "https://example.test/a.mp4"}}
EMOJI_PACK = {"contentType": 5, "expression": {"name": "笑", "iconUrl": "https://example.test/e"}}
ITEM_CARD = {"contentType": 7, "itemCard": {"item": {"itemId": ITEM, "title": "旧书"}}}
TIP = {"contentType": 14, "tip": {"tip": "未付款，买家关闭了订单"}}
TEXT_CARD = {
    "contentType": 6,
    "textCard": {
        "title": '<strong><font color="#000">物流已签收</font></strong>',
        "content": f'<a href="fleamarket://order_detail?id={ORDER}&role=Buyer">查看</a>',
    },
}


def trade_card(url: str = "", button: str = "", title: str = "我已付款，等待你发货") -> Payload:
    ex = {"title": title, "desc": "请发货", "button": {"text": "去看", "targetUrl": button}}
    main = {"exContent": ex, "targetUrl": url}
    return {"contentType": 26, "dxCard": {"item": {"main": main}}}


def order_url(order: str = ORDER, role: str = "seller") -> str:
    return f"fleamarket://order_detail?id={order}&role={role}"


def dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def by_person(sender: str = BUYER, **changes: object) -> Payload:
    """The map `10` of what a person typed."""
    return {
        "_platform": "ios",
        "bizTag": dumps({"sourceId": "S:1", "messageId": HEX}),
        "extJson": dumps({"quickReply": "1", "messageId": HEX, "tag": "u"}),
        "reminderContent": "还在吗",
        "reminderTitle": "路人甲",
        "reminderUrl": f"fleamarket://message_chat?itemId={ITEM}&peerUserId={sender}&sid={CHAT}",
        "senderUserId": sender,
        "senderUserType": "0",
        "sessionType": "1",
    } | changes


def by_platform(
    number: int, *, key: str | None = None, task: str = "付款完成待发货_卖家", **changes: object
) -> Payload:
    """The map `10` of a card or a tip."""
    return {
        "bizTag": dumps({"sourceId": "C2C:task", "taskName": task, "taskId": "task"}),
        "extJson": dumps({"msgArg1": "MsgCard", "contentType": str(number), "updateKey": key}),
        "redReminder": "等待卖家发货",
        "reminderContent": "[我已付款，等待你发货]",
        "reminderTitle": "买家已付款",
        "reminderUrl": f"fleamarket://message_chat?itemId={ITEM}&peerUserId={BUYER}&sid={CHAT}",
        "senderUserId": BUYER,
        "sessionType": "1",
    } | changes


def message(
    content: Payload | None = None,
    extension: Payload | None = None,
    *,
    summary: str = "还在吗",
    sender: str = BUYER,
    number: int | str | None = None,
) -> Payload:
    """A message as it is pushed (§2.3), its keys numbers as on the wire."""
    content = TEXT if content is None else content
    number = content.get("contentType") if number is None else number
    inner = {1: "", 2: summary, 3: "", 4: number, 5: dumps(content)}
    said = {
        1: {1: f"{sender}@goofish"},
        2: f"{CHAT}@goofish",
        3: PNM,
        4: 0,
        5: NOW,
        6: {1: 101, 3: inner},
        7: 2,
        8: 1,
        9: 0,
        10: by_person(sender) if extension is None else extension,
        12: 1,
    }
    return {1: said, 3: {"needPush": "true"}}


def card(content: Payload, extension: Payload | None = None) -> Payload:
    number = content["contentType"]
    return message(content, extension or by_platform(number), summary="[我已付款，等待你发货]")


def model(said: Payload, **changes: object) -> Payload:
    """A model of the history (§3.2)."""
    data = base64.b64encode(dumps(said).encode()).decode()
    return {
        "readStatus": 2,
        "userExtension": {"needPush": "true"},
        "message": {
            "extension": by_person(),
            "messageId": PNM,
            "createAt": NOW,
            "content": {
                "contentType": 101,
                "custom": {"type": said["contentType"], "summary": "还在吗", "data": data},
            },
            "sender": {"uid": f"{BUYER}@goofish", "tag": 0},
            "receiverCount": 2,
            "cid": f"{CHAT}@goofish",
        }
        | changes,
    }


def arouse(**content: object) -> Payload:
    """An item of bizType 370 (§2.5)."""
    extensions = {"itemId": ITEM, "itemSellerId": str(ME), "extUserId": BUYER}
    said = content or {"contentType": 8, "sessionArouse": {"sessionArouseInfo": {}}}
    session = {"extensions": extensions, "sessionId": CHAT, "sessionType": 1}
    operation = {"content": said, "sessionInfo": session}
    return {"chatType": 1, "operation": operation, "sessionId": CHAT}


CID = f"{CHAT}@goofish"
BODILESS = {1: {2: CID, 10: {"reminderContent": "在吗", "senderUserId": BUYER}}}

#: name -> objectType, payload, kind
EVERY_KIND: dict[str, tuple[int, Payload, str]] = {
    "text": (40000, message(), "text"),
    "text without a body": (40000, BODILESS, "text"),
    "image": (40000, message(IMAGE, summary="[图片]"), "image"),
    "voice": (40000, message(VOICE, summary="[语音]"), "voice"),
    "video": (40000, message(VIDEO, summary="[视频]"), "video"),
    "expression": (40000, message(EXPRESSION), "expression"),
    "emoji pack": (40000, message(EMOJI_PACK), "expression"),
    "own": (40000, message(sender=ME), "own"),
    "text card": (40000, card(TEXT_CARD), "card"),
    "item card": (40000, card(ITEM_CARD), "card"),
    "platform card": (40000, card(trade_card() | {"contentType": 25}), "card"),
    "trade card": (40000, card(trade_card(order_url())), "card"),
    "workbench card": (40000, card(trade_card() | {"contentType": 28}), "card"),
    "dynamic card": (
        40000,
        card({"contentType": 32, "dynamicOperation": {"changeContent": trade_card(order_url())}}),
        "card",
    ),
    "tip": (40000, card(TIP, by_platform(14)), "tip"),
    "location": (40000, card({"contentType": 30}, by_platform(30)), "other"),
    "typing": (40006, {1: [{1: CID, 2: 1, 3: 1, 4: f"{ME}@goofish"}]}, "typing"),
    "receipt": (40103, {1: PNM, 2: 2, 3: 0, 4: CID, 5: 1, 6: NOW}, "read_receipt"),
    "receipts": (40102, {1: [PNM, PNM], 2: 2, 3: CID, 4: 1, 5: NOW}, "read_receipt"),
    "card update": (40105, {1: PNM, 2: CID, 3: 1, 4: by_platform(26)}, "message_update"),
    "red reminder": (
        40005,
        {1: CID, 2: 1, 3: {"redReminder": "交易成功", "redReminderStyle": "10"}, 4: NOW},
        "conversation_update",
    ),
    "pointer": (0, {1: CID, 2: 1, 3: PNM, 4: NOW}, "message_pointer"),
    "arouse": (370000, arouse(), "arouse"),
    "text in an arouse": (370000, arouse(contentType=1, text={"text": "在吗"}), "text"),
}
#: Documented by number only: nobody recorded a payload (§2.2).
BY_NUMBER_ALONE = {
    40001: "conversation_update",
    40002: "conversation_update",
    40003: "conversation_update",
    40004: "conversation_update",
    40010: "conversation_update",
    40101: "message_update",
    40104: "recall",
    40106: "conversation_update",
    40108: "message_update",
    40201: "other",
}


def packed(value: object) -> str:
    return base64.b64encode(msgspec.msgpack.encode(value)).decode()


def item(value: object, object_type: int | None = None) -> Payload:
    """An element of `data`, encoded as the platform encodes it."""
    found = {"bizType": 40, "streamId": "40", "data": packed(value)}
    return found if object_type is None else found | {"objectType": object_type}


def push(*items: object, lwp: str = "/s/sync") -> str:
    """The text of a push frame with these items."""
    package = {"maxHighPts": 0, "data": list(items), "hasMore": 0, "timestamp": NOW}
    return json.dumps({"lwp": lwp, "headers": {"mid": "1 0"}, "body": {"syncPushPackage": package}})


def entries(*items: object) -> tuple[Entry, ...]:
    return payload.entries(frames.decode(push(*items)))


def read(value: object, object_type: int | None = None, self_id: UserId | None = ME) -> Push:
    """Send a payload over the whole way: frame text, frame, entry, push."""
    (entry,) = entries(item(value, object_type))
    return reading.read(entry, self_id)


def with_said(value: Payload, **changes: object) -> Payload:
    """Change fields of the message map; `_10` is its field 10, None takes a field away."""
    said = value[1] | {int(name.strip("_")): change for name, change in changes.items()}
    return value | {1: {key: each for key, each in said.items() if each is not None}}


def facts(found: Push) -> dict[str, Any]:
    return attrs.asdict(found.facts, recurse=False)
