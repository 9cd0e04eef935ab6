"""Values of the model as JSON text in a column, and back."""

from __future__ import annotations

from typing import Final

from cattrs.preconf.msgspec import make_converter
from cattrs.strategies import configure_tagged_union

from xybot.model import Content

converter: Final = make_converter(detailed_validation=False)
configure_tagged_union(
    Content, converter, tag_generator=lambda cls: cls.__name__.lower(), tag_name="is"
)


def content_json(content: Content) -> str:
    """Render what was said, or is to be said."""
    return converter.dumps(content, unstructure_as=Content).decode()


def content_of(text: str) -> Content:
    """Read what `content_json` wrote."""
    content: Content = converter.loads(text.encode(), Content)  # type: ignore[arg-type]  # a union
    return content
