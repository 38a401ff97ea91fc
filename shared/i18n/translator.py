"""One language's texts, from its .po file, compiled in memory when the language is first asked for."""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from typing import Any, Final, final

LANGUAGES: Final = ("id", "en")
LOCALES: Final = Path(__file__).parent / "locales"


def N_(text: str) -> str:  # noqa: N802 — the name that gettext tools know
    """Marks a text for translation and leaves it as it is: for tables of texts that are translated when shown."""
    return text


def catalogue_path(language: str) -> Path:
    """Where a language's texts are."""
    return LOCALES / language / "LC_MESSAGES" / "ronda.po"


@final
class Translator:
    """Texts in one language. What the catalogue lacks stays English."""

    def __init__(self, language: str, texts: GNUTranslations) -> None:
        self.language = language
        self._texts = texts

    @classmethod
    def for_language(cls, language: str) -> Translator:
        """The translator of a language tag such as `id`, `en` or `id-ID`; English for one that is not there."""
        code = language.replace("_", "-").partition("-")[0].lower()
        return _load(code if code in LANGUAGES else "en")

    def gettext(self, message: str, **values: Any) -> str:
        """The text in this language, with `values` put in for `{name}`."""
        return _put_in(self._texts.gettext(message), values)

    def ngettext(self, singular: str, plural: str, count: int, **values: Any) -> str:
        """The form of the text that goes with `count`, which may stand in it as `{count}`."""
        return _put_in(self._texts.ngettext(singular, plural, count), {"count": count, **values})

    def pgettext(self, context: str, message: str, **values: Any) -> str:
        """Like `gettext`, for words whose translation depends on where they stand."""
        return _put_in(self._texts.pgettext(context, message), values)


def _put_in(text: str, values: dict[str, Any]) -> str:
    """Values are inserted as they are: braces in a host's name mean nothing."""
    return text.format_map(values) if values else text


@cache
def _load(language: str) -> Translator:
    from babel.messages.mofile import write_mo  # here: only services that talk to people pay for it
    from babel.messages.pofile import read_po

    compiled = BytesIO()
    with catalogue_path(language).open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return Translator(language, GNUTranslations(compiled))
