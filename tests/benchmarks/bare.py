"""The least that answers on the same platform: log in, acknowledge, send; no store, no parsing.

Prints `ready` once it is registered, then answers until it is ended.
"""

from __future__ import annotations

import base64
import re
import sys
import time
from typing import Final

import trio
from botfolder import REPLY
from trio_websocket import WebSocketConnection, open_websocket_url

from xybot.model import ChatId, Text, UserId
from xybot.wire import jsontext, requests

_MID: Final = re.compile(r'"mid":"([^"]*)"')
_DATA: Final = re.compile(r'"data":"([^"]*)"')
_ADDRESS: Final = re.compile(rb"(\d+)@goofish")


def _registration(token: str, device: str) -> str:
    request = requests.register(token, device)
    headers = ",".join(f'"{name}":"{value}"' for name, value in request.headers.items())
    return f'{{"lwp":"/reg","headers":{{{headers},"mid":"1 0"}}}}'


def _template(user: UserId) -> str:
    """Return a send request with @MID@, @UUID@, @CHAT@ and @PEER@ to be filled in."""
    request = requests.send("@UUID@", ChatId("@CHAT@"), UserId("@PEER@"), user, Text(REPLY))
    body = jsontext.dumps(request.body)
    return f'{{"lwp":"{request.lwp}","headers":{{"mid":"@MID@"}},"body":{body}}}'


async def answer(ws: WebSocketConnection, user: str) -> None:
    """Acknowledge every push, and answer every one that is not our own echo."""
    template, count, began = _template(UserId(user)), 1, time.time_ns()
    while True:
        text = await ws.get_message()
        assert isinstance(text, str)
        found = _MID.search(text)
        if found is None or '"lwp":"' not in text[:1200]:
            continue  # An answer to one of our own.
        await ws.send_message(f'{{"code":200,"headers":{{"mid":"{found[1]}"}}}}')
        entry = _DATA.search(text)
        if entry is None or '"/s/sync"' not in text:
            continue
        people = _ADDRESS.findall(base64.b64decode(entry[1]))
        sender, chat = people[0].decode(), people[1].decode()
        if sender != user:
            count += 1
            filled = template.replace("@MID@", f"{count} 0").replace("@CHAT@", chat)
            filled = filled.replace("@UUID@", f"-{began}{count}").replace("@PEER@", sender)
            await ws.send_message(filled)


async def main(*words: str) -> None:
    """Serve one account: its platform, token, device and user id."""
    url, token, device, user = words
    async with open_websocket_url(
        url, message_queue_size=64, receive_buffer_size=65536, disconnect_timeout=1
    ) as ws:
        await ws.send_message(_registration(token, device))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await answer(ws, user)


if __name__ == "__main__":
    trio.run(main, *sys.argv[1:])
