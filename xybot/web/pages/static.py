"""The files that pages are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.responses import FileResponse, Response

from xybot import web
from xybot.web.pages.visit import Visit, page
from xybot.web.problems import not_found

FOLDER: Final = Path(web.__file__).parent / "static"
_NAMES: Final = frozenset(path.name for path in FOLDER.iterdir() if path.suffix in (".css", ".js"))


@page("/static/{name}")
async def static(visit: Visit) -> Response:
    """Return one of our files."""
    name = visit.path("name")
    if name not in _NAMES:
        raise not_found(name)
    return FileResponse(FOLDER / name, headers={"cache-control": "private, max-age=3600"})


PAGES: Final = (static,)
