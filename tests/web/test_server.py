"""The web side on a real port: how it begins, and that nothing keeps it from ending."""

from __future__ import annotations

import re
import ssl
from pathlib import Path

import httpx
import pytest
import trio

from tests.conftest import open_shop
from tests.web.office import ADMIN, house_of, write_settings
from xybot import __version__
from xybot.config import Web
from xybot.config.secrets import FromText
from xybot.errors import ConfigError
from xybot.secret import Secret
from xybot.web.server import open_web
from xybot.web.visitors import TOKEN_FILE

ANY = Web(listen="127.0.0.1:0", token=FromText(Secret(ADMIN)))
BEARER = {"authorization": f"Bearer {ADMIN}"}


async def test_health_answers_without_a_token_and_tells_nothing_of_accounts(tmp_path: Path) -> None:
    with trio.fail_after(10):
        async with open_shop() as shop:
            house = house_of(shop, write_settings(tmp_path, shop))
            async with open_web(ANY, house) as opened, httpx.AsyncClient(trust_env=False) as client:
                answer = await client.get(f"{opened.url}/health")
                nothing = await client.get(f"{opened.url}/nowhere")
    assert answer.json() == {"status": "ok", "version": __version__}
    assert nothing.status_code == 404
    assert opened.token is None


async def test_a_port_in_use_is_said_in_one_line_and_costs_no_token(tmp_path: Path) -> None:
    with trio.fail_after(10):
        (taken,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        async with taken, open_shop() as shop:
            house = house_of(shop, write_settings(tmp_path, shop))
            port = taken.socket.getsockname()[1]
            with pytest.raises(ConfigError, match=f"web.listen: 127.0.0.1:{port} .*in use"):
                async with open_web(Web(listen=f"127.0.0.1:{port}"), house):
                    raise AssertionError("nobody listens here")
    assert not (house.data / TOKEN_FILE).exists()


async def test_without_a_token_one_is_made_and_handed_over_to_be_shown(tmp_path: Path) -> None:
    with trio.fail_after(10):
        async with open_shop() as shop:
            house = house_of(shop, write_settings(tmp_path, shop))
            house.data.mkdir()
            async with open_web(Web(listen="127.0.0.1:0"), house) as opened:
                assert opened.token is not None
                headers = {"authorization": f"Bearer {opened.token}"}
                async with httpx.AsyncClient(trust_env=False, headers=headers) as client:
                    answer = await client.get(f"{opened.url}/api/v1/accounts")
                    assert answer.status_code == 200
            async with open_web(Web(listen="127.0.0.1:0"), house) as again:
                assert again.token is None


async def test_open_event_streams_never_delay_the_end(tmp_path: Path) -> None:
    with trio.fail_after(20):
        async with open_shop() as shop:
            house = house_of(shop, write_settings(tmp_path, shop))
            async with trio.open_nursery() as nursery:
                async with open_web(ANY, house) as opened:
                    for _ in range(20):
                        await nursery.start(_listen, opened.url)
                    assert house.stream.listeners == 20
                    began = trio.current_time()
                assert trio.current_time() - began < 1
                assert house.stream.listeners == 0


async def _listen(url: str, *, task_status=trio.TASK_STATUS_IGNORED) -> None:
    async with (
        httpx.AsyncClient(trust_env=False, headers=BEARER, timeout=None) as client,
        client.stream("GET", f"{url}/api/v1/events") as response,
    ):
        lines = response.aiter_lines()
        assert await anext(lines) == "retry: 3000"
        assert (await anext(lines)).startswith("id: ")
        task_status.started()
        try:
            async for _ in lines:
                pass
        except httpx.TransportError:
            pass  # The end of the server.


async def made_certificate(folder: Path, *, password: str = "") -> tuple[Path, Path]:
    """Return a certificate for this machine and its key, as PEM files."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2"
        " -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
        f" -keyout {key} -out {certificate}"
    )
    locked = ["-passout", f"pass:{password}"] if password else ["-nodes"]
    await trio.run_process([*command.split(), *locked], capture_stderr=True)
    return certificate, key


def encrypted(certificate: Path, key: Path) -> Web:
    return Web(
        listen="127.0.0.1:0",
        token=FromText(Secret(ADMIN)),
        certificate=str(certificate),
        key=str(key),
    )


async def test_a_certificate_of_no_use_is_said_before_anybody_is_let_in(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir()
    certificate, key = await made_certificate(tmp_path)
    locked = await made_certificate(tmp_path / "locked", password="hello")
    gone = tmp_path / "gone.pem"
    async with open_shop() as shop:
        house = house_of(shop, write_settings(tmp_path, shop))
        for pair, words in {
            (gone, key): f"找不到文件 (no such file): {gone}",
            (certificate, gone): f"找不到文件 (no such file): {gone}",
            (key, certificate): "PEM",
            (certificate, locked[1]): "私钥不带密码",
            locked: "私钥不带密码",
        }.items():
            with pytest.raises(ConfigError, match=re.escape(words)):
                async with open_web(encrypted(*pair), house):
                    raise AssertionError("it was opened")


async def test_with_a_certificate_it_is_https(tmp_path: Path) -> None:
    certificate, key = await made_certificate(tmp_path)
    web = encrypted(certificate, key)
    trusted = ssl.create_default_context(cafile=str(certificate))
    with trio.fail_after(10):
        async with open_shop() as shop:
            house = house_of(shop, write_settings(tmp_path, shop))
            async with (
                open_web(web, house) as opened,
                httpx.AsyncClient(trust_env=False, verify=trusted) as client,
            ):
                assert opened.url.startswith("https://")
                answer = await client.post(f"{opened.url}/sign-in", data={"token": ADMIN})
                assert "Secure" in answer.headers["set-cookie"]
