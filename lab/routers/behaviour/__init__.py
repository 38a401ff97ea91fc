"""What makes single menus live. Each module has `install(router)`, which hooks into the menus it finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.routers.router import VirtualRouter


def install(router: VirtualRouter) -> None:
    """Make all menus of a new router live."""
    from lab.routers.behaviour import (
        addresses,
        clock,
        counters,
        interfaces,
        neighbors,
        netwatch,
        ping,
        scheduler,
        sessions,
        system,
        vitals,
    )

    for module in (
        system,
        vitals,
        interfaces,
        counters,
        sessions,
        clock,
        addresses,
        ping,
        scheduler,
        netwatch,
        neighbors,
    ):
        module.install(router)
