"""Nothing is open by default: every route asks for a right, and every right is kept from who lacks it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import Mount, Route

from services.api.app import make_app
from services.api.core.rights import Scope
from services.api.deps import SESSION_COOKIE, Allowed
from services.api.handlers.people import make_token_for
from tests.integration.api.conftest import Running

# Public on purpose: the way in, and what the way in looks like.
PUBLIC = {
    ("GET", "/"),
    ("GET", "/console/login"),
    ("POST", "/console/login"),
    ("GET", "/console/static/{name}"),
    ("POST", "/ingest/routeros/{token}"),  # the token is the right
}
HEADERS = ("Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy")


def routes() -> Iterator[tuple[str, APIRoute]]:
    def walk(found: object) -> Iterator[APIRoute]:
        for route in getattr(found, "routes", ()):
            if isinstance(route, APIRoute):
                yield route
            else:
                yield from walk(getattr(route, "original_router", route))

    app = make_app(None)
    schema = app.openapi()["paths"]
    seen = list(walk(app.router))
    assert len(seen) >= sum(len(methods) for methods in schema.values()), "a route escapes this test"
    for route in seen:
        for method in route.methods:
            yield method, route


def scopes(dependant: Dependant) -> list[Scope | None]:
    own = [dependant.call.scope] if isinstance(dependant.call, Allowed) else []
    return own + [scope for inner in dependant.dependencies for scope in scopes(inner)]


def test_every_route_asks_for_a_right() -> None:
    open_routes = {
        (method, route.path)
        for method, route in routes()
        if not scopes(route.dependant) and (method, route.path) not in PUBLIC
    }
    assert open_routes == set()


def test_no_other_kind_of_route_slips_in() -> None:
    found = make_app(None).routes
    plain = {route.path for route in found if isinstance(route, Route) and not isinstance(route, APIRoute)}
    assert plain == {"/api/v1/openapi.json"}, "the description is public; the program adds only the probes"
    assert not [route for route in found if isinstance(route, Mount)]


def test_changing_routes_ask_for_more_than_reading() -> None:
    own = {"/api/v1/tokens", "/tokens", "/console/logout", "/console/settings"}  # everybody's own
    weak = {
        (method, route.path)
        for method, route in routes()
        if method != "GET" and (method, route.path) not in PUBLIC and not route.path.startswith(tuple(own))
        if set(scopes(route.dependant)) <= {Scope.READ, None}
    }
    asking = {
        ("POST", route.path)
        for method, route in routes()
        if method == "POST" and route.path.endswith(("/ping", "/traceroute", "/reach"))
    }
    assert weak == asking, "a ping or a look at the way changes nothing, so whoever may look may ask"


async def test_stranger_gets_nowhere(ronda: Running) -> None:
    async with ronda.anonymous() as stranger:
        for path, methods in make_app(None).openapi()["paths"].items():
            for method in methods:
                answer = await stranger.request(method, re.sub(r"{\w+}", "x", path), json={})
                assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated"), (method, path)
        for page in ("/console", "/console/customers", "/console/board/live", "/console/settings"):
            answer = await stranger.get(page)
            assert answer.headers["Location"].startswith("/console/login?next=")


@pytest.mark.parametrize(
    ("scope", "may"),
    [
        ("read", {"GET /sites"}),
        ("accounts", {"POST /accounts"}),
        ("inventory", {"POST /sites"}),
        ("admin", {"GET /people"}),
    ],
)
async def test_token_can_do_what_it_was_granted_and_nothing_else(ronda: Running, scope: str, may: set[str]) -> None:
    parts = ronda.api.parts
    token = await make_token_for(
        login="owner", name=scope, scopes=frozenset({Scope(scope)}), store=parts.store, clock=parts.clock
    )
    for wanted in ("GET /sites", "POST /accounts", "POST /sites", "GET /people"):
        method, path = wanted.split()
        headers = {"Authorization": f"Bearer {token}"}
        answer = await ronda.client.request(method, f"/api/v1{path}", json={}, headers=headers)
        assert (answer.status_code != 403) == (wanted in may), (wanted, answer.text)


async def log_in(client: httpx.AsyncClient, login: str, password: str) -> httpx.Response:
    page = await client.get("/console/login")
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert csrf is not None
    form = {"login": login, "password": password, "csrf": csrf[1]}
    return await client.post("/console/login", data=form)


async def test_browser_session_is_guarded(ronda: Running) -> None:
    async with ronda.anonymous() as browser:
        answer = await log_in(browser, "owner", ronda.owner_password)
        assert answer.status_code == 303
        cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith(SESSION_COOKIE))
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert (await browser.get("/console")).status_code == 200
        assert (await browser.get("/api/v1/me")).json()["role"] == "owner"

        forged = await browser.post("/api/v1/sites", json={"name": "Forged"})
        assert (forged.status_code, forged.json()["code"]) == (403, "csrf_failed")
        assert (await browser.post("/console/settings", data={"language": "en", "time_zone": "UTC"})).status_code == 403
        page = (await browser.get("/console/settings")).text
        csrf = re.search(r'name="csrf" value="([^"]+)"', page)
        assert csrf is not None
        allowed = await browser.post("/api/v1/sites", json={"name": "Ours"}, headers={"X-CSRF-Token": csrf[1]})
        assert allowed.status_code == 201

        assert (await browser.post("/console/logout", data={"csrf": csrf[1]})).status_code == 303
        assert (await browser.get("/api/v1/me")).status_code == 401


async def test_guessing_is_slowed_down_even_with_the_right_password(ronda: Running) -> None:
    async with ronda.anonymous() as browser:
        for _ in range(5):
            assert (await log_in(browser, "owner", "wrong")).status_code == 401
        assert (await log_in(browser, "owner", ronda.owner_password)).status_code == 429


async def test_removed_token_opens_nothing(ronda: Running) -> None:
    made = (await ronda.client.post("/api/v1/tokens", json={"name": "t", "scopes": ["read"]})).json()
    headers = {"Authorization": f"Bearer {made['secret']}"}
    assert (await ronda.client.get("/api/v1/sites", headers=headers)).status_code == 200
    assert made["secret"] not in (await ronda.client.get("/api/v1/tokens")).text
    await ronda.client.delete(f"/api/v1/tokens/{made['id']}")
    assert (await ronda.client.get("/api/v1/sites", headers=headers)).status_code == 401


async def test_last_owner_cannot_be_locked_out(ronda: Running) -> None:
    [owner] = (await ronda.client.get("/api/v1/people")).json()["items"]
    answer = await ronda.client.patch(f"/api/v1/people/{owner['id']}", json={"enabled": False})
    assert (answer.status_code, answer.json()["code"]) == (409, "still_in_use")


async def test_audit_tells_who_and_what_but_no_secret(ronda: Running) -> None:
    body = {"name": "gw", "host": "10.0.0.1", "username": "ronda", "password": "router-secret"}
    router = (await ronda.client.post("/api/v1/routers", json=body)).json()
    await ronda.client.patch(f"/api/v1/routers/{router['id']}", json={"password": "other-secret", "port": 8729})
    answer = await ronda.client.get("/api/v1/audit")
    assert {line["action"] for line in answer.json()["items"]} >= {"router.added", "router.changed", "site.added"}
    assert "other-secret" not in answer.text
    changed = next(line for line in answer.json()["items"] if line["action"] == "router.changed")
    assert changed["detail"] == {"port": 8729, "sealed_password": "***"}


async def test_every_answer_carries_the_security_headers(ronda: Running) -> None:
    async with ronda.anonymous() as stranger:
        for path in ("/console/login", "/api/v1/sites", "/healthz", "/console/static/ronda.js", "/nothing"):
            answer = await stranger.get(path)
            assert not [name for name in HEADERS if name not in answer.headers], path
        policy = (await stranger.get("/console/login")).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


async def test_health_is_on_the_same_port(ronda: Running) -> None:
    async with ronda.anonymous() as stranger:
        assert (await stranger.get("/healthz")).status_code == 200
        assert (await stranger.get("/readyz")).json()["ready"] is True
        assert "process_cpu" in (await stranger.get("/metrics")).text


@pytest.mark.parametrize(
    "wanted",
    [{"host": "198.51.100.66"}, {"port": 9999}, {"username": "admin"}, {"tls": "anonymous"}],
    ids=lambda wanted: next(iter(wanted)),
)
async def test_kept_password_is_not_sent_anywhere_else(ronda: Running, wanted: dict[str, object]) -> None:
    body = {"name": "gw", "host": "10.0.0.1", "username": "ronda", "password": "router-secret"}
    path = f"/api/v1/routers/{(await ronda.client.post('/api/v1/routers', json=body)).json()['id']}"
    answer = await ronda.client.patch(path, json=wanted)
    assert answer.status_code == 422
    [fault] = answer.json()["faults"]
    assert (fault["field"], fault["code"]) == ("password", "password_needed")
    assert (await ronda.client.get(path)).json()["host"] == "10.0.0.1"
    same = {"host": "10.0.0.1", "port": 8728, "username": "ronda", "name": "gw-2"}
    assert (await ronda.client.patch(path, json=same)).status_code == 200
    assert (await ronda.client.patch(path, json=wanted | {"password": "router-secret"})).status_code == 200
