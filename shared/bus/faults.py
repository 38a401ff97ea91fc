"""Errors of our tree as headers, so that a query raises in the asking service what the answering one raised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shared import errors
from shared.errors import Refused, Rejected, RondaError, Temporary

CODE_HEADER = "ronda-error"
TEXT_HEADER = "ronda-error-text"
RETRY_HEADER = "ronda-error-retry-after"
RETRYABLE_HEADER = "ronda-error-retryable"
WORDS_HEADER = "ronda-error-words"


def one_line(text: str) -> str:
    """`text` as a header may hold it."""
    return " ".join(text.split())


def fault_headers(error: RondaError) -> dict[str, str]:
    """What `raise_fault` needs to raise the same error elsewhere."""
    headers = {
        CODE_HEADER: _common(type(error)).code,
        TEXT_HEADER: one_line(str(error)),
        RETRYABLE_HEADER: str(error.retryable).lower(),
    }
    if isinstance(error, Temporary) and error.retry_after is not None:
        headers[RETRY_HEADER] = str(error.retry_after)
    if isinstance(error, Rejected):
        headers[WORDS_HEADER] = one_line(error.words)
    return headers


def raise_fault(headers: Mapping[str, str] | None) -> None:
    """Raise the error that `headers` carry, if they carry one. A class we do not know becomes its nearest parent."""
    present = headers or {}
    code = present.get(CODE_HEADER)
    if code is None:
        return
    text = present.get(TEXT_HEADER, code)
    fallback: type[RondaError] = Temporary if present.get(RETRYABLE_HEADER) == "true" else Refused
    error_class = _by_code().get(code, fallback)
    if issubclass(error_class, Temporary):
        delay = present.get(RETRY_HEADER)
        raise error_class(text, retry_after=float(delay) if delay else None)
    if issubclass(error_class, Rejected):
        raise error_class(text, words=present.get(WORDS_HEADER))
    raise error_class(text)


def _by_code() -> dict[str, type[RondaError]]:
    return {error_class.code: error_class for error_class in _tree(RondaError)}


def _common(error_class: type[RondaError]) -> type[RondaError]:
    """The nearest class that both sides have: one of the common tree, not one of a service."""
    return next(parent for parent in error_class.__mro__ if parent.__module__ == errors.__name__)


def _tree(root: type[RondaError]) -> Iterator[type[RondaError]]:
    if root.__module__ == errors.__name__:
        yield root
    for child in root.__subclasses__():
        yield from _tree(child)
