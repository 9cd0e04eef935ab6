"""What we make ourselves: ids, signatures, cookies, requests."""

from __future__ import annotations

import base64
import json
import random
import re
from typing import Any

from tests.wire import samples
from tests.wire.samples import BUYER, CHAT, ME
from xybot.model import ChatId, Image, Text, UserId
from xybot.wire import frames, requests
from xybot.wire.frames import Frame
from xybot.wire.ids import Ids, device_id
from xybot.wire.sign import cookie_header, h5_token, merged, parse_cookies, signature

MID = re.compile(r"^\d{1,3}\d{13} 0$")
UUID = re.compile(r"^-\d{13}\d+$")


def made(clock: list[int], count: int) -> tuple[list[str], list[str]]:
    """Make as many mids and uuids, by a clock that shows these times and then stands still."""
    times = iter(clock)
    ids = Ids(lambda: next(times, clock[-1]), random.Random(1))
    pairs = [(ids.mid(), ids.uuid()) for _ in range(count)]
    return [mid for mid, _ in pairs], [uuid for _, uuid in pairs]


def test_ids_are_unique_within_one_millisecond() -> None:
    mids, uuids = made([samples.NOW], 5000)
    assert (len(set(mids)), len(set(uuids))) == (5000, 5000)


def test_ids_are_unique_though_the_clock_is_set_back() -> None:
    mids, uuids = made([samples.NOW + 5, samples.NOW, samples.NOW + 1, samples.NOW + 5], 3000)
    assert (len(set(mids)), len(set(uuids))) == (3000, 3000)


def test_ids_have_the_form_of_the_web_page() -> None:
    mids, uuids = made([samples.NOW, samples.NOW + 3], 2500)
    assert all(MID.match(mid) for mid in mids)
    assert all(UUID.match(uuid) for uuid in uuids)


def test_a_mid_is_matched_by_what_stands_before_its_blank() -> None:
    (mid,), _ = made([samples.NOW], 1)
    answer = Frame(code=200, headers={"mid": mid.replace(" 0", " 1")})
    assert answer.mid == Frame(lwp="/!", headers={"mid": mid}).mid == mid.removesuffix(" 0")


def test_a_device_id_is_laid_out_like_a_uuid_and_ends_with_the_user() -> None:
    device = device_id("990001", random.Random(1))
    head = r"[0-9A-Za-z]{8}-[0-9A-Za-z]{4}-4[0-9A-Za-z]{3}-[0-9A-Za-z]{4}-[0-9A-Za-z]{12}"
    assert re.fullmatch(f"{head}-990001", device)
    assert device == device_id("990001", random.Random(1))
    assert device != device_id("990001", random.Random(2))


def test_the_signature_is_that_of_the_web_page() -> None:
    token, data = "0123456789abcdef" * 2, '{"itemId":"900052644277"}'
    assert signature(token, 1742458817389, data) == "897052ca24c334ff9cac8bd8751b5a0f"


def test_the_signing_token_stands_before_the_underscore() -> None:
    assert h5_token({"_m_h5_tk": "abc_1742458817389"}) == "abc"
    assert h5_token({}) == ""


def test_cookies_are_read_as_they_are_pasted_and_written_back() -> None:
    pasted = "unb=990001; cookie2=a=b==;\n _tb_token_=x;; broken;=nameless; t="
    cookies = parse_cookies(pasted)
    assert cookies == {"unb": "990001", "cookie2": "a=b==", "_tb_token_": "x", "t": ""}
    assert parse_cookies(cookie_header(cookies)) == cookies


