"""Hosts that answer and can be cut: in a network namespace where the lab may make one, on loopback ports otherwise."""

from lab.hosts.farm import HostFarm
from lab.hosts.host import Host, HostError

__all__ = ["Host", "HostError", "HostFarm"]
