"""Keeping the .po files in step with the code: find the texts, update the files, say what is missing.

Files are sorted and hold neither places nor dates, so that two branches which add texts seldom meet in a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from string import Formatter
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.catalog import Message as Entry
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from shared.i18n.translator import LANGUAGES, catalogue_path

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = ("services", "shared")
SOURCE_LANGUAGE: Final = "en"  # an empty translation there means: as in the code

_KEYWORDS: Final = {
    "_": None,
    "N_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
_METHODS: Final = {".py": "python", ".html": "jinja2.ext:babel_extract", ".txt": "jinja2.ext:babel_extract"}
_PLURALS: Final = {"id": "nplurals=1; plural=0;", "en": "nplurals=2; plural=(n != 1);"}
_NAMES: Final = {"id": "Indonesian", "en": "English"}
_HEADER: Final = """\
# {name} texts of Ronda, sorted. After a change: python -m shared.i18n extract
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals}\\n"

"""

Key = tuple[str, str | None]


def texts_in_code(root: Path = ROOT) -> dict[Key, str | tuple[str, str]]:
    """Every text that is marked for translation, by its singular and context."""
    found: dict[Key, str | tuple[str, str]] = {}
    for path in _sources(root):
        for _line, message, _comments, context in extract_from_file(_METHODS[path.suffix], path, keywords=_KEYWORDS):
            text = (message[0], message[1]) if isinstance(message, tuple) else message
            singular = text[0] if isinstance(text, tuple) else text
            if singular and (isinstance(text, tuple) or (singular, context) not in found):
                found[(singular, context)] = text
    return found


def read_catalogue(language: str, path: Path | None = None) -> Catalog:
    """A language's file; an empty catalogue where there is none."""
    path = path or catalogue_path(language)
    if not path.exists():
        return _empty(language)
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def updated(language: str, texts: dict[Key, str | tuple[str, str]], old: Catalog) -> bytes:
    """The file as it must be: the texts of the code, with the translations that are there already."""
    fresh = _empty(language)
    for (singular, context), text in texts.items():
        known = old.get(singular, context=context)
        flags = ["fuzzy"] if known is not None and known.fuzzy else []
        comments = known.user_comments if known is not None else []
        fresh.add(text, _kept(known, text), context=context, flags=flags, user_comments=comments)
        entry = fresh.get(singular, context=context)
        if entry is not None:
            entry.flags.intersection_update({"fuzzy"})
    body = BytesIO()
    write_po(body, fresh, width=0, no_location=True, omit_header=True, sort_output=True, ignore_obsolete=True)
    header = _HEADER.format(name=_NAMES[language], language=language, plurals=_PLURALS[language])
    return header.encode() + body.getvalue().strip() + b"\n"


def extract(root: Path = ROOT) -> list[Path]:
    """Bring every file up to date; answers those that changed."""
    texts = texts_in_code(root)
    changed: list[Path] = []
    for language in LANGUAGES:
        path = catalogue_path(language)
        content = updated(language, texts, read_catalogue(language))
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            changed.append(path)
    return changed


def faults(root: Path = ROOT) -> list[str]:
    """What is wrong with the files, as sentences; empty when all is well."""
    texts = texts_in_code(root)
    found: list[str] = []
    for language in LANGUAGES:
        catalogue = read_catalogue(language)
        found += [f"{language}: {sentence}" for sentence in catalogue_faults(catalogue, texts, language)]
        if not found and catalogue_path(language).read_bytes() != updated(language, texts, catalogue):
            found.append(f"{language}: not sorted or not up to date; run `python -m shared.i18n extract`")
    return found


def catalogue_faults(catalogue: Catalog, texts: dict[Key, str | tuple[str, str]], language: str) -> Iterator[str]:
    """Texts that are absent, superfluous, untranslated, doubtful, or translated with other placeholders."""
    present = {(_singular(entry), entry.context): entry for entry in catalogue if entry.id}
    for key in texts.keys() - present.keys():
        yield f"absent: {key[0]!r}"
    for key in present.keys() - texts.keys():
        yield f"no longer in the code (or not marked with N_): {key[0]!r}"
    for key in texts.keys() & present.keys():
        yield from _entry_faults(present[key], language)


def _entry_faults(entry: Entry, language: str) -> Iterator[str]:
    strings = entry.string if isinstance(entry.string, tuple | list) else (entry.string,)
    name = repr(_singular(entry))
    if entry.fuzzy:
        yield f"marked fuzzy: {name}"
    if not all(strings) and not (language == SOURCE_LANGUAGE and not any(strings)):
        yield f"not translated: {name}"
    originals = entry.id if isinstance(entry.id, tuple | list) else (entry.id,)
    wanted = set().union(*(placeholders(text) for text in originals))
    for string in filter(None, strings):
        if placeholders(string) != wanted:
            yield f"other placeholders than the code: {name}"


def _empty(language: str) -> Catalog:
    """A catalogue with the language's plural forms: Babel's own table lacks Indonesian."""
    catalogue = Catalog(locale=language)
    catalogue.mime_headers = [("Plural-Forms", _PLURALS[language])]
    return catalogue


def placeholders(text: str) -> set[str]:
    """The names in braces. A text that is no valid format has the placeholder `?`."""
    try:
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError:
        return {"?"}


def _sources(root: Path) -> Iterator[Path]:
    for folder in SOURCES:
        yield from sorted(
            path for path in (root / folder).rglob("*") if path.suffix in _METHODS and not _generated(path)
        )


def _generated(path: Path) -> bool:
    return bool(re.search(r"/(__pycache__|node_modules)/", path.as_posix()))


def _singular(entry: Entry) -> str:
    return entry.id[0] if isinstance(entry.id, tuple | list) else entry.id


def _kept(known: Entry | None, text: str | tuple[str, str]) -> str | tuple[str, ...] | None:
    """The old translation, if it still has the shape that the text needs."""
    if known is None or isinstance(known.string, tuple | list) != isinstance(text, tuple):
        return None
    return tuple(known.string) if isinstance(known.string, list) else known.string
