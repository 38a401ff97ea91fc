"""How the hosts around a host are: for guessing causes, and for saying which parents are down."""

from __future__ import annotations

from collections import defaultdict

from services.poller.core.causes import Surroundings
from shared.contracts.ids import HostId, SiteId
from shared.contracts.inventory import Host
from shared.contracts.vocabulary import HostState

_SILENT = frozenset({HostState.DOWN, HostState.SUSPECT})


class Landscape:
    """The shown state of every watched host. Every call is cheap: a whole site may go dark at once."""

    def __init__(self) -> None:
        self._states: dict[HostId, HostState] = {}
        self._members: defaultdict[SiteId, set[HostId]] = defaultdict(set)
        self._silent: defaultdict[SiteId, set[HostId]] = defaultdict(set)

    def note(self, host: Host, state: HostState) -> None:
        """This host is so now."""
        self._states[host.id] = state
        self._members[host.site_id].add(host.id)
        if state in _SILENT:
            self._silent[host.site_id].add(host.id)
        else:
            self._silent[host.site_id].discard(host.id)

    def forget(self, host: Host) -> None:
        """This host is watched no longer."""
        self._states.pop(host.id, None)
        self._members[host.site_id].discard(host.id)
        self._silent[host.site_id].discard(host.id)

    def parents_down(self, host: Host) -> tuple[HostId, ...]:
        """The parents of a host that are known to be down."""
        parents = dict.fromkeys(parent for group in host.parents for parent in group)
        return tuple(parent for parent in parents if self._states.get(parent) is HostState.DOWN)

    def around(self, host: Host) -> Surroundings:
        """What can be seen from this host. A parent that is suspect counts: it usually fell silent with its child."""
        members, silent = self._members[host.site_id], self._silent[host.site_id]
        return Surroundings(
            cut_off=any(
                group and all(self._states.get(parent) in _SILENT for parent in group) for group in host.parents
            ),
            neighbours=len(members) - (host.id in members),
            neighbours_down=len(silent) - (host.id in silent),
        )
