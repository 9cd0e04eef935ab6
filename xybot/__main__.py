"""`python -m xybot`, and the `xybot` script."""

from __future__ import annotations

import importlib
import sys


def main() -> None:
    """Run a command; Ctrl-C is quiet from the first moment, while things are still loading."""
    try:
        importlib.import_module("xybot.cli").main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
