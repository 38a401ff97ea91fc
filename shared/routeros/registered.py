"""From a router of the inventory to the address that a session needs."""

from __future__ import annotations

from pydantic import SecretStr

from shared.contracts.inventory import Router
from shared.routeros.address import RouterAddress, Tls
from shared.security.sealing import ROUTER_PASSWORD, KeyRing


def registered_address(router: Router, keys: KeyRing) -> RouterAddress:
    """Opens the sealed password. Raises NotAllowed or Invalid if our keys cannot, Misconfigured for a bad pin."""
    return RouterAddress(
        host=router.host,
        port=router.port,
        username=router.username,
        password=SecretStr(keys.open(router.sealed_password, purpose=ROUTER_PASSWORD).reveal()),
        tls=Tls(router.tls, fingerprint=router.tls_fingerprint),
    )
