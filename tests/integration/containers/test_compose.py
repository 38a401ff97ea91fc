"""`docker-compose.yml`: what can be read off it without Docker."""

import re

import pytest

from services.api.settings import ApiSettings
from services.notifier.settings import NotifierSettings
from services.poller.settings import PollerSettings
from services.provisioner.settings import ProvisionerSettings
from shared.config import described
from tests.support.containers import COMPOSE, COMPOSE_TEXT, ROOT, new_secrets

DOCKERFILE = (ROOT / "deploy/container/Dockerfile").read_text()
SETTINGS = {
    "poller": PollerSettings,
    "provisioner": ProvisionerSettings,
    "notifier": NotifierSettings,
    "api": ApiSettings,
}
IN_THE_IMAGE = {"RONDA_HEALTH_HOST", "RONDA_HEALTH_PORT", "RONDA_LOG_FORMAT"}
LEFT_TO_THE_PROCESS = {"RONDA_INSTANCE"}
WITHOUT_PASSWORDS = {"notifier"}  # it has no use for the keys that open them
OF_THE_CONTAINER = {"RONDA_HEALTHCHECK_URL"}
LONG_RUNNING = [name for name, service in COMPOSE["services"].items() if "profiles" not in service]


def test_it_starts_the_four_services_and_their_two_servers():
    assert set(LONG_RUNNING) == {*SETTINGS, "nats", "postgres"}
    assert "version" not in COMPOSE, "both generations of compose read it"


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_every_service_has_a_healthcheck(name: str):
    service = COMPOSE["services"][name]
    assert "healthcheck" in service or ("build" in service and "\nHEALTHCHECK" in DOCKERFILE)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_service_gets_each_of_its_settings_and_nothing_else(name: str):
    given = set(COMPOSE["services"][name]["environment"])
    wanted = {each.variable for each in described(SETTINGS[name])} - IN_THE_IMAGE - LEFT_TO_THE_PROCESS
    if name in WITHOUT_PASSWORDS:
        wanted.discard("RONDA_SEAL_KEYS")
    assert given - OF_THE_CONTAINER == wanted


def test_settings_in_the_image_exist():
    known = {each.variable for settings in SETTINGS.values() for each in described(settings)}
    assert known >= IN_THE_IMAGE
    assert set(re.findall(r"(RONDA_\w+)=", DOCKERFILE)) == IN_THE_IMAGE | {"RONDA_STATE_DIR"}


@pytest.mark.parametrize("name", [*COMPOSE["services"]])
def test_nobody_has_rights_that_it_does_not_need(name: str):
    service = COMPOSE["services"][name]
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "cap_add" not in service or name == "postgres"
    assert "privileged" not in service
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert "\nUSER 10001" in DOCKERFILE


def test_new_secrets_are_all_that_must_be_given():
    referenced = set(re.findall(r"\$\{(\w+)(?::\?[^}]*)?\}", COMPOSE_TEXT))
    assert referenced == set(new_secrets())


def test_every_user_of_the_bus_has_a_password_in_the_servers_container():
    wanted = set(re.findall(r"password: \$(\w+)", (ROOT / "deploy/nats.conf").read_text()))
    assert wanted == set(COMPOSE["services"]["nats"]["environment"])
