"""Imports of libraries without optional parts that no service uses.

Some libraries import others in case somebody wants them. Four small processes pay for that four times, in memory and
in the seconds of a start; the number stands where it is done.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import cast


@contextmanager
def without(*names: str) -> Iterator[None]:
    """While the context is open, importing these raises ImportError, unless somebody imported them before."""
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = cast("ModuleType", None)  # what the import system takes for "not there"
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
