"""`ronda host|group|policy|maintenance …`: what is watched, how patiently, and when not to alarm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from services.api.cli.connection import Api, connected
from services.api.cli.output import show_rows, show_values
from shared.clock import SystemClock
from shared.contracts.vocabulary import ProbeKind
from shared.errors import Invalid, NotFound

hosts = typer.Typer(help="What is watched by probes.", no_args_is_help=True)
groups = typer.Typer(help="Hosts that are treated alike wherever they stand.", no_args_is_help=True)
policies = typer.Typer(help="How patiently hosts are watched.", no_args_is_help=True)
maintenances = typer.Typer(help="Announced work: measured on, not alarmed.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Its name or id.")]
Names = Annotated[list[str] | None, typer.Option(help="Name or id; may be repeated.")]
_POLICY = ("name", "interval_s", "burst_size", "quality_window_s", "train_size", "train_every_s", "shipped")


def _id(api: Api, kind: str, name: str | None) -> str | None:
    return str(api.named(f"/api/v1/{kind}", name)["id"]) if name else None


def _ids(api: Api, kind: str, names: list[str] | None) -> list[str]:
    return [str(api.named(f"/api/v1/{kind}", name)["id"]) for name in names or ()]


@hosts.command("add")
def add_host(
    name: Annotated[str, typer.Argument(help="What people call it.")],
    address: Annotated[str, typer.Option(help="Address or name that answers.")],
    site: Annotated[str, typer.Option()],
    probe: Annotated[ProbeKind | None, typer.Option(help="Unless said: what the other options call for.")] = None,
    port: int | None = None,
    url: Annotated[str | None, typer.Option(help="The page that an http probe asks for.")] = None,
    text: Annotated[str, typer.Option(help="Must be in that page.")] = "",
    record: Annotated[str | None, typer.Option(help="What a dns probe asks for: name or name/AAAA.")] = None,
    via: Annotated[str | None, typer.Option(help="The router that pings, or whose netwatch is believed.")] = None,
    group: str | None = None,
    parent: Names = None,
    policy: Annotated[str | None, typer.Option(help="Unless said: its group's, else its site's.")] = None,
) -> None:
    """Watch a host. Every --parent is needed to reach it."""
    body: dict[str, Any] = {"name": name, "address": address, "port": port, "policy": policy}
    body["probe"] = probe or _kind(url=url, record=record, via=via, port=port)
    body["http"] = {"url": url, "text": text} if url else None
    body["dns"] = dict(zip(("name", "record"), record.split("/", 1), strict=False)) if record else None
    with connected() as api:
        named = {"site_id": _id(api, "sites", site), "group_id": _id(api, "groups", group)}
        named["via_router"] = _id(api, "routers", via)
        parents = [[parent_id] for parent_id in _ids(api, "hosts", parent)]
        host = api.post("/api/v1/hosts", {**body, **named, "parents": parents})
        show_values(host, "id", "name", "address", "probe", "policy_in_force")


def _kind(*, url: str | None, record: str | None, via: str | None, port: int | None) -> ProbeKind:
    for given, kind in ((url, ProbeKind.HTTP), (record, ProbeKind.DNS), (via, ProbeKind.ROUTER), (port, ProbeKind.TCP)):
        if given is not None:
            return kind
    return ProbeKind.ICMP


@hosts.command("list")
def list_hosts() -> None:
    """List the watched hosts with their state."""
    with connected() as api:
        show_rows(api.every("/api/v1/hosts"), "name", "state", "address", "probe", "policy_in_force", "id")


@groups.command("add")
def add_group(
    name: Annotated[str, typer.Argument(help="For example: Access points.")],
    policy: Annotated[str, typer.Option(help="Unless said: that of each host's site.")] = "",
) -> None:
    """Add a group of hosts."""
    with connected() as api:
        show_values(api.post("/api/v1/groups", {"name": name, "policy": policy}), "id", "name", "policy")


@groups.command("list")
def list_groups() -> None:
    """List the groups."""
    with connected() as api:
        show_rows(api.every("/api/v1/groups"), "name", "policy", "id")


@groups.command("remove")
def remove_group(name: Name) -> None:
    """Remove a group that no host belongs to."""
    with connected() as api:
        api.delete(f"/api/v1/groups/{_id(api, 'groups', name)}")
        typer.echo("removed")


Settings = Annotated[list[str] | None, typer.Option("--set", help="field=value, for example interval_s=5; repeatable.")]


@policies.command("add")
def add_policy(
    name: Annotated[str, typer.Argument(help="Lower case, for example: towers.")],
    based_on: Annotated[str, typer.Option(help="What is not set is as in this one.")] = "standard",
    settings: Settings = None,
) -> None:
    """Add a policy of your own."""
    with connected() as api:
        show_values(api.post("/api/v1/policies", {"name": name, "based_on": based_on, **_numbers(settings)}), *_POLICY)


@policies.command("change")
def change_policy(name: Annotated[str, typer.Argument()], settings: Settings = None) -> None:
    """Change a policy; one that ships is overridden from now on."""
    with connected() as api:
        show_values(api.patch(f"/api/v1/policies/{name}", _numbers(settings)), *_POLICY)


@policies.command("list")
def list_policies() -> None:
    """List the policies as they hold now."""
    with connected() as api:
        show_rows(api.every("/api/v1/policies"), *_POLICY)


@policies.command("remove")
def remove_policy(name: Annotated[str, typer.Argument()]) -> None:
    """Remove a policy of your own, or let one that ships be as it ships again."""
    with connected() as api:
        api.delete(f"/api/v1/policies/{name}")
        typer.echo("removed")


def _numbers(settings: list[str] | None) -> dict[str, float | None]:
    """`field=value` as a body; `none` is a value."""
    wanted: dict[str, float | None] = {}
    for setting in settings or ():
        field, _, text = setting.partition("=")
        try:
            wanted[field.strip()] = None if text.strip() == "none" else float(text)
        except ValueError:
            raise Invalid(f"«{setting}» is not like interval_s=5") from None
    return wanted


@maintenances.command("add")
def add_maintenance(
    title: Annotated[str, typer.Argument(help="What is worked on.")],
    hours: Annotated[float, typer.Option(help="How long it lasts.")],
    begins: Annotated[datetime | None, typer.Option(help="Local time; unless said: now.")] = None,
    flexible_minutes: Annotated[
        float | None, typer.Option(help="Begins with the first outage in that time, and lasts this long.")
    ] = None,
    site: Names = None,
    group: Names = None,
    host: Names = None,
    router: Names = None,
) -> None:
    """Announce work on sites, groups, hosts or routers."""
    at = (begins or SystemClock().now()).astimezone(UTC)
    body = {"title": title, "begins_at": at.isoformat(), "ends_at": (at + timedelta(hours=hours)).isoformat()}
    with connected() as api:
        members = {
            f"{kind}_ids": _ids(api, f"{kind}s", names)
            for kind, names in (("site", site), ("group", group), ("host", host), ("router", router))
        }
        lasting = {"duration_s": flexible_minutes * 60 if flexible_minutes else None}
        work = api.post("/api/v1/maintenances", {**body, **members, **lasting})
        show_values(work, "id", "title", "begins_at", "ends_at", "duration_s")


@maintenances.command("list")
def list_maintenances() -> None:
    """List announced work, what is over too."""
    with connected() as api:
        works = sorted(api.every("/api/v1/maintenances"), key=lambda work: str(work["begins_at"]))
        show_rows(works, "title", "begins_at", "ends_at", "duration_s", "id")


@maintenances.command("end")
def end_maintenance(title: Annotated[str, typer.Argument(help="Its title or id.")]) -> None:
    """End work that has begun now, or take back what has not; what is down is told then."""
    with connected() as api:
        now = SystemClock().now()
        works = [work for work in api.every("/api/v1/maintenances") if title in (work["id"], work["title"])]
        open_ones = [work for work in works if datetime.fromisoformat(work["ends_at"]) > now]
        if not open_ones:
            raise NotFound(f"there is no work «{title}» that is not over")
        work = min(open_ones, key=lambda one: str(one["begins_at"]))
        path = f"/api/v1/maintenances/{work['id']}"
        if datetime.fromisoformat(work["begins_at"]) >= now:
            api.delete(path)
        else:
            api.patch(path, {"ends_at": now.isoformat()})
        typer.echo("ended")
