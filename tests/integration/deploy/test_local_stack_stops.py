"""A local run ends in an order in which everybody can finish: services before the servers they speak to."""

import io

from deploy.local.output import Output
from deploy.local.stack import Options, running


async def test_services_end_while_bus_and_database_still_answer(postgres_folder):
    said = io.StringIO()
    options = Options(state=postgres_folder / "state", lab=False, standard_ports=False, settings={})

    async with running(options, Output(said, colour=False)) as stack:
        assert {"poller", "provisioner", "notifier", "api", "nats", "postgres"} <= stack.pids().keys()

    text = said.getvalue()
    assert text.count("stopped") == 4, text
    assert "lost" not in text, text
    assert "went away" not in text, text
