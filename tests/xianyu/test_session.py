"""What an account is logged in with: kept whole, and never shown."""

from __future__ import annotations

import random

import pytest

from xybot.secret import Secret
from xybot.xianyu import session as sessions
from xybot.xianyu.session import new_session, new_token

NOW = 1_790_000_000_000
HOUR = 3_600_000
COOKIE = "unb=2201; _m_h5_tk=h5secret_1790000000000; cookie2=c2secret; tracknick=小王"


def test_a_session_survives_being_stored() -> None:
    fresh = new_session(Secret(COOKIE), random.Random(1))
    assert fresh.user == "2201"
    assert fresh.device.endswith("-2201")
    assert sessions.loads(sessions.dumps(fresh)) == fresh
    text = "oauth_k1:tokensecret=="
    whole = sessions.Session(
        cookies=fresh.cookies, device=fresh.device, token=new_token(text, HOUR, NOW)
    )
    again = sessions.loads(sessions.dumps(whole))
    assert again == whole
    assert again.token is not None
    assert again.token.text.reveal() == text


def test_a_session_never_shows_its_secrets() -> None:
    fresh = new_session(Secret(COOKIE), random.Random(1))
    token = new_token("oauth_k1:tokensecret==", HOUR, NOW)
    session = sessions.Session(cookies=fresh.cookies, device=fresh.device, token=token)
    for shown in (repr(session), str(session), f"{session}", repr([session]), repr(token)):
        assert "secret" not in shown


@pytest.mark.parametrize(
    ("claimed", "used"),
    [
        (2 * HOUR, 2 * HOUR),
        (24 * HOUR, 6 * HOUR),
        (None, 6 * HOUR),
        (0, 6 * HOUR),
        (1, HOUR // 6),
        (-HOUR, HOUR // 6),
    ],
)
def test_a_token_is_used_for_ten_minutes_at_least_and_six_hours_at_most(
    claimed: int | None, used: int
) -> None:
    assert new_token("x", claimed, NOW).good_until == NOW + used
