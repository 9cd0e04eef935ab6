"""A made-up language model behind the chat protocol of OpenAI: for tests, and for the demo.

It knows a few sentences of small talk and streams them word by word.  It can also be told to
misbehave in every way that real ones do.

Assumptions about real ones: they stream events `data: {…}` up to `data: [DONE]`, refuse with
an HTTP status and sometimes `Retry-After`, and end a broken stream without `[DONE]`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias, assert_never

import attrs
import msgspec
import trio
from hypercorn.config import Config
from hypercorn.trio import serve
from starlette.applications import Starlette
from starlette.routing import Route

Scope: TypeAlias = Any
"""ASGI's own words are dicts."""
Receive: TypeAlias = Callable[[], Any]
Send: TypeAlias = Callable[[Any], Any]


@attrs.frozen
class Talks:
    """Answers from a few sentences of small talk, and leaves the rest with a `-`."""


@attrs.frozen
class Says:
    """Says this, after so many seconds of silence."""

    text: str
    after: float = 0


@attrs.frozen
class Refuses:
    """Answers with an HTTP status other than 200, and quotes the key in the body."""

    status: int = 429
    retry_after: str = ""


@attrs.frozen
class Sends:
    """Sends these bytes instead of events."""

    body: bytes


@attrs.frozen
class CallsTool:
    """Wants a function to be called."""


@attrs.frozen
class Echoes:
    """Gives away all it was told, and does what the buyer says."""


@attrs.frozen
class BreaksOff:
    """Ends in the middle of a sentence."""

    text: str


@attrs.frozen
class Whole:
    """Does not stream: one JSON object."""

    text: str


Behaviour: TypeAlias = Talks | Says | Refuses | Sends | CallsTool | Echoes | BreaksOff | Whole

_SMALL_TALK: Final = (
    (("在吗", "在不在", "还在", "有货", "hello", "你好"), "在的，喜欢可以直接拍～"),
    (("成色", "划痕", "新旧", "几新"), "成色和图片上一样，正常使用痕迹，不影响用。"),
    (("发货", "快递", "自提"), "拍下后当天或者第二天发，快递随机哦。"),
    (("验货", "发票", "什么时候买", "为什么出"), "自己用的，闲置了才出，支持平台验货。"),
    (("便宜", "最低", "出不出", "可以吗", "少点"), "标价已经很实在了，东西您放心～"),
)
_DECLINES: Final = "-"


@attrs.frozen(kw_only=True)
class Question:
    """What the model was asked."""

    body: Mapping[str, Any]
    headers: Mapping[str, str]

    @property
    def told(self) -> str:
        """All words of all messages."""
        return "\n".join(_text(each["content"]) for each in self.body["messages"])

    @property
    def system(self) -> str:
        """What it was told by the seller's side."""
        messages = self.body["messages"]
        return "\n".join(m["content"] for m in messages if m["role"] == "system")

    @property
    def last(self) -> str:
        """The words that it is to answer."""
        return _text(self.body["messages"][-1]["content"])


def _text(content: Any) -> str:  # noqa: ANN401  # a text, or a list of parts
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content)


@attrs.define(eq=False)
class FakeModel:
    """Answers questions; `will` is how, from now on."""

    will: Behaviour = attrs.Factory(Talks)
    asked: list[Question] = attrs.field(factory=list, init=False)
    at_once: int = attrs.field(default=0, init=False)
    most_at_once: int = attrs.field(default=0, init=False)
    hung_up: trio.Event = attrs.field(factory=trio.Event, init=False)
    """Set when somebody left before the answer was complete."""
    heard: trio.Event = attrs.field(factory=trio.Event, init=False)
    """Set when it was asked something."""

    @property
    def app(self) -> Starlette:
        """The model as an ASGI application, at its usual place."""
        return Starlette(routes=[Route("/v1/chat/completions", self)])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one question."""
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        body = msgspec.json.decode(await _body(receive))
        question = Question(body=body, headers=headers)
        self.asked.append(question)
        self.heard.set()
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        answered = False
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_until_gone, receive, nursery.cancel_scope)
                await self._answer(question, send)
                answered = True
                nursery.cancel_scope.cancel()
        finally:
            self.at_once -= 1
            if not answered:
                self.hung_up.set()

    async def _answer(self, question: Question, send: Send) -> None:
        match self.will:
            case Talks():
                await _stream(send, _small_talk(question.last))
            case Says(text, after):
                await trio.sleep(after)
                await _stream(send, text)
            case Refuses(status, retry_after):
                key = question.headers.get("authorization", "")
                extra = [(b"retry-after", retry_after.encode())] if retry_after else []
                await _send(send, status, _error(f"bad request by {key}"), extra)
            case Sends(body):
                await _send(send, 200, body)
            case CallsTool():
                call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "sell"}}
                pieces = [_piece({"tool_calls": [call]}), _piece({}, "tool_calls")]
                await _send(send, 200, b"".join(pieces))
            case Echoes():
                await _stream(send, f"好的，{question.told}")
            case BreaksOff(text):
                await _send(send, 200, _piece({"content": text}))
            case Whole(text):
                await _send(send, 200, _completion(text))
            case _:
                assert_never(self.will)


def _small_talk(words: str) -> str:
    folded = words.casefold()
    found = (said for keys, said in _SMALL_TALK if any(key in folded for key in keys))
    return next(found, _DECLINES)


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        event = await receive()
        body += event.get("body", b"")
        if not event.get("more_body"):
            return bytes(body)


async def _until_gone(receive: Receive, scope: trio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


async def _start(send: Send, status: int, kind: bytes, extra: Any = ()) -> None:  # noqa: ANN401
    headers = [(b"content-type", kind), *extra]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _send(send: Send, status: int, body: bytes, extra: Any = ()) -> None:  # noqa: ANN401
    await _start(send, status, b"application/json", extra)
    await send({"type": "http.response.body", "body": body})


async def _stream(send: Send, text: str) -> None:
    """Stream a text in pieces of a few characters, as models do."""
    await _start(send, 200, b"text/event-stream")
    pieces = [text[n : n + _STEP] for n in range(0, len(text), _STEP)]
    events = [_piece({"role": "assistant", "content": ""})]
    events += [_piece({"content": piece}) for piece in pieces]
    events += [_piece({}, "stop"), b"data: [DONE]\n\n"]
    for n, event in enumerate(events, start=1):
        more = n < len(events)
        await send({"type": "http.response.body", "body": event, "more_body": more})


_STEP: Final = 8


def _piece(delta: Mapping[str, Any], finished: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finished}
    data = msgspec.json.encode({"object": "chat.completion.chunk", "choices": [choice]})
    return b"data: " + data + b"\n\n"


def _completion(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return msgspec.json.encode({"object": "chat.completion", "choices": [choice]})


def _error(words: str) -> bytes:
    return msgspec.json.encode({"error": {"message": words, "type": "invalid_request_error"}})


@asynccontextmanager
async def open_model(model: FakeModel, *, host: str = "127.0.0.1") -> AsyncIterator[str]:
    """Serve a model on a free port for as long as the block runs; gives its base url."""
    config = Config()
    config.bind = [f"{host}:0"]
    config.graceful_timeout = 0.5
    config.errorlog = config.accesslog = None
    async with trio.open_nursery() as nursery:
        urls = await nursery.start(serve, model.app, config)
        yield f"{urls[0]}/v1"
        nursery.cancel_scope.cancel()
