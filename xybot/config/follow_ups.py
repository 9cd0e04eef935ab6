"""Settings of what is said after a step of an order: `[[follow_ups]]`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Literal, TypeAlias

import attrs
from attrs import field

from xybot.config import checks
from xybot.config.checks import by
from xybot.config.files import Merged
from xybot.model import AccountId, ItemId

When: TypeAlias = Literal["placed", "delivered", "confirmed", "completed"]
"""Ordered and not paid; the goods of `[[goods]]` are with the buyer; shipped, says the platform;
completed."""


@attrs.frozen(kw_only=True)
class FollowUp:
    """A message that is said once after a step of an order; it is for orders of certain items."""

    name: str = field(validator=by(checks.not_blank))
    """No other has it: what was said for an order is known by it."""
    when: When
    text: str = field(validator=by(checks.order_words))
    delay: float = field(default=0.0, validator=by(checks.wait))
    """Seconds from the step to the message."""
    accounts: tuple[AccountId, ...] = ()
    """Empty: every account."""
    items: tuple[ItemId, ...] = ()
    """With `title` empty as well: every item."""
    title: str = field(default="", validator=by(checks.title))
    """Words of the titles of more items that it is for, or a regular expression: `/…/`."""
    where: str = ""
    """`bot.toml: follow_ups[2]（第 3 条）`; the loader's, never written in TOML."""


def misfits(
    follow_ups: Sequence[FollowUp], known: Collection[AccountId], merged: Merged
) -> Iterator[str]:
    """Yield what does not fit together, each with its file and key.

    Args:
      follow_ups: all of them, placed.
      known: the accounts that there are.
      merged: where everything was written.
    """
    first: dict[str, FollowUp] = {}
    for n, each in enumerate(follow_ups):
        if (other := first.setdefault(each.name.strip(), each)) is not each:
            yield merged.place(("follow_ups", n, "name")).problem(
                f'名称 "{each.name}" 与 {other.where} 重复，请换一个'
                " (two follow-ups with this name)"
            )
        for account in each.accounts:
            if account not in known:
                yield merged.place(("follow_ups", n, "accounts")).problem(
                    f'没有叫 "{account}" 的账号 (no account has this id)'
                )
