"""`python -m xybot`, and the `xybot` script."""

from __future__ import annotations

import atexit
import gc
import importlib
import sys


def main() -> None:
    """Run a command; Ctrl-C is quiet from the first moment, while things are still loading."""
    # To look through all that was loaded for what could be freed takes half a second at the end.
    atexit.register(gc.freeze)
    try:
        importlib.import_module("xybot.cli").main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
