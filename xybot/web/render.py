"""Templates, and what they may call: times, amounts, words for states; all escaped."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import partial
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.ext import Extension

from xybot import __version__
from xybot.store.chats import FOREVER
from xybot.web.languages import Language, translations

_BILINGUAL: Final = re.compile(r"(.*?) \(((?:[^()]|\([^()]*\))*)\)", re.DOTALL)
_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400


def environment(language: Language) -> Environment:
    """Return the templates in a language."""
    made = Environment(
        loader=PackageLoader("xybot.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    install(made, language)
    made.globals |= {"version": __version__, "language": language, "FOREVER": FOREVER}
    made.filters |= {
        "clock": clock,
        "lasted": partial(lasted, language),
        "iso": iso,
        "local": partial(local, language),
    }
    return made


def install(made: Environment, language: Language) -> None:
    """Have an environment translate."""
    extension: Extension = made.extensions["jinja2.ext.InternationalizationExtension"]
    # It is put there by the extension itself, so its types do not know it.
    extension.environment.install_gettext_translations(  # type: ignore[attr-defined]
        translations(language), newstyle=True
    )


def clock(at: int | None, form: str = "%m-%d %H:%M") -> str:
    """Return a time (ms) as the clock on the wall shows it; nothing for one that none shows."""
    try:
        moment = datetime.fromtimestamp(at / 1000, UTC).astimezone() if at is not None else None
    except (ValueError, OverflowError, OSError):
        return ""
    return moment.strftime(form) if moment else ""


def iso(at: int | None) -> str:
    """Return a time (ms) for programs: the `datetime` of a `<time>`."""
    return clock(at, "%Y-%m-%dT%H:%M:%S%z")


def lasted(language: Language, seconds: float | None) -> str:
    """Return a length of time, roughly."""
    if seconds is None:
        return "–"
    units = (("天", "d", _DAY), ("小时", "h", _HOUR), ("分", "min", _MINUTE))
    for zh, en, length in units:
        if seconds >= length:
            return f"{seconds / length:.0f} {en if language == 'en' else zh}"
    exact = f"{seconds:.1f}" if seconds < 10 else f"{seconds:.0f}"  # two digits
    return f"{exact} {'s' if language == 'en' else '秒'}"


def local(language: Language, text: str | None) -> str:
    """Return the half of a bilingual text, `中文 (English)`, that is in a language.

    What the bot stores for people is written in both; where a text is not of that form, it is
    returned as it is.
    """
    whole = text or ""
    found = _BILINGUAL.fullmatch(whole)
    if found is None or _CHINESE.search(found[1]) is None:
        return whole
    return found[2] if language == "en" else found[1]
