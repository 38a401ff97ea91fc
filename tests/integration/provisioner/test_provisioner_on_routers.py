"""Accounts on the lab's routers, by the whole provisioner on a real NATS server, with no more rights than it gets."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from deploy.local.nats_server import NatsServer
from lab.routers import VirtualRouter
from shared.contracts.vocabulary import AccountStatus, Service
from tests.integration.provisioner.desk_and_router import (
    MENU,
    VERSIONS,
    Desk,
    desk_at,
    lab_router,
    provisioner_at,
    seal,
)


@pytest.fixture
async def desk(nats_url: str) -> AsyncIterator[Desk]:
    async with desk_at(nats_url) as desk:
        yield desk


@pytest.fixture
def provisioner_url(nats_url: str, shared_nats_server: NatsServer) -> str:  # noqa: ARG001 emptied first
    return shared_nats_server.url("provisioner")


@pytest.fixture(params=VERSIONS)
async def router(request: pytest.FixtureRequest) -> AsyncIterator[VirtualRouter]:
    async with lab_router(request.param) as router:
        yield router


@pytest.fixture
async def provisioner(provisioner_url: str) -> AsyncIterator[None]:
    async with provisioner_at(provisioner_url):
        yield


@pytest.mark.mission("B1", "B2", "B3", "B4")
@pytest.mark.parametrize("service", list(Service))
async def test_an_account_lives_from_creation_to_deletion(
    desk: Desk, router: VirtualRouter, provisioner: None, service: Service
):
    menu = router.menu(MENU[service])
    await desk.register(router)

    made = await desk.applied("budi", await desk.wish("gw-1", "budi", service=service, comment="rumah 7"))
    row = menu.row(name="budi")
    assert row is not None
    assert (row["profile"], row["password"], row["comment"]) == ("paket10", "rahasia", "rumah 7")
    assert made.steps == ("add profile=paket10",)

    generation = await desk.wish("gw-1", "budi", service=service, sealed_password=seal("123"))
    assert (await desk.applied("budi", generation)).steps == ("set password",)
    assert menu.row(name="budi")["password"] == "123"

    await desk.applied("budi", await desk.wish("gw-1", "budi", service=service, status=AccountStatus.DISABLED))
    assert menu.row(name="budi")["disabled"] == "true"
    await desk.applied("budi", await desk.wish("gw-1", "budi", service=service, profile="paket20"))
    assert (menu.row(name="budi")["disabled"], menu.row(name="budi")["profile"]) == ("false", "paket20")
    await desk.applied("budi", await desk.wish("gw-1", "budi", service=service, status=AccountStatus.DELETED))
    assert menu.row(name="budi") is None