def test_set_cookies_are_merged_into_the_jar() -> None:
    jar = {"unb": "1", "_m_h5_tk": "old_1", "x5sec": "y", "t": "1", "cna": "1", "l": "1"}
    answer = [
        "_m_h5_tk=new_2; Path=/; Domain=.goofish.com; Max-Age=86400; SameSite=None; Secure",
        "sgcookie=s=1; Expires=Fri, 01-Jan-2038 00:00:00 GMT",
        "x5sec=; Max-Age=0",
        "t=gone; Max-Age=0; path=/",
        "cna=gone; EXPIRES=Thu, 01-Jan-1970 00:00:10 GMT",
        "l=deleted",
        "unknown=; Max-Age=0",
        "broken",
        "",
    ]
    assert merged(jar, answer) == {"unb": "1", "_m_h5_tk": "new_2", "sgcookie": "s=1"}
    assert jar["_m_h5_tk"] == "old_1"


def test_a_send_names_both_sides_and_wraps_the_content() -> None:
    request = requests.send("-1", ChatId(CHAT), UserId(BUYER), ME, Text("好的"))
    message, scope = request.body
    data = json.loads(base64.b64decode(message["content"]["custom"]["data"]))
    assert request.lwp == "/r/MessageSend/sendByReceiverScope"
    assert (message["uuid"], message["cid"]) == ("-1", f"{CHAT}@goofish")
    assert message["content"]["contentType"] == 101
    assert (message["content"]["custom"]["type"], data) == (
        1,
        {"contentType": 1, "text": {"text": "好的"}},
    )
    assert scope == {"actualReceivers": [f"{BUYER}@goofish", f"{ME}@goofish"]}


def test_a_picture_is_sent_with_its_size() -> None:
    picture = Image("https://example.test/a.jpg", 10, 20)
    message: Any = requests.send("-1", ChatId(CHAT), UserId(BUYER), ME, picture).body[0]
    data = json.loads(base64.b64decode(message["content"]["custom"]["data"]))
    size = {"type": 0, "url": picture.url, "width": 10, "height": 20}
    assert (message["content"]["custom"]["type"], data["image"]["pics"]) == (2, [size])


def test_registering_carries_the_token_and_the_device() -> None:
    request = requests.register("token", "device")
    assert (request.lwp, request.body) == ("/reg", None)
    assert (request.headers["token"], request.headers["did"]) == ("token", "device")
    assert request.headers["app-key"] == requests.IM_APP_KEY


def test_lists_start_from_the_newest() -> None:
    assert requests.history(ChatId(CHAT)).body == [samples.CID, False, 2**53 - 1, 20, False]
    assert requests.history(ChatId(CHAT), 5, 100).body == [samples.CID, False, 5, 100, False]
    assert requests.conversations().body == [2**53 - 1, 50]
    assert (requests.heartbeat().lwp, requests.heartbeat().body) == ("/!", None)


def test_catching_up_returns_the_state_exactly_as_it_came() -> None:
    assert requests.sync_state() == requests.Request("/r/SyncStatus/getState", [{"topic": "sync"}])
    state = {"pipeline": "sync", "tooLong2Tag": "PNM,1", "pts": 1, "unknown": [{"a": None}]}
    done = requests.diff_done(state)
    assert (done.lwp, done.body) == ("/r/SyncStatus/ackDiff", [state])


def test_an_acknowledgement_echoes_the_headers_of_its_push() -> None:
    headers = {"mid": "1 0", "sid": "s", "app-key": "k", "ua": "u", "n": 1, "odd": [1]}
    push = Frame(lwp="/s/sync", headers=headers, body={"a": 1})
    sent = frames.decode(frames.encode(frames.acknowledgement(push)))
    assert sent == Frame(
        code=200, headers={"mid": "1 0", "sid": "s", "app-key": "k", "ua": "u", "n": 1}
    )


def test_a_code_is_read_as_number_or_text() -> None:
    codes = [frames.decode(f'{{"code":{code}}}').code for code in ("200", '"401"', "0")]
    assert codes == [200, 401, 0]


def test_a_push_that_carries_a_code_is_still_a_push() -> None:
    frame = frames.decode('{"lwp":"/s/vulcan","code":0}')
    assert (frame.lwp, frame.code) == ("/s/vulcan", 0)
