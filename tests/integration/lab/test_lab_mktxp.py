"""mktxp, a Prometheus exporter for MikroTik, scrapes the lab's routers with its own collectors."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

SCRAPE = """
import sys
from mktxp.cli.config import config_handler, CustomConfig
config_handler(CustomConfig(sys.argv[1]))
from mktxp.flow.collector_handler import CollectorHandler
from mktxp.flow.collector_registry import CollectorRegistry
from mktxp.flow.router_entries_handler import RouterEntriesHandler
handler = CollectorHandler(RouterEntriesHandler(), CollectorRegistry())
for round in (1, 2):
    metrics = list(handler.collect_sync())
for metric in metrics:
    for sample in metric.samples:
        print("SAMPLE", sample.name, sorted(sample.labels.items()), sample.value)
"""

SETTINGS = """
[gw]
    enabled = True
    module_only = False
    hostname = 127.0.0.1
    port = {port}
    username = admin
    password = rahasia
    use_ssl = {tls}
    no_ssl_certificate = {tls}
    pool = True
    queue = True
    netwatch = True
    public_ip = True
    poe = False
    monitor = False
    wireless = False
    wireless_clients = False
    capsman = False
    capsman_clients = False
    firewall = False
    connections = False
    kid_control_dynamic = False
"""


async def scrape(folder: Path, port: int | None, *, tls: bool = False) -> str:
    """Two rounds of all collectors in a process of their own; what they printed."""
    (folder / "mktxp.conf").write_text(SETTINGS.format(port=port, tls=tls))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SCRAPE,
        str(folder),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), 60)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    return output.decode()


@pytest.mark.parametrize("version", ["6.49.18", "7.16.2", "7.20.7"])
async def test_all_collectors_read_the_router(start_router, tmp_path, version):
    router = await start_router(version, board="RB4011iGS+")
    session = await router.pppoe_dial(user="budi", password="budi-pw", mac="AA:BB:CC:00:00:01")
    session.meter.count(rx_bytes=1111, tx_bytes=2222)
    router.menu("/tool/netwatch").add(host="192.0.2.1")
    router.leases.bind("dhcp1", "AA:BB:CC:00:00:09", "192.168.88.9", "hp-sari")
    output = await scrape(tmp_path, router.port)
    assert "Error getting" not in output
    assert "Exception while scraping" not in output
    assert "SAMPLE mktxp_interface_tx_byte_total" in output
    sent = [line for line in output.splitlines() if "interface_tx_byte_total" in line and "<pppoe-budi>" in line]
    assert sent
    assert sent[0].endswith(" 2222")
    assert "mktxp_system_cpu_load" in output
    assert "mktxp_ip_pool_used" in output
    assert "mktxp_dhcp_lease_active_count" in output
    assert "mktxp_netwatch_status" in output
    assert "mktxp_system_routerboard_temperature" in output


async def test_scrape_over_anonymous_tls(start_router, tmp_path):
    router = await start_router(tls=True)
    output = await scrape(tmp_path, router.tls_port, tls=True)
    assert "SAMPLE mktxp_system_identity_info" in output, output
