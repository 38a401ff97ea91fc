"""Would the services take their settings? Asked before anything is started, so that a wrong word costs no waiting."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from deploy.local.environment import SERVICES, WITH_DATABASE, Provided, service_environment
from services.api.settings import ApiSettings
from services.notifier.settings import NotifierSettings
from services.poller.settings import PollerSettings
from services.provisioner.settings import ProvisionerSettings
from shared.config import Settings, load
from shared.errors import Misconfigured
from shared.security.sealing import generate_key

_CLASSES: Mapping[str, type[Settings]] = {
    "poller": PollerSettings,
    "provisioner": ProvisionerSettings,
    "notifier": NotifierSettings,
    "api": ApiSettings,
}


def check_settings(own: Mapping[str, str]) -> None:
    """Raises Misconfigured with what is wrong, each fault once, in the words of the service that found it."""
    stand_in = Provided(
        nats_urls=dict.fromkeys(SERVICES, "nats://127.0.0.1:4222"),
        database_urls=dict.fromkeys(WITH_DATABASE, "postgresql://127.0.0.1/ronda"),
        health_ports=dict.fromkeys(SERVICES, 0),
        api_port=0,
        seal_keys=generate_key(),
        extra={},
    )
    faults: dict[str, None] = {}
    for service in SERVICES:
        try:
            with _environment(service_environment(service, own, stand_in)):
                load(_CLASSES[service])
        except Misconfigured as wrong:
            faults |= dict.fromkeys(str(wrong).splitlines()[1:])
    if faults:
        raise Misconfigured("\n".join([f"{len(faults)} setting(s) are wrong:", *faults]))


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """What a child with these variables would see; settings are read from the process' own environment."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
