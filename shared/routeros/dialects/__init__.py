"""What differs between RouterOS lines, behind one interface: `dialect_for(version)`."""

from __future__ import annotations

from shared.routeros.dialects.dialect import Dialect, HealthReading, Line, UserManagerMenu
from shared.routeros.dialects.v6 import RouterOs6
from shared.routeros.dialects.v7 import RouterOs7
from shared.routeros.version import RouterVersion

__all__ = ["Dialect", "HealthReading", "Line", "UserManagerMenu", "dialect_for"]


def dialect_for(version: RouterVersion) -> Dialect:
    """The dialect of this version. Anything newer than 7 is treated as 7 until known better."""
    return RouterOs6(version) if version.major < 7 else RouterOs7(version)
