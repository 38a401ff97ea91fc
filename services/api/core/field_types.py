"""What the fields of requests and forms may hold: the same whether a program sends them or a person types them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints


def printable(text: str) -> str:
    """The text. Raises ValueError for control characters."""
    if not text.isprintable():
        raise ValueError("Control characters cannot be part of a name.")
    return text


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), AfterValidator(printable)]
Address = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=253, pattern=r"^[^\s/]+$")]
PolicyName = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
"""Whether there is such a policy is a question for the handler: there are policies of one's own."""
Inherited = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^([a-z0-9][a-z0-9_-]{0,39})?$")]
"""A policy's name, or nothing where that of something wider holds."""
Port = Annotated[int, Field(ge=1, le=65535)]
Percent = Annotated[float, Field(gt=0, le=100)]
