"""The languages of the console: Chinese, in which it is written, and English from a catalog.

Texts are marked in templates (`{% trans %}`, `_()`) and in code (`N_`), the Chinese being the
key.  `locale/en/LC_MESSAGES/console.po` has the English, `console.mo` is made of it; a test
holds the three together and says how to bring them up to date.
"""

from __future__ import annotations

import functools
import gettext
import re
from collections.abc import Callable
from importlib import resources
from typing import Final, Literal, TypeAlias

from starlette.requests import Request

Language: TypeAlias = Literal["zh", "en"]

COOKIE: Final = "lang"
DOMAIN: Final = "console"
_WEIGHT: Final = re.compile(r"q=([0-9.]+)")


def N_(text: str) -> str:  # noqa: N802  # the name that everybody knows for this
    """Mark a text that is translated where it is shown."""
    return text


@functools.cache
def translations(language: Language) -> gettext.NullTranslations:
    """Return what turns the Chinese of the console into a language."""
    if language == "zh":
        return gettext.NullTranslations()
    catalog = resources.files("xybot.web") / "locale" / language / "LC_MESSAGES" / f"{DOMAIN}.mo"
    with catalog.open("rb") as file:
        return gettext.GNUTranslations(file)


def translator(language: Language) -> Callable[[str], str]:
    """Return a function that translates."""
    return translations(language).gettext


def language_of(request: Request) -> Language:
    """Return the language that a visitor chose, or that their browser prefers; else Chinese."""
    match request.cookies.get(COOKIE):
        case "zh":
            return "zh"
        case "en":
            return "en"
    return preferred(request.headers.get("accept-language", ""))


def preferred(accepted: str) -> Language:
    """Return the language of an `Accept-Language` header that is wanted most."""
    best: tuple[float, Language] = (0.0, "zh")
    for each in accepted.split(","):
        name, _, rest = each.strip().partition(";")
        weight = _WEIGHT.search(rest)
        wanted = min(float(weight[1].strip(".") or 0), 1.0) if weight else 1.0
        kind: Language | None = None
        if name.lower().startswith("zh"):
            kind = "zh"
        elif name.lower().startswith("en"):
            kind = "en"
        if kind is not None and wanted > best[0]:
            best = (wanted, kind)
    return best[1]
