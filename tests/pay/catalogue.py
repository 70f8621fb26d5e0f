"""Finds every text of the pay page, and writes the compiled catalogue from the readable one.

``python -m tests.pay.catalogue`` after a change of the texts: new ones are added to django.po
without a translation, gone ones leave it, and django.mo is written anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

import omniman_payment_django

PACKAGE = Path(omniman_payment_django.__file__).parent
FOLDER = PACKAGE / "locale" / "pt_BR" / "LC_MESSAGES"
PO, MO = FOLDER / "django.po", FOLDER / "django.mo"

_KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "pgettext": ((1, "c"), 2),
}


def texts() -> Catalog:
    """Every text that the page's modules and templates have translated."""
    found = Catalog()
    for path in sorted((PACKAGE / "pay").glob("*.py")):
        _add(found, path, path.read_text("utf-8"))
    for path in sorted((PACKAGE / "templates" / "omniman_payment_django" / "pay").glob("*.html")):
        # What templatize leaves is Python but for its indentation.
        lines = templatize(path.read_text("utf-8")).splitlines()
        _add(found, path, "\n".join(line.lstrip() for line in lines))
    return found


def translations() -> Catalog:
    """The readable catalogue."""
    with PO.open("rb") as file:
        return read_po(file, locale="pt_BR")


def compiled(catalogue: Catalog) -> bytes:
    """The same, as gettext reads it."""
    buffer = BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def _add(found: Catalog, path: Path, source: str) -> None:
    where = path.relative_to(PACKAGE).as_posix()
    for line, message, comments, context in _messages(source):
        found.add(message, locations=[(where, line)], auto_comments=comments, context=context)


def _messages(source: str) -> Iterator[tuple[int, str, list[str], str | None]]:
    stream = BytesIO(source.encode("utf-8"))
    for line, message, comments, context in extract(
        "python", stream, keywords=_KEYWORDS, comment_tags=("Translators:",)
    ):
        yield line, str(message), list(comments), context


def renew() -> None:
    """Bring both files up to date with the texts."""
    catalogue = translations()
    catalogue.update(texts(), no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    with PO.open("wb") as file:
        write_po(file, catalogue, width=98, omit_header=False, include_lineno=False)
    MO.write_bytes(compiled(catalogue))


if __name__ == "__main__":
    renew()
