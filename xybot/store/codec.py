"""Values of the model as JSON text in a column, and back."""

from __future__ import annotations

from typing import Final, TypeAlias

from cattrs.preconf.msgspec import make_converter
from cattrs.strategies import configure_tagged_union

from xybot.model import Content, Photo

Kept: TypeAlias = Content | Photo
"""What was said, or is to be said."""

converter: Final = make_converter(detailed_validation=False)
configure_tagged_union(
    Kept, converter, tag_generator=lambda cls: cls.__name__.lower(), tag_name="is"
)


def content_json(content: Kept) -> str:
    """Render what was said, or is to be said."""
    return converter.dumps(content, unstructure_as=Kept).decode()


def content_of(text: str) -> Kept:
    """Read what `content_json` wrote."""
    content: Kept = converter.loads(text.encode(), Kept)  # type: ignore[arg-type]  # a union
    return content
