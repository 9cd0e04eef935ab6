"""Settings of the last look at what goes out: `[guard]`."""

from __future__ import annotations

import attrs
from attrs import field

from xybot.config import checks
from xybot.config.checks import by


@attrs.frozen(kw_only=True)
class Guard:
    """What no reply may hold; what it stops becomes a draft."""

    contacts: bool = True
    """Stop telephone numbers, WeChat, QQ, addresses of other places."""
    banned: tuple[str, ...] = field(default=(), validator=by(checks.no_blanks))
    """Further words, beside the list that ships."""
    allowed: tuple[str, ...] = field(default=(), validator=by(checks.no_blanks))
    """Words that are fine although they look forbidden: `QQ飞车`."""
    longest: int = field(default=400, validator=by(checks.above_zero))
    """Characters of one message; longer ones are split at the ends of sentences."""
