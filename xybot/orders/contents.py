"""Goods as messages: as few as their length allows, every code whole and in its place.

Nothing that a buyer or a code says is ever taken for a template: each text is filled in once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs

from xybot.config import Goods
from xybot.model import AccountId, Image, ItemId, OrderId, Photo, Text
from xybot.splitting import split
from xybot.store.giving import Part
from xybot.template import CODES, around, render

LONGEST: Final = 400
"""Characters of one message, unless `[guard] longest` says otherwise."""


@attrs.frozen(kw_only=True)
class Sale:
    """What is known of an order when its goods are given."""

    account: AccountId
    order_id: OrderId
    item_id: ItemId
    item_title: str
    spec: str
    quantity: int
    send_user_name: str
    """What the buyer is called."""

    @property
    def values(self) -> Mapping[str, str]:
        """What the text of goods may name, beside the codes."""
        return {
            "order_id": self.order_id,
            "send_user_name": self.send_user_name,
            "item_title": self.item_title,
            "spec": self.spec,
            "quantity": str(self.quantity),
        }


def messages(
    goods: Goods, codes: Sequence[str], sale: Sale, *, longest: int = LONGEST
) -> tuple[Part, ...]:
    """Return the messages that give goods to a buyer, in their order; at least one.

    The words around `{codes}` stand in the first message; what does not fit there follows, a
    code on each line.  A code longer than a message has one for itself, and is not cut.

    Args:
      goods: what is given.
      codes: of the order; none, unless the goods take some.
      sale: what their text may name.
      longest: characters of one message.

    Raises:
      ValueError: goods that take codes got none, or the reverse.
    """
    if bool(codes) != goods.takes_codes:
        raise ValueError(f"{len(codes)} codes for goods of the kind {goods.kind}")
    if goods.takes_codes:
        return tuple(_with_codes(goods.text, codes, sale, longest))
    return (*_words(render(goods.text, sale.values), longest), *_picture(goods.image))


def _words(text: str, longest: int) -> Iterator[Part]:
    yield from (Part(Text(piece)) for piece in split(text, longest))


def _picture(image: str) -> Iterator[Part]:
    if image:
        yield Part(Image(image) if "://" in image else Photo(image))


def _with_codes(template: str, codes: Sequence[str], sale: Sale, longest: int) -> Iterator[Part]:
    before, after = (render(half, sale.values) for half in around(template, CODES))
    before, after = before.lstrip(), after.rstrip()
    done = _fitting(codes, 0, longest - len(before) - len(after))
    if done:
        yield Part(Text(f"{before}{_lines(codes, 0, done)}{after}"), tuple(range(done)))
    else:  # Not even one fits beside so many words.
        yield from _words(before + after, longest)
    while done < len(codes):
        first, done = done, max(done + 1, _fitting(codes, done, longest))
        yield Part(Text(_lines(codes, first, done)), tuple(range(first, done)))


def _fitting(codes: Sequence[str], first: int, room: int) -> int:
    """Return behind which code a message is full that begins with the first."""
    room += 1  # No line break before the first.
    for n in range(first, len(codes)):
        room -= len(codes[n]) + 1
        if room < 0:
            return n
    return len(codes)


def _lines(codes: Sequence[str], first: int, end: int) -> str:
    return "\n".join(codes[first:end])
