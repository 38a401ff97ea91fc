"""What is said of a router besides how to log in to it: its limits, and from where people log in."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from services.api.core.faults import Fault
from shared.contracts.inventory import RouterLimits


def login_network_faults(known_logins: Iterable[str]) -> list[Fault]:
    """One fault for each that is neither an address nor a network."""
    return [
        Fault("known_logins", "network_wrong", f"«{text}» is no address or network; write 10.0.0.5 or 10.0.0.0/24.")
        for text in known_logins
        if not _is_network(text)
    ]


def voltage_faults(limits: RouterLimits) -> list[Fault]:
    """A least voltage above the greatest one would be an alarm for ever."""
    least, most = limits.voltage_min, limits.voltage_max
    if least is None or most is None or least < most:
        return []
    message = f"The least voltage ({least:g} V) must lie below the greatest ({most:g} V)."
    return [Fault("limits.voltage_min", "voltage_wrong", message)]


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True
