"""All hosts of a lab: made together, found by name, removed together."""

from __future__ import annotations

import logging

from lab.hosts import namespace
from lab.hosts.host import Host, HostError
from lab.hosts.loopback import LoopbackGround
from lab.hosts.namespace import NamespaceGround

log = logging.getLogger("lab.hosts")


class HostFarm:
    """`kind` auto tries a namespace and falls back to loopback; icmp and tcp insist."""

    def __init__(self, names: list[str], kind: str = "auto") -> None:
        self.names = names
        self.kind = kind
        self.hosts: dict[str, Host] = {}
        self.why = ""
        """Why there are TCP services instead of a namespace, when auto fell back."""
        self._namespace: NamespaceGround | None = None
        self._loopback: LoopbackGround | None = None

    async def start(self) -> None:
        """Make all hosts and let them answer; raises HostError when the wanted kind cannot be had."""
        if self.kind != "tcp" and await self._start_namespace():
            return
        self.kind = "tcp"
        ground = LoopbackGround()
        self._loopback = ground
        for number, name in enumerate(self.names):
            host = Host(name, ground.address(number), "tcp", ground)
            self.hosts[name] = host
            await host.restore()

    async def _start_namespace(self) -> bool:
        insists = self.kind == "icmp"
        if not namespace.possible():
            self.why = "network namespaces need root and iproute2"
            if insists:
                raise HostError(self.why)
            return False
        ground = NamespaceGround()
        try:
            await ground.start()
            made = [Host(n, ground.address(k), "icmp", ground) for k, n in enumerate(self.names)]
            await ground.open_many(made)
        except HostError as error:
            await ground.stop()
            if insists:
                raise
            self.why = str(error)
            log.warning("no network namespace, hosts are loopback services: %s", error)
            return False
        self._namespace, self.kind = ground, "icmp"
        self.hosts = {host.name: host for host in made}
        return True

    def host(self, name: str) -> Host:
        """The host with this name; raises HostError."""
        found = self.hosts.get(name)
        if found is None:
            raise HostError(f"there is no host {name}")
        return found

    async def stop(self) -> None:
        """Remove everything that was made."""
        for host in self.hosts.values():
            await host.close()
        if self._loopback is not None:
            await self._loopback.stop(list(self.hosts.values()))
        if self._namespace is not None:
            await self._namespace.stop()
