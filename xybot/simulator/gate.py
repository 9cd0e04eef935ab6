"""Where connections come in, over a real socket or in memory: one way for both.

Assumptions about the platform:

* it refuses a dial by a closed port, or by an HTTP answer other than 101 (unknown which);
* it says goodbye by a close frame only when it means to (protocol.md §4.7 does not say).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from errno import ECONNREFUSED
from typing import Final, cast

import attrs
import trio
from trio.testing import memory_stream_pair
from trio_websocket import (
    ConnectionClosed,
    HandshakeError,
    WebSocketConnection,
    wrap_client_stream,
    wrap_server_stream,
)

from xybot.simulator.answers import Answers
from xybot.simulator.lwp import Line
from xybot.simulator.world import SimAccount

_QUEUE: Final = 64
_BUFFER: Final = 65536
_LARGEST: Final = 16 * 1024 * 1024
_HANDSHAKE_WITHIN: Final = 10
_GOODBYE_WITHIN: Final = 2


@attrs.define(eq=False)
class Gate:
    """Serves connections."""

    answers: Answers

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve one connection until either side ends it."""
        try:
            async with trio.open_nursery() as nursery:
                await self._welcome(nursery, stream)
                nursery.cancel_scope.cancel()
        finally:
            await trio.aclose_forcefully(stream)

    async def _welcome(self, nursery: trio.Nursery, stream: trio.abc.Stream) -> None:
        with (
            trio.move_on_after(_HANDSHAKE_WITHIN) as handshake,
            contextlib.suppress(ConnectionClosed),
        ):
            request = await wrap_server_stream(
                nursery,
                stream,
                message_queue_size=_QUEUE,
                max_message_size=_LARGEST,
                receive_buffer_size=_BUFFER,
            )
            # In memory `dial` has refused already.
            if isinstance(stream, trio.SocketStream) and self._refused(None):
                await request.reject(503)
                return
            ws = await request.accept()
            handshake.deadline = math.inf
            sid = f"{self.answers.world.rng.getrandbits(176):044x}"
            await Line(answers=self.answers, ws=ws, sid=sid).run()

    def _refused(self, account: SimAccount | None) -> bool:
        """Use up a refusal of the account that dials; of any when it is not known which."""
        desks = self.answers.desks
        asked = desks.all() if account is None else (desks.of(account),)
        return any(desk.switches.happens("refuse_dial") for desk in asked)

    @asynccontextmanager
    async def dial(
        self,
        headers: Sequence[tuple[bytes, bytes]] = (),
        *,
        account: SimAccount | None = None,
        resource: str = "/",
    ) -> AsyncIterator[WebSocketConnection]:
        """Open a connection in memory; what the block raises comes out as it is.

        Args:
          headers: extra headers of the handshake.
          account: who dials, so that only their own faults refuse them.
          resource: the path.

        Raises:
          HandshakeError: a fault refuses; its cause is the OSError of a closed port.
        """
        if self._refused(account):
            raise HandshakeError from ConnectionRefusedError(ECONNREFUSED, "refused by a fault")
        near, far = memory_stream_pair()
        try:
            async with trio.open_nursery() as nursery:
                # The handshake below waits for it.
                nursery.start_soon(self.serve, far, name="simulator line")  # noqa: ASYNC113
                ws = await _client(nursery, near, resource, headers)
                try:
                    yield ws
                finally:
                    with trio.move_on_after(_GOODBYE_WITHIN):
                        await ws.aclose()
                nursery.cancel_scope.cancel()
        except ExceptionGroup as group:
            # Only the block raises here, so that the nursery's group is one too many.
            if len(group.exceptions) == 1:
                raise group.exceptions[0] from None  # noqa: ASYNC123  # the group says nothing more
            raise


async def _client(
    nursery: trio.Nursery,
    near: trio.abc.Stream,
    resource: str,
    headers: Sequence[tuple[bytes, bytes]],
) -> WebSocketConnection:
    return await wrap_client_stream(
        nursery,
        # It takes any stream, but is typed for sockets only.
        cast("trio.SocketStream", near),
        "simulator",
        resource,
        extra_headers=list(headers),
        message_queue_size=_QUEUE,
        max_message_size=_LARGEST,
        receive_buffer_size=_BUFFER,
    )
