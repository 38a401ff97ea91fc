"""aiogram, without the models that nobody uses.

At import aiogram builds validators for all of its some 300 types, although each of them is marked to be built later.
That took 2.7 s of CPU time and 156 MB (aiogram 3.31, pydantic 2.13), of which the notifier uses a handful. Here the
import leaves them unbuilt, and each is built when it is used first: 0.65 s and 44 MB. Everything aiogram can do is
still there. Where aiogram was imported before by somebody else, nothing is changed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, Optional, Union

from pydantic import BaseModel

_whole = BaseModel.model_rebuild.__func__  # type: ignore[attr-defined]


@contextmanager
def _unbuilt() -> Iterator[None]:
    """Ignore requests to build a model now."""

    def later(cls: type[Any], /, **_given: Any) -> None:  # noqa: ARG001 - a class method
        return None

    setattr(BaseModel, "model_rebuild", classmethod(later))  # noqa: B010 - mypy forbids the plain assignment
    try:
        yield
    finally:
        setattr(BaseModel, "model_rebuild", classmethod(_whole))  # noqa: B010


def _build_when_used(names: Mapping[str, Any], *families: type[BaseModel]) -> None:
    """pydantic builds by itself what is used unbuilt, if it is given the names that aiogram's modules do not import."""

    def build(cls: type[Any], /, **given: Any) -> bool | None:
        given["_types_namespace"] = given.get("_types_namespace") or names
        built: bool | None = _whole(cls, **given)
        return built

    for family in families:
        setattr(family, "model_rebuild", classmethod(build))  # noqa: B010


if "aiogram" in sys.modules:
    from aiogram import Bot
else:
    with _unbuilt():
        from aiogram import Bot
    from aiogram import types
    from aiogram.client.default import Default
    from aiogram.methods.base import Response, TelegramMethod

    _found = {name: getattr(types, name) for name in types.__all__}
    _annotations = {"List": list, "Optional": Optional, "Union": Union, "Literal": Literal, "Default": Default}
    _build_when_used({**_annotations, **_found}, types.TelegramObject, TelegramMethod, Response)

__all__ = ["Bot"]
