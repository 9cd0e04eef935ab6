"""The HTTP side answers that it lives, on the address of bot.toml."""

from __future__ import annotations

import httpx
import pytest
import trio

from xybot import __version__
from xybot.errors import ConfigError
from xybot.web.server import open_web


async def test_health_answers_without_a_token_and_tells_nothing_of_accounts() -> None:
    with trio.fail_after(10):
        async with open_web("127.0.0.1:0") as url, httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"{url}/health")
            nothing = await client.get(f"{url}/")
    assert answer.json() == {"status": "ok", "version": __version__}
    assert nothing.status_code == 404


async def test_a_port_in_use_is_said_in_one_line() -> None:
    with trio.fail_after(10):
        (taken,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        async with taken:
            port = taken.socket.getsockname()[1]
            with pytest.raises(ConfigError, match=f"web.listen: 127.0.0.1:{port} .*in use"):
                async with open_web(f"127.0.0.1:{port}"):
                    raise AssertionError("nobody listens here")
