"""The platform's lists: a line read back is the line that was pushed, and none is left behind."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire import samples
from tests.wire.samples import BUYER, CHAT, ME, NOW
from tests.wire.test_captures import FILES, sample_of
from tests.wire.test_captures import ME as RECORDER
from tests.wire.test_properties import structure, unhurried
from xybot.model import ChatId, UserId
from xybot.simulator import payloads
from xybot.simulator.world import SimMessage, World
from xybot.wire import frames, history, payload, reading, requests
from xybot.wire.frames import Frame
from xybot.wire.history import Line, Page
from xybot.wire.pushes import Own, Recall, Spoken, Undecodable


def body_of(body: object, code: int = 200) -> Frame:
    """An answer as it comes in: through its text."""
    return frames.decode(frames.encode(Frame(code=code, headers={"mid": "1 0"}, body=body)))


def page_of(*models: object, user: UserId = ME, **more: Any) -> Page:
    return history.page(body_of({"userMessageModels": list(models), **more}), user)


def line_of(model: object, user: UserId = ME) -> Line:
    (line,) = page_of(model, user=user).lines
    return line


def without(model: Mapping[str, Any], *names: str) -> dict[str, Any]:
    kept = {name: each for name, each in model["message"].items() if name not in names}
    return {**model, "message": kept}


# What a line means ----------------------------------------------------------------------------

words = st.text(max_size=20)
urls = st.sampled_from(["https://example.test/1.jpg", ""])
sizes = st.integers(0, 9999)
PICTURE = st.fixed_dictionaries({"url": urls, "width": sizes, "height": sizes, "type": st.just(0)})
#: Content by what people send each other (§2.4), and by what the platform writes.
BY_PEOPLE = st.one_of(
    st.builds(lambda text: {"contentType": 1, "text": {"text": text}}, words),
    st.builds(lambda pics: {"contentType": 2, "image": {"pics": pics}}, st.lists(PICTURE)),
    st.sampled_from([samples.VOICE, samples.VIDEO, samples.EXPRESSION, samples.EMOJI_PACK]),
)
BY_PLATFORM = st.sampled_from(
    [
        samples.TIP,
        samples.TEXT_CARD,
        samples.ITEM_CARD,
        samples.trade_card(samples.order_url()),
        samples.trade_card(button=samples.order_url(role="Buyer")),
    ]
)


def said_in_a_chat(
    content: Mapping[str, Any], nick: str, *, by_buyer: bool, platform: str | None, seed: int
) -> SimMessage:
    """Have somebody of the small world say something."""
    world = World(lambda: NOW, random.Random(seed))
    seller, buyer = world.add_account("shop").user, world.add_user("buyer", nick)
    chat = world.open_chat(world.add_item(seller, "旧书"), buyer)
    return world.write(
        chat,
        buyer if by_buyer else seller,
        kind=content["contentType"],
        content=content,
        summary=str(content.get("text", {}).get("text", "[图片]")),
        platform=platform,
        task=None if platform else "付款完成待发货_卖家",
    )


by_somebody = st.builds(
    said_in_a_chat,
    BY_PEOPLE,
    words,
    by_buyer=st.booleans(),
    platform=st.sampled_from(["ios", "android", "web"]),
    seed=st.integers(0, 99),
) | st.builds(
    said_in_a_chat,
    BY_PLATFORM,
    words,
    by_buyer=st.booleans(),
    platform=st.none(),
    seed=st.integers(0, 99),
)


@unhurried
@given(by_somebody)
def test_a_line_read_back_means_what_its_push_meant(said: SimMessage) -> None:
    seller = said.chat.seller.id
    pushed = reading.read(payload.entry(payloads.message(said, seller).item), seller)
    line = line_of(payloads.history_model(said, seller), seller)
    assert line.push == pushed
    assert line.key == pushed.facts.message == said.id
    by_buyer = said.by_person and said.sender is said.chat.buyer
    assert line.push.facts.from_human == by_buyer


@unhurried
@given(BY_PEOPLE | BY_PLATFORM, words, st.sampled_from([BUYER, ME]))
def test_a_line_read_back_means_what_any_other_push_of_it_meant(
    content: dict[str, Any], summary: str, sender: str
) -> None:
    number = content["contentType"]
    platform = number not in range(1, 6)
    extension = samples.by_platform(number) if platform else samples.by_person(sender)
    pushed = samples.read(samples.message(content, extension, summary=summary, sender=sender))
    uid = {"uid": f"{sender}@goofish"}
    model = samples.model(content, extension=extension, sender=uid)
    model["message"]["content"]["custom"]["summary"] = summary
    assert line_of(model).push == pushed


def as_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def drifted(model: dict[str, Any]) -> Iterator[object]:
    """Yield the forms that other clients met: JSON text for a map, text for a number, and back."""
    message = model["message"]
    custom, extension = message["content"]["custom"], message["extension"]
    data = {**custom, "data": samples.TEXT}
    unfolded = {name: json.loads(extension[name]) for name in ("bizTag", "extJson")}
    changes: list[dict[str, Any]] = [
        {"extension": as_text(extension)},
        {"extension": {**extension, **unfolded}},
        {"extension": as_text({**extension, **unfolded})},
        {"content": as_text(message["content"])},
        {"content": {"contentType": 101, "custom": as_text(custom)}},
        {"content": {"contentType": "101", "custom": {**custom, "type": "1"}}},
        {"content": {"contentType": 101, "custom": data}},
        {"content": {"contentType": 101, "custom": {**data, "data": as_text(samples.TEXT)}}},
        {"createAt": str(NOW), "receiverCount": "2"},
        {"cid": CHAT, "sender": {"uid": BUYER}},
    ]
    yield from ({**model, "message": {**message, **change}} for change in changes)
    yield {**model, "message": as_text(message)}
    yield as_text(model)
    yield {**model, "message": without(model, "sender")["message"]}


def test_a_line_means_the_same_in_each_form_it_was_met_in() -> None:
    model = samples.model(samples.TEXT)
    plain = line_of(model)
    assert isinstance(plain.push, Spoken)
    assert plain.push.facts.from_human
    for form in drifted(model):
        line = line_of(form)
        assert (line.push, line.key) == (plain.push, plain.key), form


def test_a_line_is_kept_as_it_came() -> None:
    model = samples.model(samples.TEXT)
    assert json.loads(line_of(model).raw) == model


# Taken back -----------------------------------------------------------------------------------

NOT_RECALLED: list[object] = [
    {"showRecallStatusSetting": 1, "operatorType": 0},  # Captures 57 to 64.
    {
        "showRecallStatusSetting": 1,
        "extension": {},
        "code": "",
        "operatorType": 0,
        "operatorUid": "",
    },
    {"showRecallStatusSetting": "1", "operatorType": "0", "operatorUid": "@goofish"},
    {"showRecallStatusSetting": 0, "code": 0, "operatorUid": 0},
    {},
    None,
    "",
    [1],
]


@pytest.mark.parametrize("feature", NOT_RECALLED, ids=repr)
def test_a_line_that_nobody_took_back_is_answered(feature: object) -> None:
    model = samples.model(samples.TEXT)
    plain, line = line_of(model), line_of({**model, "recallFeature": feature})
    assert isinstance(plain.push, Spoken)
    assert (line.push, line.key) == (plain.push, plain.key)


@pytest.mark.parametrize(
    "feature",
    [
        {"operatorType": 0, "operatorUid": f"{BUYER}@goofish"},
        {"operatorType": 2},
        {"operatorType": "1", "operatorUid": ""},
        as_text({"operatorType": 0, "operatorUid": BUYER}),
    ],
    ids=repr,
)
def test_a_line_that_somebody_took_back_is_a_recall_with_its_facts(feature: object) -> None:
    model = samples.model(samples.TEXT)
    said, taken_back = line_of(model), line_of({**model, "recallFeature": feature})
    assert taken_back.push == Recall(facts=said.push.facts)
    assert taken_back.key == said.key


def test_the_simulators_recall_is_read_as_one() -> None:
    said = said_in_a_chat(samples.TEXT, "小王", by_buyer=True, platform="ios", seed=1)
    seller = said.chat.seller.id
    before = line_of(payloads.history_model(said, seller), seller)
    said.recalled = True
    after = line_of(payloads.history_model(said, seller), seller)
    assert isinstance(before.push, Spoken)
    assert (after.push, after.key) == (Recall(facts=before.push.facts), before.key)


# What tells a line when it is read again -------------------------------------------------------


def read_again(model: dict[str, Any]) -> dict[str, Any]:
    """The same line a while later: it was read."""
    later = {"readStatus": 2, "userExtension": {"needPush": "false"}, "msgStatus": 1}
    return {**model, **later, "message": {**model["message"], "unreadCount": 0}}


NO_ID = [("messageId",), ("messageId", "createAt"), ("messageId", "cid"), ("messageId", "sender")]


@pytest.mark.parametrize("names", [(), *NO_ID], ids=repr)
def test_a_line_has_the_same_key_when_it_is_read_again(names: tuple[str, ...]) -> None:
    model = without(samples.model(samples.TEXT, unreadCount=1), *names) | {"readStatus": 1}
    first, again = line_of(model), line_of(read_again(model))
    assert first.raw != again.raw
    assert first.key == again.key


@pytest.mark.parametrize("names", NO_ID, ids=repr)
def test_lines_without_an_id_are_told_apart(names: tuple[str, ...]) -> None:
    others = [
        samples.model(samples.TEXT),
        samples.model(samples.TEXT, createAt=NOW + 1, cid=f"{samples.OTHER_CHAT}@goofish"),
        samples.model(samples.TEXT, sender={"uid": f"{ME}@goofish"}, extension={}),
        samples.model(samples.IMAGE, createAt=NOW + 2),
    ]
    keys = [line_of(without(each, *names)).key for each in others]
    assert len(set(keys)) == len(others)


def test_a_blanked_id_is_none() -> None:
    lines = page_of(*(samples.model(samples.TEXT, messageId=".PNM", createAt=n) for n in (1, 2)))
    first, second = (line.key for line in lines.lines)
    assert first != second


# Damage -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [None, 7, "在吗", [], [1], True], ids=repr)
def test_a_model_that_is_no_map_is_kept_and_spoils_no_other(model: object) -> None:
    before, damaged, after = page_of(
        samples.model(samples.TEXT), model, samples.model(samples.IMAGE, messageId="7.PNM")
    ).lines
    assert isinstance(damaged.push, Undecodable)
    assert damaged.push.damage
    assert damaged.raw
    assert (before.push.kind, after.push.kind) == ("text", "image")
    assert len({before.key, damaged.key, after.key}) == 3


def test_models_that_are_no_map_are_told_apart() -> None:
    keys = [line.key for line in page_of(None, 7, "在吗", [], {}, {"message": {}}).lines]
    assert len(set(keys)) == len(keys)


def test_a_model_nested_too_deep_is_kept_under_its_id() -> None:
    deep: Any = "end"
    for _ in range(100_000):
        deep = [deep]
    model = {**samples.model(samples.TEXT), "deep": deep}
    (line,) = history.page(Frame(code=200, body={"userMessageModels": [model]}), ME).lines
    assert isinstance(line.push, Undecodable)
    assert line.key == samples.PNM
    while deep != "end":  # Freed from outside in: the other way is as deep as it is nested.
        (deep,) = deep


noise = structure | st.builds(
    lambda models, more, cursor: {
        "userMessageModels": models,
        "userConvs": models,
        "hasMore": more,
        "nextCursor": cursor,
    },
    st.lists(structure | st.builds(samples.model, st.just(samples.TEXT), createAt=structure)),
    structure,
    structure | st.floats(),
)


@unhurried
@given(noise)
def test_any_answer_gives_a_line_for_each_model_and_a_cursor_that_can_be_sent(body: Any) -> None:
    answer = Frame(code=200, body=body)
    page, chats = history.page(answer, ME), history.conversations(answer)
    models = body.get("userMessageModels") if isinstance(body, dict) else None
    assert len(page.lines) == (len(models) if isinstance(models, list) else 0)
    assert all(line.key for line in page.lines)
    for cursor in filter(None, (page.older, chats.older)):
        asked = requests.history(ChatId(CHAT), cursor)
        frame = Frame(lwp=asked.lwp, body=asked.body)
        assert frames.decode(frames.encode(frame)).body[2] == cursor


# Recorded ---------------------------------------------------------------------------------------

MODELS = [path for path in FILES if "userMessageModel" in path.read_text("utf-8")[:2000]]
recorded = pytest.mark.skipif(not MODELS, reason="XYBOT_CAPTURES names no folder of samples")


def recorded_as(kind: str) -> Any:
    (found,) = (sample_of(path)["raw"] for path in FILES if sample_of(path)["kind"] == kind)
    return found


@recorded
def test_the_recorded_page_is_read_whole() -> None:
    body = recorded_as("history_page_20")
    page = history.page(body_of(body), UserId(RECORDER))
    messages = [model["message"] for model in body["userMessageModels"]]
    assert [line.key for line in page.lines] == [each["messageId"] for each in messages]
    assert [line.push.facts.sent_at for line in page.lines] == [
        each["createAt"] for each in messages
    ]
    assert [json.loads(line.raw) for line in page.lines] == body["userMessageModels"]
    assert page.older is None  # `hasMore` and the cursor were not published.
    for line, message in zip(page.lines, messages, strict=True):
        own = message["sender"]["uid"] == f"{RECORDER}@goofish"
        tip = message["content"]["custom"]["type"] == 14
        assert line.push.kind == ("tip" if tip else "own" if own else "text")
        assert line.push.facts.from_human == (not own and not tip)
        assert isinstance(line.push, Own) == own


@recorded
def test_each_recorded_model_is_a_line_that_nobody_took_back() -> None:
    models = [sample_of(path)["raw"] for path in MODELS]
    models = [each for each in models if "message" in each]
    lines = page_of(*models, user=UserId(RECORDER)).lines
    assert {line.push.kind for line in lines} == {"text", "own", "tip"}
    assert [line.key for line in lines] == [each["message"]["messageId"] for each in models]
