"""The English of the console: `python -m tests.web.catalog` brings it up to date.

It looks for texts in templates and code, keeps the English that there is, drops what nobody
shows any more, and compiles.  What is new stands in the .po without a translation.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

import xybot.web

WEB = Path(xybot.web.__file__).parent
FOLDER = WEB / "locale" / "en" / "LC_MESSAGES"
PO, MO = FOLDER / "console.po", FOLDER / "console.mo"
_METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
_OPTIONS = {"**/templates/**.html": {"trimmed": "true", "silent": "false"}}
_KEYWORDS = {"_": None, "N_": None, "translate": None}


def shown() -> Iterator[tuple[str, str]]:
    """Every text that is translated, and a file that shows it."""
    found = extract_from_dir(WEB, _METHODS, options_map=_OPTIONS, keywords=_KEYWORDS)
    for file, _line, text, _comments, _context in found:
        assert isinstance(text, str)
        yield text, file


def translated() -> Catalog:
    """The English that there is."""
    with PO.open("rb") as file:
        return read_po(file, locale="en", domain="console")


def compiled(catalog: Catalog) -> bytes:
    """What is shipped of a catalog."""
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def updated() -> Catalog:
    """The catalog of what is shown now, with the English that there is."""
    old, new = translated(), Catalog(locale="en", domain="console", fuzzy=False)
    new.creation_date = new.revision_date = old.creation_date
    for text, file in sorted(set(shown()), key=lambda each: (each[1], each[0])):
        known = old.get(text)
        new.add(text, known.string if known else "", locations=[(file, None)])
    return new


def main() -> None:
    catalog = updated()
    with PO.open("wb") as file:
        write_po(file, catalog, width=100, sort_by_file=True)
    catalog = translated()
    MO.write_bytes(compiled(catalog))
    missing = [message.id for message in catalog if message.id and not message.string]
    print(f"{len(catalog)} texts, {len(missing)} without English:", *missing, sep="\n")


if __name__ == "__main__":
    main()
