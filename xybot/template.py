"""Reply texts with places for what is known about the buyer."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

ITEM_VARIABLES = ("item_title", "item_price", "item_stock")
"""What only the item's facts can tell."""
TEMPLATE_VARIABLES = (
    "send_user_name",
    "send_user_id",
    "send_message",
    "item_id",
    *ITEM_VARIABLES,
    "date",
    "time",
)
"""What a reply in bot.toml may name between braces."""
CODES = "codes"
"""What is given for an order, in the text of goods."""
GOODS_VARIABLES = ("order_id", "send_user_name", "item_title", "spec", "quantity")
"""What the text of goods may name, beside the codes."""

_PIECE = re.compile(r"\{\{|\}\}|\{(\w+)\}")


def variables(template: str) -> tuple[str, ...]:
    """Return the `{words}` of a template, each as often as it stands there."""
    return tuple(piece[1] for piece in _PIECE.finditer(template) if piece[1])


def unknown_variables(
    template: str, known: Collection[str] = TEMPLATE_VARIABLES
) -> tuple[str, ...]:
    """Return the `{words}` that nobody can fill in, each once, in their order."""
    return tuple(dict.fromkeys(word for word in variables(template) if word not in known))


def around(template: str, variable: str) -> tuple[str, str]:
    """Return the template before and after the first `{variable}`, which must be there."""
    place = next(piece for piece in _PIECE.finditer(template) if piece[1] == variable)
    return template[: place.start()], template[place.end() :]


def names_item(templates: Iterable[str]) -> bool:
    """Tell whether one of the templates names what only the item's facts can tell."""
    return any(piece[1] in ITEM_VARIABLES for each in templates for piece in _PIECE.finditer(each))


def render(template: str, values: Mapping[str, str]) -> str:
    """Fill in the `{words}`; `{{` and `}}` are braces, any other brace is itself.

    One pass: braces inside a value, which a buyer may have written, stay as they are.

    Raises:
      KeyError: `values` lacks a word of the template.
    """
    return _PIECE.sub(lambda piece: values[piece[1]] if piece[1] else piece[0][0], template)
