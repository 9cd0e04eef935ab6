"""The way out: settle what is uncertain, then say what is due.

Several messages are under way at once, but never two of one chat: a buyer reads them in
the order in which they were stored.  A message whose answer is lost stays `sending`, and
is not said again before the conversation was read back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, assert_never

import attrs
import structlog
import trio

from xybot.accounts.doorbell import Doorbell
from xybot.accounts.echoes import Echoes
from xybot.events import EventFeed, ReplySent, SendRefused
from xybot.model import AccountId, ChatId, Outgoing, Sayable, Text, UserId
from xybot.store import outbox
from xybot.store.database import Store
from xybot.store.outbox import NotSent, Refused, Sent, Settlement
from xybot.wire import answers, requests
from xybot.wire.answers import Accepted, Declined, Later, Said
from xybot.wire.frames import OK
from xybot.xianyu.connection import Connection

log = structlog.get_logger()

_UNDER_WAY: Final = 32
"""Messages of one account whose answer is awaited at the same time."""
_PAUSES: Final = (2.0, 4.0, 6.0, 15.0, 30.0, 60.0)
"""Seconds before each further attempt that the platform asked to make later (§1.3)."""
_CLOCKS_DIFFER_BY: Final = 120_000
"""Milliseconds by which a time of the history may be off, once the clocks are compared."""


@attrs.define(eq=False, kw_only=True)
class Sender:
    """The way out of one account; outlives its connections."""

    account: AccountId
    user: UserId
    store: Store
    feed: EventFeed
    bell: Doorbell
    echoes: Echoes
    platform_ms: Callable[[], int]
    now_ms: Callable[[], int]
    _busy: set[ChatId] = attrs.field(factory=set, init=False)

    async def serve(self, line: Connection, proven: Callable[[], None]) -> None:
        """Say whatever is due, for as long as the connection lasts."""
        self._busy.clear()
        await self._settle_uncertain(line)
        async with trio.open_nursery() as nursery:
            while True:
                for outgoing in await self._take():
                    self._busy.add(outgoing.chat)
                    nursery.start_soon(self._say, line, outgoing, proven)
                await self.bell.wait()

    async def _take(self) -> tuple[Outgoing, ...]:
        room = _UNDER_WAY - len(self._busy)
        if room <= 0:
            return ()
        return await self.store.transact(
            outbox.take_due, self.account, frozenset(self._busy), most=room, now=self.now_ms()
        )

    async def _say(self, line: Connection, outgoing: Outgoing, proven: Callable[[], None]) -> None:
        settlement = await self._until_settled(line, outgoing)
        proven()
        more = await self._settle(outgoing, settlement)
        self._busy.discard(outgoing.chat)
        if more:
            self.bell.ring()

    async def _until_settled(self, line: Connection, outgoing: Outgoing) -> Settlement:
        request = requests.send(
            outgoing.uuid, outgoing.chat, outgoing.to, self.user, outgoing.content
        )
        put_off = ""
        for pause in (0.0, *_PAUSES):
            if pause:
                await trio.sleep(pause)
            answer = answers.of_send(await line.request(request))
            match answer:
                case Accepted(message):
                    return Sent(message)
                case Declined(reason):
                    return Refused(reason)
                case Later(reason):
                    put_off = reason
                case _:
                    assert_never(answer)
        return Refused(f"tried {len(_PAUSES) + 1} times: {put_off}")

    async def _settle(self, outgoing: Outgoing, settlement: Settlement) -> bool:
        """Store what became of a message and tell it; return whether others wait."""
        if isinstance(settlement, Sent) and settlement.message:
            self.echoes.expect(settlement.message)
        more = await self.store.transact(
            outbox.settle, self.account, outgoing.uuid, settlement, now=self.now_ms()
        )
        self._tell(outgoing, settlement)
        return more

    def _tell(self, outgoing: Outgoing, settlement: Settlement) -> None:
        match settlement:
            case Sent(message):
                why = f"{outgoing.source}: {outgoing.because}"
                self.feed.publish(
                    ReplySent(
                        account=self.account,
                        chat=outgoing.chat,
                        message=message,
                        text=_words(outgoing.content),
                        why=why,
                    )
                )
            case Refused(reason):
                self.feed.publish(
                    SendRefused(
                        account=self.account,
                        chat=outgoing.chat,
                        text=_words(outgoing.content),
                        reason=reason,
                    )
                )
            case NotSent():
                pass  # It is due again, and will be told when it is said.
            case _:
                assert_never(settlement)

    async def _settle_uncertain(self, line: Connection) -> None:
        """Read back the conversation of every message whose answer was lost."""
        for outgoing in await self.store.transact(outbox.uncertain, self.account):
            answer = await line.request(requests.history(outgoing.chat))
            if answer.code != OK:
                # Not to be known now: it stays uncertain, and unsaid, until the next connection.
                words = _words(outgoing.content)
                log.warning("send.uncertain", account=self.account, chat=outgoing.chat, text=words)
                continue
            told = await self.store.transact(outbox.told, self.account, outgoing.chat)
            lines = answers.own_lines(answer, self.user)
            new = (said for said in lines if said.message not in told)
            skew = self.platform_ms() - self.now_ms()
            found = next((said for said in new if _is(outgoing, said, skew)), None)
            await self._settle(outgoing, Sent(found.message) if found else NotSent())


def _is(outgoing: Outgoing, said: Said, skew: int) -> bool:
    since = (outgoing.sending_since or 0) + skew - _CLOCKS_DIFFER_BY
    return said.sent_at >= since and said.text == _words(outgoing.content)


def _words(content: Sayable) -> str:
    return content.text if isinstance(content, Text) else "[图片]"
