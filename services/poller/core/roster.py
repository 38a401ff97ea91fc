"""The poller's copy of the inventory: who is to be watched, and how."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import ValidationError

from services.poller.core.slim import slim
from shared.contracts.ids import GroupId, HostId, MaintenanceId, RouterId, SiteId
from shared.contracts.inventory import (
    PROBE_POLICIES,
    Host,
    HostGroup,
    Maintenance,
    ProbePolicy,
    Router,
    Site,
    policy_in_force,
)
from shared.errors import Invalid

Entry = Site | HostGroup | Host | Router | ProbePolicy | Maintenance
_KINDS: dict[str, type[Entry]] = {
    "site": Site,
    "group": HostGroup,
    "host": Host,
    "router": Router,
    "policy": ProbePolicy,
    "maintenance": Maintenance,
}


@dataclass
class Roster:
    """Sites, groups, hosts, routers and policies by the key under which the bucket `inventory` holds them."""

    entries: dict[str, Entry] = field(default_factory=dict)
    hosts: dict[HostId, Host] = field(default_factory=dict)
    routers: dict[RouterId, Router] = field(default_factory=dict)
    sites: dict[SiteId, Site] = field(default_factory=dict)
    groups: dict[GroupId, HostGroup] = field(default_factory=dict)
    maintenances: dict[MaintenanceId, Maintenance] = field(default_factory=dict)
    policies: dict[str, ProbePolicy] = field(default_factory=lambda: dict(PROBE_POLICIES))

    def put(self, key: str, value: bytes) -> bool:
        """Take an entry over; False if it is none of ours or says what we know. Raises Invalid if it cannot be read."""
        kind = _KINDS.get(key.partition(".")[0])
        if kind is None:
            return False
        try:
            entry = slim(kind.model_validate_json(value))
        except ValidationError as wrong:
            raise Invalid(f"the inventory's {key} cannot be read: {wrong.error_count()} faults") from wrong
        if self.entries.get(key) == entry:
            return False
        self.remove(key)
        self.entries[key] = entry
        match entry:
            case Site():
                self.sites[entry.id] = entry
            case HostGroup():
                self.groups[entry.id] = entry
            case Host():
                self.hosts[entry.id] = entry
            case Router():
                self.routers[entry.id] = entry
            case ProbePolicy():
                self.policies[entry.name] = entry
            case Maintenance():
                self.maintenances[entry.id] = entry
        return True

    def remove(self, key: str) -> bool:
        """Forget an entry; False if it was not known."""
        match self.entries.pop(key, None):
            case None:
                return False
            case Site() as site:
                self.sites.pop(site.id, None)
            case HostGroup() as group:
                self.groups.pop(group.id, None)
            case Host() as host:
                self.hosts.pop(host.id, None)
            case Router() as router:
                self.routers.pop(router.id, None)
            case Maintenance() as maintenance:
                self.maintenances.pop(maintenance.id, None)
            case ProbePolicy() as policy:
                self.policies.pop(policy.name, None)
                if policy.name in PROBE_POLICIES:
                    self.policies[policy.name] = PROBE_POLICIES[policy.name]
        return True

    def watched_hosts(self) -> dict[HostId, Host]:
        """The hosts that are to be asked."""
        return {host.id: host for host in self.hosts.values() if host.enabled}

    def watched_routers(self) -> dict[RouterId, Router]:
        """The routers that are to be listened to."""
        return {router.id: router for router in self.routers.values() if router.enabled}

    def nas_of(self, address: str, name: str) -> RouterId | None:
        """The watched router that accounts from this address, or under this name."""
        watched = self.watched_routers().values()
        by_address = next((router.id for router in watched if router.host == address), None)
        return by_address or next((router.id for router in watched if name and router.name == name), None)

    def policy_of(self, host: Host) -> ProbePolicy:
        """The policy that this host is watched by."""
        group = self.groups.get(host.group_id) if host.group_id else None
        return self.policies[policy_in_force(host, group, self.sites.get(host.site_id), self.policies)]

    def site_name(self, site_id: SiteId) -> str:
        """The site's name, or its id while nothing is known of it."""
        site = self.sites.get(site_id)
        return site.name if site else site_id
