"""Commands that exist and are accepted, but have nothing to show in the lab: monitors at zero, counters set back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.routers.calls import Handler

if TYPE_CHECKING:
    from lab.routers.calls import Call
    from lab.routers.router import VirtualRouter

ACCEPTED = frozenset(
    [
        "apply-changes",
        "check",
        "downgrade",
        "expire-password",
        "force-update",
        "generate-new-id",
        "generate-report",
        "generate-voucher",
        "load",
        "migrate-legacy-db",
        "optimize-db",
        "renew",
        "reset-counters",
        "reset-counters-all",
        "reset-html",
        "save",
        "send-reconfigure",
        "uninstall",
        "unschedule",
    ]
)
NUMBERLESS = frozenset(
    [
        "apply-changes",
        "force-update",
        "generate-new-id",
        "generate-report",
        "load",
        "migrate-legacy-db",
        "optimize-db",
        "renew",
        "save",
        "reset-counters-all",
    ]
)


def install(router: VirtualRouter) -> None:
    """Give every command of the tables that nobody else answers an answer."""
    for path, spec in router.specs.items():
        for verb in spec.commands & ACCEPTED:
            if not router.knows_command(path, verb):
                router.command(path, verb, _accept)
        if "monitor" in spec.commands and not router.knows_command(path, "monitor"):
            router.command(path, "monitor", _zeros(router, path))


def _accept(call: Call) -> None:
    """Nothing to do but to know the items."""
    items = call.picked() if call.verb not in NUMBERLESS and not call.menu.spec.singleton else []
    if call.verb.startswith("reset-counters"):
        for item in items or list(call.menu):
            if item.meter is not None:
                item.meter.clear(call.router.clock.now())
    call.done()


def _zeros(router: VirtualRouter, path: str) -> Handler:
    """A monitor whose numbers are zero."""
    spec = router.specs.get(f"{path}/monitor")
    row = {} if spec is None else {name: _zero(field.kind) for name, field in spec.fields.items()}

    async def monitor(call: Call) -> None:
        items = [] if call.menu.spec.singleton else call.picked()
        once = call.flag("once")
        duration_s = call.seconds("duration")
        call.refuse_rest()
        count = 1 if call.menu.spec.singleton else len(items)
        await call.refresh(lambda: [row] * count, 1.0, duration_s, once)

    return monitor


def _zero(kind: str) -> str:
    return "0s" if kind == "duration" else "0"
