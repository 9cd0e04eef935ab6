"""Many who follow the bot's events, and read all they are sent; a process of its own.

Takes orders as JSON lines: `{"do": "open", "port", "token", "count"}`, `{"do": "told"}`, which is
answered with what they were sent, and `{"do": "close"}`.
"""

from __future__ import annotations

import selectors
import socket
import sys
from typing import Any, Final

import msgspec

_ROOM: Final = bytearray(1 << 20)
_EVENT: Final = b"\nevent: "


class Listener:
    """One connection; counts the events that come."""

    def __init__(self, port: int, token: str) -> None:
        """Ask for every event from now on."""
        self.events = 0
        self._rest = b""
        self.line = socket.create_connection(("127.0.0.1", port))
        ask = "GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
        self.line.sendall(f"{ask}Authorization: Bearer {token}\r\n\r\n".encode())

    def read(self) -> None:
        """Read what is there, and count the events that begin in it."""
        length = self.line.recv_into(_ROOM)
        if not length:
            raise EOFError("the bot hung up on a listener")
        text = self._rest + _ROOM[:length]
        self.events += text.count(_EVENT)
        self._rest = bytes(text[1 - len(_EVENT) :])


class Audience:
    """All of them."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self.ready = selectors.DefaultSelector()
        self.ready.register(sys.stdin, selectors.EVENT_READ)
        self.listeners: list[Listener] = []

    def open(self, port: int, token: str, count: int) -> dict[str, Any]:
        """Let so many come."""
        for _ in range(count):
            self.listeners.append(Listener(port, token))
            self.ready.register(self.listeners[-1].line, selectors.EVENT_READ, self.listeners[-1])
        return {"listeners": len(self.listeners)}

    def told(self) -> dict[str, Any]:
        """Tell how many events the first and the last of them know."""
        known = [each.events for each in self.listeners]
        return {"least": min(known), "most": max(known)}

    def close(self) -> dict[str, Any]:
        """Let all of them go, and tell what they were sent."""
        told = self.told()
        for each in self.listeners:
            self.ready.unregister(each.line)
            each.line.close()
        self.listeners = []
        return told

    def serve(self) -> None:
        """Read, and take orders, until nobody gives orders any more."""
        orders = {"open": self.open, "told": self.told, "close": self.close}
        while True:
            for key, _ in self.ready.select():
                if key.data is not None:
                    key.data.read()
                elif line := sys.stdin.readline():
                    order = msgspec.json.decode(line)
                    told = orders[order.pop("do")](**order)
                    sys.stdout.write(f"{msgspec.json.encode(told).decode()}\n")
                    sys.stdout.flush()
                    break  # What was ready may be closed by now.
                else:
                    return


if __name__ == "__main__":
    Audience().serve()
