"""What the platform answers: put off, accepted or declined; and the push that says it left out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire import samples
from tests.wire.test_history import as_text, body_of
from tests.wire.test_properties import structure, unhurried
from xybot.model import MessageId
from xybot.wire import answers, frames, history
from xybot.wire.answers import Accepted, Declined, Later
from xybot.wire.frames import Frame


@pytest.mark.parametrize(
    ("extra", "too_long"),
    [
        ({"type": 1}, True),
        ({"type": 2}, True),
        ({"type": "2"}, True),
        (as_text({"type": 1}), True),
        ({"type": 3}, False),
        ({"type": 0}, False),
        ({"type": None}, False),
        ({}, False),
        (None, False),
        ([1], False),
    ],
    ids=repr,
)
def test_a_push_says_that_it_left_something_out(extra: object, too_long: bool) -> None:
    push = json.loads(samples.push(samples.item(samples.message())))
    push["body"]["syncExtraType"] = extra
    assert history.too_long(frames.decode(json.dumps(push))) == too_long


def test_only_a_push_can_leave_something_out() -> None:
    assert not history.too_long(body_of({"syncExtraType": {"type": 1}}))


@pytest.mark.parametrize(
    ("code", "body", "why"),
    [
        (400, None, "400 not ready"),
        (400, {"reason": "bad"}, "400 bad"),
        (400, {"code": "400600001", "reason": "flow control"}, "400600001 flow control"),
        (200, {"code": 400600001}, "400600001 flow control"),
        (200, {"reason": "400600001: busy"}, "400600001: busy"),
        (200, {}, None),
        (200, {"reason": "CSI_FORBID"}, None),
        (401, {"code": "4000001"}, None),
        (500, None, None),
    ],
    ids=repr,
)
def test_a_request_is_put_off_when_it_came_too_early_or_too_often(
    code: int, body: object, why: str | None
) -> None:
    answer = body_of(body, code)
    assert answers.put_off(answer) == why
    assert (answers.of_send(answer) == Later(str(why))) == (why is not None)


def test_a_send_is_accepted_or_declined_when_it_is_not_put_off() -> None:
    assert answers.of_send(body_of({"messageId": samples.PNM})) == Accepted(MessageId(samples.PNM))
    assert answers.of_send(body_of({"reason": "CSI_FORBID"})) == Declined("200 CSI_FORBID")
    assert answers.of_send(body_of(None, 500)) == Declined("500 no reason given")


@unhurried
@given(st.integers(0, 600), structure)
def test_any_answer_to_a_send_is_one_of_three_and_later_exactly_when_put_off(
    code: int, body: object
) -> None:
    answer = Frame(code=code, body=body)
    found = answers.of_send(answer)
    assert isinstance(found, Accepted | Declined | Later)
    assert isinstance(found, Later) == (answers.put_off(answer) is not None)


@unhurried
@given(structure)
def test_any_push_can_be_asked_whether_it_left_something_out(body: object) -> None:
    assert history.too_long(Frame(lwp="/s/sync", body=body)) in {True, False}
