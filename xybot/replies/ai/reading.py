"""What a model streams, as text; a reader without I/O.

The form is that of OpenAI's chat completions: events `data: {…}` that each carry a piece of
the text, a `finish_reason` in the last of them, then `data: [DONE]`.  A server that does not
stream answers with one JSON object instead, which is read too.
"""

from __future__ import annotations

import re
from typing import Final

import attrs
import msgspec

from xybot.errors import ReplyError

LONGEST: Final = 2_000
"""Characters of an answer; a longer one is no answer to a buyer."""
MOST_BYTES: Final = 1024 * 1024
"""What is read at most: models that think aloud write a lot around a short text."""

_DONE: Final = b"[DONE]"
_TOOL_CALL: Final = "模型想调用工具，而不是回答 (a tool call instead of an answer)"
_UNFINISHED: Final = {
    "length": "回答没有说完 (the answer is cut off)",
    "content_filter": "模型自己的审核拦下了回答 (stopped by the content filter of the model)",
    "tool_calls": _TOOL_CALL,
    "function_call": _TOOL_CALL,
}
#: Some servers leave in the text what the model thought; that is for nobody's eyes.
_THOUGHTS: Final = re.compile(r"\A\s*<think>(?:.*?</think>|.*)", re.DOTALL)


class _Words(msgspec.Struct):
    content: str | None = None
    tool_calls: list[msgspec.Raw] | None = None
    function_call: dict[str, msgspec.Raw] | None = None


class _Choice(msgspec.Struct):
    delta: _Words | None = None
    message: _Words | None = None
    finish_reason: str | None = None


class _Error(msgspec.Struct):
    """Whatever it says is not repeated: servers quote keys."""


class Usage(msgspec.Struct):
    """What an answer cost, as the service counts."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Piece(msgspec.Struct):
    choices: list[_Choice] = []
    usage: Usage | None = None
    error: _Error | str | None = None


@attrs.define
class Reader:
    """Reads one answer; feed it, then ask for its `text`."""

    usage: Usage = attrs.field(factory=Usage, init=False)
    """What was told of it until now."""
    _rest: bytes = attrs.field(default=b"", init=False)
    _plain: bytearray = attrs.field(factory=bytearray, init=False)
    """The lines that are no events: JSON, if none are."""
    _bytes: int = attrs.field(default=0, init=False)
    _words: list[str] = attrs.field(factory=list, init=False)
    _done: bool = attrs.field(default=False, init=False)
    _streamed: bool = attrs.field(default=False, init=False)
    _wrong: str = attrs.field(default="", init=False)

    def feed(self, piece: bytes) -> bool:
        """Take a piece of the answer; False when nothing more is wanted."""
        self._bytes += len(piece)
        if self._bytes > MOST_BYTES:
            self._complain(f"回答太长，超过 {MOST_BYTES} 字节 (too many bytes)")
        if self._wrong:
            return False
        *lines, self._rest = (self._rest + piece).split(b"\n")
        return all(self._line(line.strip()) for line in lines)

    def text(self) -> str:
        """Return the answer, without what the model thought aloud; "" when it said nothing.

        Raises:
          ReplyError: it is cut off, too long, no text at all, or not understood.
        """
        self._line(self._rest.strip())
        self._rest = b""
        if not self._streamed:
            self._piece(bytes(self._plain))
        if not self._done:
            self._complain("回答中途断开 (the answer broke off)")
        text = _THOUGHTS.sub("", "".join(self._words)).strip()
        if len(text) > LONGEST:
            self._complain(f"回答太长，超过 {LONGEST} 字 (more than {LONGEST} characters)")
        if self._wrong:
            raise ReplyError(self._wrong)
        return text

    def _line(self, line: bytes) -> bool:
        """Read a line; False when it is the last that is wanted."""
        if not line.startswith(b"data:"):
            self._plain += line
            return True
        self._streamed = True
        data = line.removeprefix(b"data:").strip()
        if data == _DONE:
            self._done = True
            return False
        self._piece(data)
        return not self._wrong

    def _piece(self, data: bytes) -> None:
        try:
            piece = msgspec.json.decode(data, type=_Piece)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            self._complain("看不懂模型的回答 (not the JSON of a chat completion)")
            return
        if piece.error is not None:
            self._complain("模型报告出错 (the model reports an error)")
        self.usage = piece.usage or self.usage
        for choice in piece.choices[:1]:
            self._choice(choice)

    def _choice(self, choice: _Choice) -> None:
        for words in filter(None, (choice.delta, choice.message)):
            if words.tool_calls or words.function_call:
                self._complain(_TOOL_CALL)
            if words.content:
                self._words.append(words.content)
        if choice.finish_reason in _UNFINISHED:
            self._complain(_UNFINISHED[choice.finish_reason])
        self._done = self._done or bool(choice.finish_reason or choice.message)

    def _complain(self, wrong: str) -> None:
        """Note what is wrong; the first that was noticed is told."""
        self._wrong = self._wrong or wrong
