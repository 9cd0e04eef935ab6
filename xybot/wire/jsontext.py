"""JSON as the platform writes it: strict where possible, forgiving where it must be."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from xybot.errors import WireError


def loads(text: str | bytes) -> Any:
    """Read JSON text.

    Half of an emoji (a lone surrogate), as phones cut it off, becomes `?`.

    Raises:
      WireError: it is no JSON, or is nested too deep to read.
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _repaired(text)


def _repaired(text: str | bytes) -> Any:
    try:
        plain = json.dumps(json.loads(text), ensure_ascii=False)
        return msgspec.json.decode(plain.encode("utf-8", "replace"))
    except (msgspec.DecodeError, ValueError, RecursionError) as exc:
        raise WireError(f"not JSON: {text[:80]!r}") from exc


def dumps(value: object) -> str:
    """Render compact JSON text; a lone surrogate becomes `?` here too."""
    try:
        return msgspec.json.encode(value).decode("utf-8")
    except UnicodeEncodeError:
        plain = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return plain.encode("utf-8", "replace").decode("utf-8")
