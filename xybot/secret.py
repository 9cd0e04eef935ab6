"""Text that must not be seen: cookies and tokens."""

from __future__ import annotations

import attrs


@attrs.frozen(repr=False)
class Secret:
    """Shows as `***` wherever it is printed; `reveal` is the one way to its text."""

    _text: str

    def reveal(self) -> str:
        """Return the text itself, for the wire or for a file of mode 0600."""
        return self._text

    def __repr__(self) -> str:
        return "***"
