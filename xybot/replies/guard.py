"""A last look at what goes out, whoever thought it out: rules, a model, a webhook, haggling.

What it stops becomes a draft with the reason: nothing is lost, and nothing is said that the
seller would be punished for.  Words are compared as people read them: without blanks and
marks between the letters, in whatever width, and with numbers written out as digits.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Final, TypeAlias

import attrs

from xybot.config import Guard as Settings
from xybot.model import Reply, Sayable, Text, Turn
from xybot.replies import forbidden
from xybot.splitting import split
from xybot.template import GOODS_VARIABLES, TEMPLATE_VARIABLES, render

Floor: TypeAlias = Callable[[Turn], Awaitable[int | None]]
"""Returns the lowest price (fen) that may be named to a buyer; None where there is no floor."""

_MOST: Final = 10
"""Messages of one reply; more in one breath are no answer but a mistake."""
_LARGEST: Final = 10_000
"""Characters of one reply, all messages together; nobody reads more, nor do we."""
_TOO_LONG: Final = "太长 (too long)"


@attrs.frozen
class Looked:
    """A reply after the last look."""

    reply: Reply
    """With long texts split."""
    stopped: str
    """Why it may not be sent, in words for the seller; empty: it may."""


@attrs.frozen(kw_only=True)
class Guard:
    """Looks at every reply of every source."""

    contacts: bool
    banned: tuple[tuple[str, str], ...]
    """Words as they are compared, and as they were written."""
    allowed: tuple[str, ...]
    longest: int
    floor: Floor | None = None

    async def look(self, turn: Turn, reply: Reply) -> Looked:
        """Return a reply as it may be said, or why it may not."""
        said = [each.text for each in reply.contents if isinstance(each, Text)]
        if sum(map(len, said)) > _LARGEST:
            return Looked(reply, f"{_TOO_LONG}: {sum(map(len, said))}")
        contents = tuple(self._split(reply.contents))
        texts = [each.text for each in contents if isinstance(each, Text)]
        stopped = self.objection(said, texts)
        if not stopped and len(contents) > _MOST:
            stopped = f"{_TOO_LONG}: {len(contents)} 条 (messages)"
        if not stopped and await self._is_too_cheap(turn, texts):
            # The floor itself stays out of it: reasons stand in logs.
            stopped = "报价低于您的底价 (a price below your floor)"
        return Looked(attrs.evolve(reply, contents=contents), stopped)

    async def _is_too_cheap(self, turn: Turn, texts: Iterable[str]) -> bool:
        named = [price for text in texts for price in forbidden.prices(text)]
        if not named or self.floor is None:
            return False
        floor = await self.floor(turn)
        return floor is not None and min(named) < floor

    def objection(self, *ways: Sequence[str]) -> str:
        """Return what is wrong with messages, each for itself and all read as one; or nothing.

        Args:
          ways: the same messages, whole or split.
        """
        # A number goes on after a pause; a word does not stop at the end of a message.
        read = (text for way in ways for text in (*way, "\n".join(way), "".join(way)))
        found = (self._wrong(text) for text in dict.fromkeys(read))
        return next(filter(None, found), "")

    def objection_to_templates(self, templates: Iterable[str]) -> str:
        """Return what is wrong with templates whoever the buyer is; or nothing."""
        nobody = dict.fromkeys((*TEMPLATE_VARIABLES, *GOODS_VARIABLES), "")
        return self.objection([render(template, nobody) for template in templates])

    def _wrong(self, text: str) -> str:
        if found := forbidden.leftover(text):
            return f"模板的括号没有填上 (a place of a template is left over): {found}"
        plain = forbidden.plain(text, self.allowed)
        if self.contacts and (found := forbidden.contact(plain)):
            return f"含有联系方式或站外信息 (contact details or another place): {found}"
        bare = forbidden.bare(plain)
        word = next((written for folded, written in self.banned if folded in bare), None)
        return f"含有禁用词 (a banned word): {word}" if word else ""

    def _split(self, contents: Iterable[Sayable]) -> Iterator[Sayable]:
        for content in contents:
            if isinstance(content, Text):
                yield from (Text(piece) for piece in split(content.text, self.longest))
            else:
                yield content


def guard(settings: Settings, floor: Floor | None = None) -> Guard:
    """Build the guard of the settings: what ships is banned, and what they add."""
    words = (*_shipped(), *settings.banned)
    folded = ((forbidden.bare(forbidden.plain(word)), word) for word in words)
    return Guard(
        contacts=settings.contacts,
        banned=tuple((word, written) for word, written in folded if word),
        allowed=tuple(settings.allowed),
        longest=settings.longest,
        floor=floor,
    )


def _shipped() -> tuple[str, ...]:
    """Return the words of banned.txt."""
    text = importlib.resources.files("xybot.replies").joinpath("banned.txt").read_text("utf-8")
    lines = (line.strip() for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))
