"""Which subjects a filter means, for those who cannot ask the server."""

from __future__ import annotations


def matches(subject_filter: str, subject: str) -> bool:
    """Whether a subject is meant by a filter: `*` is one token, `>` at the end one or more."""
    wanted, tokens = subject_filter.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted, tokens_compared = wanted[:-1], tokens[: len(wanted) - 1]
        if len(tokens) <= len(wanted):
            return False
    else:
        tokens_compared = tokens
    return len(wanted) == len(tokens_compared) and all(
        one in ("*", token) for one, token in zip(wanted, tokens_compared, strict=True)
    )


def matches_any(filters: tuple[str, ...], subject: str) -> bool:
    """Whether any filter means the subject; no filter means all."""
    return not filters or any(matches(one, subject) for one in filters)
