"""Virtual MikroTik routers: a RouterOS API server over tables of what real routers answer.

Start reading at `router.py` (`VirtualRouter`). `wire.py` and `connection.py` speak the protocol, `menus.json`
with `tables.py` and `rules.py` say what exists, `verbs.py` and `editing.py` do what every menu can do, and
`behaviour/` holds what makes single menus live.
"""

from lab.routers.behaviour.links import Link, LinkMap
from lab.routers.behaviour.sessions import LoginRefused
from lab.routers.clock import Clock, RunningClock, SteppedClock
from lab.routers.errors import Trap
from lab.routers.personality import Personality
from lab.routers.router import VirtualRouter

__all__ = [
    "Clock",
    "Link",
    "LinkMap",
    "LoginRefused",
    "Personality",
    "RunningClock",
    "SteppedClock",
    "Trap",
    "VirtualRouter",
]
