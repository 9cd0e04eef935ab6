"""LWP frames: the text of one websocket message in, `Frame` out, and back.

protocol.md §1.5: a *push* carries `lwp`; an *answer* carries `code` and the `mid` of the
request.  Each push is acknowledged once; an answer never is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from xybot.errors import WireError
from xybot.wire import jsontext
from xybot.wire.fields import number_at, text_at

OK = 200


@attrs.frozen(kw_only=True)
class Frame:
    """One LWP frame: a request or push (`lwp` set), or an answer (`code` set)."""

    lwp: str | None = None
    code: int | None = None
    headers: Mapping[str, Any] = attrs.Factory(dict)
    body: Any = None

    @property
    def mid(self) -> str | None:
        """What ties an answer to its request: the `mid` up to its blank (§1)."""
        mid = text_at(self.headers, "mid")
        return None if mid is None else mid.partition(" ")[0]


def encode(frame: Frame) -> str:
    """Render a frame as the text of one websocket message."""
    fields = {"lwp": frame.lwp, "code": frame.code, "headers": frame.headers, "body": frame.body}
    return jsontext.dumps({name: value for name, value in fields.items() if value is not None})


def decode(text: str | bytes) -> Frame:
    """Read the text of one websocket message.

    Raises:
      WireError: the text is no JSON object, or is neither push nor answer.
    """
    fields = jsontext.loads(text)
    if not isinstance(fields, dict):
        raise WireError(f"not an LWP frame: {text[:80]!r}")
    lwp, headers = fields.get("lwp"), fields.get("headers")
    frame = Frame(
        lwp=lwp if isinstance(lwp, str) else None,
        code=number_at(fields, "code"),
        headers=headers if isinstance(headers, dict) else {},
        body=fields.get("body"),
    )
    if frame.lwp is None and frame.code is None:
        raise WireError(f"neither push nor answer: {text[:80]!r}")
    return frame


def acknowledgement(push: Frame) -> Frame:
    """Build the answer that tells the platform a push arrived.

    What to echo is disputed (§1.5); the common core is: the headers that it carried.
    A header that is no text or number is left out: it might not survive being written.
    """
    plain = (str, int, float)
    headers = {name: value for name, value in push.headers.items() if isinstance(value, plain)}
    return Frame(code=OK, headers=headers)
