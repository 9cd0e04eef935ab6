"""Reading what a model streams: however it is cut, and whatever it is."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xybot.errors import ReplyError
from xybot.replies.ai.reading import LONGEST, Reader


def event(text: str | None, finished: str | None = None) -> str:
    choice = {"delta": {"content": text}, "finish_reason": finished}
    return f"data: {json.dumps({'choices': [choice]}, ensure_ascii=False)}\n\n"


def read(*pieces: bytes) -> str:
    reader = Reader()
    for piece in pieces:
        if not reader.feed(piece):
            break
    return reader.text()


@given(words=st.lists(st.text(max_size=20), max_size=20), cuts=st.data())
def test_it_does_not_matter_where_the_network_cuts_a_stream(words: list[str], cuts) -> None:
    words = [word.encode("utf-8", "replace").decode() for word in words]
    body = "".join(map(event, words)) + event(None, "stop") + "data: [DONE]\n\n"
    stream, pieces = body.encode(), []
    while stream:
        n = cuts.draw(st.integers(1, len(stream)))
        pieces.append(stream[:n])
        stream = stream[n:]
    assert read(*pieces) == "".join(words).strip()


@given(st.lists(st.binary(max_size=200) | st.sampled_from([b"data:", b"\n", b'{"choices":'])))
def test_noise_is_an_answer_or_a_reply_error(pieces: list[bytes]) -> None:
    with contextlib.suppress(ReplyError):
        assert len(read(*pieces)) <= LONGEST


@pytest.mark.parametrize(
    "stream",
    [
        'data:{"choices":[{"delta":{"content":"好"}}]}\r\n\r\ndata:[DONE]\r\n\r\n',
        ': keep-alive\n\nevent: x\nid: 1\ndata: {"choices":[{"delta":{"content":"好"}}]}\n\n'
        'data: {"choices":[],"usage":{"total_tokens":3}}\n\ndata: [DONE]',
        event("好") + event("", "stop"),
        event("好") + event(None, "eos"),
        '{"choices": [\n {"message": {"content": "好", "tool_calls": null}}\n]}\n',
        event("好") + 'data: [DONE]\n\ndata: {"choices":[{"delta":{"content":"!"}}]}\n\n',
        'data: {"choices":[{"delta":{"reasoning_content":"想","content":null}}]}\n\n'
        + event("好", "stop"),
    ],
)
def test_what_servers_make_of_the_form_is_understood(stream: str) -> None:
    assert read(stream.encode()) == "好"


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (event("好"), "broke off"),
        (event("好", "length") + "data: [DONE]\n\n", "cut off"),
        (event("好", "content_filter"), "content filter"),
        ('data: {"choices":[{"delta":{"function_call":{"name":"x"}}}]}\n', "a tool call"),
        ('data: {"error":"quota of sk-s3cr3t"}\n', "reports an error"),
        ('data: {"choices":[{"delta":{"content":["好"]}}]}\n', "not the JSON"),
        ("data: \ud800\n", "not the JSON"),
        ("data: null\n\n", "not the JSON"),
    ],
)
def test_what_is_no_whole_text_is_told_in_words_and_not_quoted(stream: str, why: str) -> None:
    with pytest.raises(ReplyError, match=why) as caught:
        read(stream.encode("utf-8", "surrogatepass"))
    assert "s3cr3t" not in str(caught.value)


def test_no_more_is_wanted_once_it_is_over() -> None:
    assert Reader().feed(event("好").encode())
    assert not Reader().feed(b"data: [DONE]\n\n")
    assert not Reader().feed(b"data: {nonsense\n")
