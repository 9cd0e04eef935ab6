"""`python -m xybot`."""

from __future__ import annotations

from xybot.cli import main

main()
