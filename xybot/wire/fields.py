"""Reading values whose form drifts: numbers as strings and back, keys gone missing.

Every reader here answers with a value or None; none of them raises.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote_plus

from xybot.errors import WireError
from xybot.wire import jsontext

Fields: TypeAlias = Mapping[str, Any]
"""A decoded payload; its keys are strings at every level, whatever the wire had."""

ADDRESS = "@goofish"
PNM = ".PNM"
#: urllib's own reading of a query takes ten times as long, on every message.
_QUERY = re.compile(r"[?&]([^=&]+)=([^&]+)")


def dig(value: object, *path: str) -> Any:
    """Follow keys into nested maps; None where the way ends."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def fields_at(value: object, *path: str) -> Fields:
    """Return the map at a path, or an empty one; JSON text of a map is read as the map."""
    for key in path:
        value = fields_at(value).get(key)
    found = parsed(value) if isinstance(value, str) else value
    return found if isinstance(found, dict) else {}


def parsed(text: str) -> Any:
    """Read JSON text inside a field; None when it is none."""
    try:
        return jsontext.loads(text)
    except WireError:
        return None


def text_at(value: object, *path: str) -> str | None:
    """Return the text at a path; a number becomes its digits, "" becomes None."""
    found = dig(value, *path)
    if isinstance(found, bool) or not isinstance(found, str | int):
        return None
    return str(found) or None


def number_at(value: object, *path: str) -> int | None:
    """Return the whole number at a path, also when it is written as text."""
    found = dig(value, *path)
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return None
    try:
        return int(found)
    except (ValueError, OverflowError):
        return None


def bare(address: str | None) -> str | None:
    """Strip `@goofish` from an address; None when nothing is left."""
    return address.removesuffix(ADDRESS) or None if address else None


def is_address(value: object) -> bool:
    """Tell a chat or user address."""
    return isinstance(value, str) and value.endswith(ADDRESS)


def is_message_id(value: object) -> bool:
    """Tell a `.PNM` id."""
    return isinstance(value, str) and value.endswith(PNM)


def message_id(value: object) -> str | None:
    """Return a `.PNM` id; None for anything else, and for one that was blanked."""
    return value if isinstance(value, str) and is_message_id(value) and value != PNM else None


def query_of(url: str | None) -> dict[str, str]:
    """Return the query of a url, first values only, names in lower case."""
    found: dict[str, str] = {}
    for name, value in _QUERY.findall((url or "").partition("#")[0]):
        found.setdefault(unquote_plus(name).lower(), unquote_plus(value))
    return found


def digits(value: str | None) -> str | None:
    """Return an id made of digits only, else None."""
    return value if value and re.fullmatch(r"[0-9]{1,32}", value) else None
