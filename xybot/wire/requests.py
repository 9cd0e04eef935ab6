"""What we ask of the platform over the websocket (protocol.md §1.2, §1.4, §3)."""

from __future__ import annotations

import base64
from typing import Any, Final

import attrs

from xybot.model import ChatId, Deliverable, Image, ItemId, Text, UserId
from xybot.wire import jsontext
from xybot.wire.fields import ADDRESS

IM_APP_KEY: Final = "444e9908a51d1cb236a27862abc769c9"
BROWSER: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/133.0.0.0 Safari/537.36"
)
_UA: Final = (
    f"{BROWSER} DingTalk(2.1.5) OS(Windows/10) Browser(Chrome/133.0.0.0) DingWeb/2.1.5 "
    "IMPaaS DingWeb/2.1.5"
)

REGISTER: Final = "/reg"
HEARTBEAT: Final = "/!"
SEND: Final = "/r/MessageSend/sendByReceiverScope"
HISTORY: Final = "/r/MessageManager/listUserMessages"
CONVERSATIONS: Final = "/r/Conversation/listNewestPagination"
OPEN_CHAT: Final = "/r/SingleChatConversation/create"
SYNC_STATE: Final = "/r/SyncStatus/getState"
DIFF_DONE: Final = "/r/SyncStatus/ackDiff"

NEWEST: Final = 9007199254740991
"""The cursor that means: from the newest on."""


@attrs.frozen
class Request:
    """A request without its `mid`, which the connection adds."""

    lwp: str
    body: Any = None
    headers: dict[str, str] = attrs.Factory(dict)


def register(token: str, device: str) -> Request:
    """Ask to be let in, with the IM token and the device id it is bound to."""
    headers = {
        "cache-header": "app-key token ua wv",
        "app-key": IM_APP_KEY,
        "token": token,
        "ua": _UA,
        "dt": "j",
        "wv": "im:3,au:3,sy:6",
        "sync": "0,0;0;0;",
        "did": device,
    }
    return Request(REGISTER, headers=headers)


def heartbeat() -> Request:
    """Ask for a sign of life."""
    return Request(HEARTBEAT)


def send(uuid: str, chat: ChatId, to: UserId, self_id: UserId, content: Deliverable) -> Request:
    """Say something in a chat; `uuid` is the same on every attempt (§3.1)."""
    number, inner = _content(content)
    data = base64.b64encode(jsontext.dumps(inner).encode()).decode()
    message = {
        "uuid": uuid,
        "cid": f"{chat}{ADDRESS}",
        "conversationType": 1,
        "content": {"contentType": 101, "custom": {"type": number, "data": data}},
        "redPointPolicy": 0,
        "extension": {"extJson": "{}"},
        "ctx": {"appVersion": "1.0", "platform": "web"},
        "mtags": {},
        "msgReadStatusSetting": 1,
    }
    receivers = [f"{to}{ADDRESS}", f"{self_id}{ADDRESS}"]
    return Request(SEND, [message, {"actualReceivers": receivers}])


def _content(content: Deliverable) -> tuple[int, dict[str, Any]]:
    match content:
        case Text(text):
            return 1, {"contentType": 1, "text": {"text": text}}
        case Image(url, width, height):
            picture = {"type": 0, "url": url, "width": width, "height": height}
            return 2, {"contentType": 2, "image": {"pics": [picture]}}


def open_chat(peer: UserId, self_id: UserId, item: ItemId) -> Request:
    """Ask for the chat with somebody about an item, which is made if there is none (§3)."""
    wanted = {
        "pairFirst": f"{peer}{ADDRESS}",
        "pairSecond": f"{self_id}{ADDRESS}",
        "bizType": "1",
        "extension": {"itemId": item},
        "ctx": {"appVersion": "1.0", "platform": "web"},
    }
    return Request(OPEN_CHAT, [wanted])


def history(chat: ChatId, cursor: int = NEWEST, limit: int = 20) -> Request:
    """List the messages of a chat, newest first, older than `cursor` (ms)."""
    return Request(HISTORY, [f"{chat}{ADDRESS}", False, cursor, limit, False])


def conversations(cursor: int = NEWEST, limit: int = 50) -> Request:
    """List the conversations, the last changed first."""
    return Request(CONVERSATIONS, [cursor, limit])


def sync_state() -> Request:
    """Ask where the stream of pushes stands."""
    return Request(SYNC_STATE, [{"topic": "sync"}])


def diff_done(state: Any) -> Request:
    """Say that we have all up to `state`, the body of the answer to `sync_state` as it came."""
    return Request(DIFF_DONE, [state])
