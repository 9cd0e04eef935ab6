"""Settings of the webhook source: the seller's own service answers."""

from __future__ import annotations

import attrs
from attrs import field

from xybot.config import checks
from xybot.config.checks import by
from xybot.config.secrets import SecretSource


@attrs.frozen(kw_only=True)
class Webhook:
    """Where to ask, and how long to wait."""

    url: str = field(validator=by(checks.http_url))
    token: SecretSource | None = None
    """Sent as `Authorization: Bearer …`."""
    timeout: float = field(default=10.0, validator=by(checks.above_zero))
