"""The settings in force, and where each comes from; to be changed in the files."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from xybot.config.shown import shown
from xybot.web.pages.visit import Visit, page


@page("/settings")
async def settings(visit: Visit) -> Response:
    """Show every setting."""
    loaded = visit.house.loaded()
    return await visit.page(
        "settings.html",
        tables=shown(loaded),
        folder=loaded.folder,
        warnings=loaded.warnings,
        hooks=loaded.config.hooks,
    )


PAGES: Final = (settings,)
