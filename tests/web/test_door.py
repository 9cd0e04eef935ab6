"""Who may enter: nobody without a token, and a browser only with what our own pages know."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
import trio

from tests.conftest import Shop
from tests.web.office import ADMIN, READ, SEND, Office, open_office
from xybot.config import Web, WebToken
from xybot.config.secrets import FromText
from xybot.errors import ConfigError
from xybot.secret import Secret
from xybot.web.api.all import ENDPOINTS
from xybot.web.app import PAGES
from xybot.web.door import COOKIE
from xybot.web.visitors import TOKEN_FILE, given_keys, keys

OPEN = {"/health", "/sign-in"}
EVERY = sorted({(each.method, each.path) for each in (*ENDPOINTS, *PAGES)})


def filled(path: str) -> str:
    return re.sub(r"\{\w+\}", "x", path)


async def sign_in(office: Office, token: str = ADMIN) -> httpx.Response:
    return await office.client.post("/sign-in", data={"token": token})


async def csrf_of(office: Office, path: str = "/") -> str:
    page = (await office.client.get(path)).text
    found = re.search(r'name="csrf" value="(\w+)"', page)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(("method", "path"), EVERY)
async def test_no_route_answers_without_a_token(
    autojump_clock, office: Office, method: str, path: str
) -> None:
    for headers in ({}, {"cookie": f"{COOKIE}=guessed"}, {"authorization": "Bearer guessed"}):
        answer = await office.client.request(method, filled(path), headers=headers)
        told = answer.headers.get("location") or answer.json()["error"]["code"]
        assert (answer.status_code, told) in ((401, "unauthorized"), (303, "/sign-in"))
        assert "shop-a" not in answer.text


async def test_every_route_is_walked_by_the_test_above(autojump_clock, office: Office) -> None:
    inner = office.app._app
    walked = {path for _, path in EVERY} | OPEN | {"/sign-in/{name}"}
    assert {route.path for route in inner.routes} == walked


async def test_what_is_open_tells_nothing_of_accounts(autojump_clock, office: Office) -> None:
    for path in ("/health", "/sign-in", "/sign-in/console.css", "/sign-in/pico.min.css"):
        answer = await office.client.get(path)
        assert answer.status_code == 200
        assert "shop-a" not in answer.text
    assert (await office.client.get("/sign-in/console.js")).status_code == 404
    assert (await office.client.get("/sign-in/..%2fapp.py")).status_code == 404


async def test_a_browser_signs_in_once_and_then_has_a_cookie_no_script_can_read(
    autojump_clock, office: Office
) -> None:
    answer = await sign_in(office)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert ADMIN not in cookie
    page = await office.client.get("/")
    assert page.status_code == 200
    assert "shop-a" in page.text
    assert (await office.client.get("/sign-in")).headers["location"] == "/"


async def test_over_https_the_cookie_goes_no_other_way(
    autojump_clock, open_for_business: Shop, tmp_path: Path
) -> None:
    async with open_office(open_for_business, tmp_path) as office:
        object.__setattr__(office.door, "secure", True)
        assert "Secure" in (await sign_in(office)).headers["set-cookie"]


async def test_a_sign_in_survives_a_restart_of_the_server(
    autojump_clock, open_for_business: Shop, tmp_path: Path
) -> None:
    async with open_office(open_for_business, tmp_path) as office:
        await sign_in(office)
        cookies = dict(office.client.cookies)
    async with open_office(open_for_business, tmp_path) as office:
        office.client.cookies.update(cookies)
        assert (await office.client.get("/")).status_code == 200


async def test_a_token_that_was_changed_ends_its_sign_ins(
    autojump_clock, open_for_business: Shop, tmp_path: Path
) -> None:
    async with open_office(open_for_business, tmp_path) as office:
        await sign_in(office)
        cookies = dict(office.client.cookies)
    other = {"token": "another-0123456789abcdef"}
    async with open_office(open_for_business, tmp_path, web=other) as office:
        office.client.cookies.update(cookies)
        assert (await office.client.get("/")).headers["location"] == "/sign-in"


async def test_a_sign_in_ends_at_the_sign_out(autojump_clock, office: Office) -> None:
    await sign_in(office)
    cookies = dict(office.client.cookies)
    answer = await office.client.post("/sign-out", data={"csrf": await csrf_of(office)})
    assert answer.headers["location"] == "/sign-in"
    office.client.cookies.update(cookies)
    assert (await office.client.get("/")).headers["location"] == "/sign-in"


async def test_a_sign_in_ends_after_thirty_days(autojump_clock, shop: Shop, tmp_path: Path) -> None:
    async with open_office(shop, tmp_path) as office:
        await sign_in(office)
        cookies = dict(office.client.cookies)
        await trio.sleep(29 * 86_400)
        office.client.cookies.update(cookies)
        assert (await office.client.get("/")).status_code == 200
        await trio.sleep(2 * 86_400)
        assert (await office.client.get("/")).headers["location"] == "/sign-in"


@pytest.mark.parametrize("csrf", ["", "0" * 64, "ü"])
async def test_a_form_without_what_our_pages_know_changes_nothing(
    autojump_clock, office: Office, csrf: str
) -> None:
    await sign_in(office)
    for path in ("/accounts/shop-a/pause", "/sign-out", "/rules/add", "/language"):
        answer = await office.client.post(path, data={"csrf": csrf, "keywords": "x"})
        assert answer.status_code == 403
    answer = await office.client.post(
        "/api/v1/accounts/shop-a/pause", headers={"x-csrf-token": csrf.encode()}
    )
    assert answer.status_code == 403
    assert (await office.get("/api/v1/accounts/shop-a")).json()["paused"] is False


async def test_one_browser_does_not_know_what_another_ones_pages_know(
    autojump_clock, office: Office
) -> None:
    await sign_in(office)
    first = await csrf_of(office)
    office.client.cookies.clear()
    await sign_in(office)
    assert await csrf_of(office) != first
    answer = await office.client.post("/accounts/shop-a/pause", data={"csrf": first})
    assert answer.status_code == 403


async def test_another_site_cannot_sign_somebody_in(autojump_clock, office: Office) -> None:
    headers = {"sec-fetch-site": "cross-site"}
    answer = await office.client.post("/sign-in", data={"token": ADMIN}, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_nobody_can_go_on_guessing(autojump_clock, office: Office) -> None:
    for _ in range(5):
        assert (await sign_in(office, "guess")).status_code == 401
    refused = await sign_in(office)  # The right one, even.
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 60
    await trio.sleep(61)
    assert (await sign_in(office)).status_code == 303


async def test_a_token_may_do_what_it_is_for_and_nothing_else(
    autojump_clock, office: Office
) -> None:
    await sign_in(office, READ)
    page = (await office.client.get("/")).text
    assert "/accounts/shop-a/pause" not in page
    csrf = await csrf_of(office)
    for path in ("/accounts/shop-a/pause", "/rules/add", "/accounts"):
        answer = await office.client.post(path, data={"csrf": csrf, "keywords": "x", "id": "y"})
        assert answer.status_code == 403
    assert (await office.get("/api/v1/accounts", token=READ)).status_code == 200
    assert (await office.post("/api/v1/accounts/shop-a/pause", token=READ)).status_code == 403
    assert (await office.post("/api/v1/accounts/shop-a/pause", token=SEND)).status_code == 403
    assert (await office.post("/api/v1/accounts/shop-a/pause", token=ADMIN)).status_code == 200


async def test_no_answer_lets_a_browser_be_used_against_its_owner(
    autojump_clock, office: Office
) -> None:
    await sign_in(office)
    for path in ("/", "/health", "/sign-in", "/nowhere", "/api/v1/accounts", "/static/console.js"):
        headers = (await office.client.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "server" not in headers


async def test_no_page_has_a_script_or_a_style_of_its_own(autojump_clock, office: Office) -> None:
    await sign_in(office)
    pages = [each.path for each in PAGES if each.method == "GET" and "{" not in each.path]
    for path in set(pages) - {"/live"}:
        text = (await office.client.get(path)).text
        assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
        assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", text) == []


def test_the_first_start_makes_a_token_shows_it_once_and_keeps_only_its_hash(
    tmp_path: Path,
) -> None:
    known, made = keys((), tmp_path)
    assert made is not None
    assert known.opened_by(made) is not None
    assert known.opened_by(f"{made}x") is None
    file = tmp_path / TOKEN_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    assert made not in file.read_text("utf-8")
    again, shown = keys((), tmp_path)
    assert shown is None
    assert again.opened_by(made) is not None
    file.unlink()
    other, new = keys((), tmp_path)
    assert new not in (None, made)
    assert other.opened_by(made) is None


def test_a_token_that_can_be_guessed_is_refused() -> None:
    short = FromText(Secret("s3cr3t-short"))
    with pytest.raises(ConfigError, match=r"web\.token.*at least 16") as caught:
        given_keys(Web(token=short))
    assert "s3cr3t" not in str(caught.value)
    token = WebToken(name="bot", token=short, scopes=("send",))
    with pytest.raises(ConfigError, match=r"web\.tokens: bot"):
        given_keys(Web(tokens=(token,)))
