"""What scripts on routers post, in all the ways they write it."""

from __future__ import annotations

import pytest

from lab.routers.behaviour.scripts import arguments, block, statements
from services.api.core.faults import Faulty
from services.api.core.ingest import read_fields, read_saying
from services.api.core.router_scripts import scripts_for
from shared.contracts.events import RouterSaid
from shared.contracts.ids import RouterId
from shared.contracts.vocabulary import Saying, Service
from shared.errors import Invalid

FORM = "application/x-www-form-urlencoded"
ROUTER = RouterId("01r0ut")
MAC = "A4:5E:60:11:22:33"


def read(body: str, content_type: str = FORM) -> RouterSaid:
    values = read_saying(read_fields(body.encode(), content_type), ROUTER)
    return RouterSaid.model_validate({**values, "at": "2026-11-20T14:00:00Z", "said_id": "1"})


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (f"event=login&user=budi%4010&address=10.5.0.17&mac={MAC}", FORM),
        ("action=Logged+In&username=budi%4010&ip=10.5.0.17&mac_address=a4:5e:60:11:22:33", FORM),
        (
            f'{{"event": "on-login", "name": "budi@10", "ip-address": "10.5.0.17", "mac-address": "{MAC}"}}',
            "application/json",
        ),
        (f"raw=yes&event=login&service=hotspot&address=10.5.0.17&mac={MAC}&user=budi@10", FORM),
        (f"status=connected&user=budi@10&ip=10.5.0.17&mac={MAC}&interface=bridge", "text/plain"),
    ],
)
def test_login_is_read_however_it_is_written(body, content_type):
    said = read(body, content_type)
    assert (said.saying, said.service, said.account) == (Saying.LOGIN, Service.HOTSPOT, "budi@10")
    assert (said.address, said.mac) == ("10.5.0.17", MAC)


def test_name_in_our_own_scripts_may_hold_anything():
    assert read("raw=yes&event=login&address=10.5.0.17&user=a&b=c+d%41 user=x").account == "a&b=c+d%41 user=x"


@pytest.mark.parametrize(
    ("uptime", "seconds"),
    [("3857", 3857.0), ("1h4m17s", 3857.0), ("1d02:03:04", 93784.0), ("1w", 604800.0), ("soon", None)],
)
def test_logout_has_what_the_router_counted(uptime, seconds):
    said = read(f"event=logout&user=budi&uptime-secs={uptime}&bytes-in=12&bytes-out=x&cause=keepalive timeout")
    assert (said.saying, said.duration_s, said.reason) == (Saying.LOGOUT, seconds, "keepalive timeout")
    assert (said.bytes_in, said.bytes_out) == (12, None)


def test_up_and_down_of_a_ppp_profile_are_log_in_and_log_out():
    up = read("event=up&user=siti&interface=*F00001&remote-address=10.6.0.9&caller-id=a4:5e:60:11:22:33")
    assert (up.saying, up.service, up.interface, up.mac) == (Saying.LOGIN, Service.PPP, "*F00001", MAC)
    assert read("event=down&user=siti&service=pppoe").saying is Saying.LOGOUT


def test_netwatch_tells_its_host():
    said = read("event=down&host=10.9.0.1")
    assert (said.saying, said.address, said.account) == (Saying.DOWN, "10.9.0.1", None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("event=dance&user=budi", "event"),
        ("user=budi", "event"),
        ("event=login&ip=10.5.0.17", "user"),
        ("event=down", "host"),
        ("event=login&user=" + "x" * 300, "user"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_field(body, field):
    with pytest.raises(Faulty) as refused:
        read(body)
    assert [fault.field for fault in refused.value.faults] == [field]


@pytest.mark.parametrize("body", ["{", "[1]", "{]"])
def test_broken_json_is_refused(body):
    with pytest.raises(Invalid):
        read(body, "application/json")


VARIABLES = {
    "user": "a&b 10%",
    "address": "10.5.0.17",
    "mac-address": MAC,
    "uptime-secs": "60",
    "bytes-in": "1",
    "bytes-out": "2",
    "cause": "user request",
    "remote-address": "10.6.0.9",
    "caller-id": MAC,
    "interface": "*F00001",
    "host": "10.9.0.1",
}


@pytest.mark.parametrize("script", scripts_for("http://127.0.0.1:8080/", "rr_x"), ids=lambda script: script.where)
def test_scripts_that_people_paste_are_read_by_the_lab_and_by_us(script):
    [statement] = statements(script.source)
    [fetch] = statements(block(statement.removeprefix(":do").strip())[0])
    call = arguments(fetch.removeprefix("/tool fetch"), VARIABLES)
    assert (call["url"], call["http-method"]) == ("http://127.0.0.1:8080/ingest/routeros/rr_x", "post")
    said = read(call["http-data"])
    if "netwatch" in script.where:
        assert said.address == ("10.9.0.1" if "RouterOS 7" in script.where else "192.0.2.1")
        return
    service = Service.PPP if "/ppp" in script.where else Service.HOTSPOT
    assert (said.account, said.service, said.mac) == ("a&b 10%", service, MAC)
    if "on-logout" in script.where:
        assert (said.duration_s, said.bytes_in, said.bytes_out, said.reason) == (60.0, 1, 2, "user request")
