"""The seller's own service as a source: the request of `POST /xianyu/reply`, turned around.

Sellers who come from xianyu-auto-reply have such a service already; so we send its eight
fields, all of them texts, and take `data.send_msg` of an answer whose `code` is 200.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

import attrs
import msgspec

from xybot.config import Webhook
from xybot.egress import Answer as HttpAnswer
from xybot.egress import Outside
from xybot.errors import ReplyError, TransientError
from xybot.model import Pass, Reply, Text, Turn
from xybot.replies.source import Answer, Means
from xybot.secret import Secret

_OK: Final = 200
_NOT_FOUND: Final = 404
_PROFILE: Final = "https://www.goofish.com/personal?userId="


@attrs.frozen(kw_only=True)
class WebhookReply:
    """Asks the seller's service, and says word for word what it answers."""

    setting: Webhook
    token: Secret | None
    outside: Outside
    zone: tzinfo | None = None
    """Of `msg_time`; None is the zone of this machine."""
    name: str = "webhook"

    async def answer(self, turn: Turn) -> Answer:
        """Answer as the service does; pass when it has nothing to say.

        Raises:
          ReplyError: it did not answer in time, or with what is no answer.
        """
        if not turn.text:
            return Pass("没有文字 (no words)")
        headers = {"Authorization": f"Bearer {self.token.reveal()}"} if self.token else {}
        try:
            answer = await self.outside.post_json(
                self.setting.url,
                fields(turn, self.zone),
                headers=headers,
                timeout=self.setting.timeout,
            )
        except TransientError as exc:
            raise ReplyError(str(exc)) from exc
        return self._read(answer)

    def _read(self, answer: HttpAnswer) -> Answer:
        if answer.status == _NOT_FOUND:  # The way in which such a service says: no rule of mine.
            return Pass("接口说没有合适的回复 (it has no reply: HTTP 404)")
        if answer.status != _OK:
            raise ReplyError(f"HTTP {answer.status}")
        text = _send_msg(answer.body)
        if not text.strip():
            return Pass("接口给了空的回复 (an empty reply)")
        return Reply(contents=(Text(text),), source=self.name, because="接口的回答 [webhook]")


def webhook(setting: Webhook, means: Means) -> WebhookReply:
    """Return the source that asks where the settings say.

    Raises:
      ConfigError: its token is not where they say; the text names the key.
    """
    token = setting.token.resolve() if setting.token else None
    return WebhookReply(setting=setting, token=token, outside=means.outside)


def fields(turn: Turn, zone: tzinfo | None) -> Mapping[str, str]:
    """Return the eight fields of a request; what `cookie_id` names is our account id."""
    sent_at = datetime.fromtimestamp(turn.last.sent_at / 1000, UTC).astimezone(zone)
    return {
        "cookie_id": turn.account,
        "msg_time": sent_at.strftime("%Y-%m-%d %H:%M:%S"),
        "user_url": f"{_PROFILE}{turn.last.sender}",
        "send_user_id": turn.last.sender,
        "send_user_name": turn.last.sender_name,
        "item_id": turn.item or "",
        "send_message": turn.text,
        "chat_id": turn.chat,
    }


def _send_msg(body: bytes) -> str:
    """Return what to say.

    Raises:
      ReplyError: the body is no answer, or its code is not 200.
    """
    try:
        said: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise ReplyError("接口的回答不是 JSON (its answer is not JSON)") from None
    match said:
        case {"code": 200, "data": {"send_msg": str(text)}}:
            return text
        case {"code": 200}:
            raise ReplyError("接口的回答里没有 data.send_msg (no data.send_msg in its answer)")
        case {"code": int(code)}:
            raise ReplyError(f"code {code}")
    raise ReplyError("接口的回答里没有 code (no code in its answer)")
