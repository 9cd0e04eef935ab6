"""A small Xianyu that anyone can start, on loopback or in memory.

It rests on `xybot.model` alone and writes the wire down a second time, so that it can disagree
with the bot.  Start with `platform`.
"""

from xybot.simulator.desk import Settings
from xybot.simulator.faults import Faults
from xybot.simulator.platform import Endpoints, Platform, open_platform

__all__ = ["Endpoints", "Faults", "Platform", "Settings", "open_platform"]
