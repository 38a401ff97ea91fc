"""What a person can do to the network: `POST /lab/api/<noun>/<name>/<verb>`, and `ctl <verb> <noun> <name>`.

One table per noun; the page, the JSON and the command line all go through it.
"""

from __future__ import annotations

from typing import Any

from lab.chats.desk import DeskError
from lab.chats.faults import Fault
from lab.control.customers import Customer
from lab.control.router_deeds import ROUTER_DEEDS, Deed, Options, number, router_of
from lab.control.running import Lab
from lab.hosts import Host, HostError


def _host(lab: Lab, name: str) -> Host:
    try:
        return lab.farm.host(name)
    except HostError as error:
        raise DeskError(str(error)) from error


async def cut_host(lab: Lab, name: str, _: Options) -> str:
    """No answer any more."""
    await _host(lab, name).cut()
    return f"{name} is cut"


async def restore_host(lab: Lab, name: str, _: Options) -> str:
    """Answers again."""
    await _host(lab, name).restore()
    return f"{name} answers again"


async def flap_host(lab: Lab, name: str, options: Options) -> str:
    """Down and up: `times` (6), `seconds` in each state (5)."""
    times, seconds = int(number(options, "times", 6)), number(options, "seconds", 5)
    await _host(lab, name).flap(times, seconds)
    return f"{name} goes down and up {times} times"


async def degrade_host(lab: Lab, name: str, options: Options) -> str:
    """Loses and delays: `loss` from 0 to 1 (0.2), `delay_ms` (200)."""
    loss, delay_ms = number(options, "loss", 0.2), number(options, "delay_ms", 200)
    if not await _host(lab, name).degrade(loss=loss, delay_ms=delay_ms):
        raise DeskError("a TCP host cannot be made slow: the kernel accepts by itself")
    return f"{name} loses {loss:.0%} and answers {delay_ms:.0f} ms late"


def _site_hosts(lab: Lab, site: str) -> list[str]:
    found = [h.name for h in lab.provider.hosts if h.site == site]
    if not found and all(s.id != site for s in lab.provider.sites):
        raise DeskError(f"there is no site {site}")
    return found


async def cut_site(lab: Lab, site: str, _: Options) -> str:
    """The mast has fallen: every host of the site and its router are gone."""
    names = _site_hosts(lab, site)
    for name in names:
        await lab.farm.host(name).cut()
    for plan in lab.provider.routers:
        if plan.site == site:
            await cut_router(lab, plan.name, {})
    return f"{site}: {len(names)} hosts and the router are cut"


async def restore_site(lab: Lab, site: str, _: Options) -> str:
    """Everything of the site answers again."""
    names = _site_hosts(lab, site)
    for name in names:
        await lab.farm.host(name).restore()
    for plan in lab.provider.routers:
        if plan.site == site:
            await restore_router(lab, plan.name, {})
    return f"{site} answers again"


async def cut_router(lab: Lab, name: str, _: Options) -> str:
    """Connections are reset, new ones refused."""
    await router_of(lab, name).faults.cut()
    lab.router_faults[name] = "cut"
    return f"{name} cannot be reached"


async def hang_router(lab: Lab, name: str, _: Options) -> str:
    """Accepts and reads, answers nothing."""
    router_of(lab, name).faults.hang()
    lab.router_faults[name] = "hanging"
    return f"{name} hangs"


async def restore_router(lab: Lab, name: str, _: Options) -> str:
    """Reachable, quick and with its own password again."""
    router = router_of(lab, name)
    await router.faults.restore()
    for path in list(router.faults.slow_paths):
        router.faults.slow(path, 0)
    plan = lab.planned(name)
    router.faults.change_password(plan.user, plan.password)
    lab.router_faults.pop(name, None)
    return f"{name} is well again"


async def reboot_router(lab: Lab, name: str, options: Options) -> str:
    """All sessions end, customers dial again; `power=cut`: without a proper shutdown."""
    lab.router_faults.pop(name, None)
    await router_of(lab, name).reboot(proper=options.get("power") != "cut")
    return f"{name} was rebooted"


async def garble_router(lab: Lab, name: str, _: Options) -> str:
    """The next reply is nonsense."""
    router_of(lab, name).faults.garbage()
    return f"the next reply of {name} is nonsense"


async def half_router(lab: Lab, name: str, _: Options) -> str:
    """The next reply stops in the middle of a sentence."""
    router_of(lab, name).faults.half_sentence()
    return f"the next reply of {name} stops half way"


async def slow_router(lab: Lab, name: str, options: Options) -> str:
    """Printing `path` (/ppp/active) takes `seconds` (10)."""
    path, seconds = str(options.get("path", "/ppp/active")), number(options, "seconds", 10)
    router_of(lab, name).faults.slow(path, seconds)
    lab.router_faults[name] = "slow"
    return f"{path} on {name} takes {seconds:g} s"


async def change_password(lab: Lab, name: str, options: Options) -> str:
    """Somebody changed the password in Winbox."""
    plan = lab.planned(router_of(lab, name).name)
    lab.routers[name].faults.change_password(plan.user, str(options.get("password", "changed-by-hand")))
    lab.router_faults[name] = "other password"
    return f"{name} has another password"


async def drop_sessions(lab: Lab, name: str, _: Options) -> str:
    """Every session ends at once; modems dial again."""
    router_of(lab, name)
    mine = [c for c in lab.customers.all.values() if c.plan.router == name and c.online]
    for customer in mine:
        customer.logout()
        customer.wants = True
    return f"{len(mine)} sessions of {name} ended"


def _customer(lab: Lab, user: str) -> Customer:
    if user not in lab.customers.all:
        raise DeskError(f"there is no subscriber {user}")
    return lab.customers.all[user]


async def login(lab: Lab, user: str, _: Options) -> str:
    """The subscriber logs in."""
    customer = _customer(lab, user)
    if not await customer.login():
        raise DeskError(f"{user} was refused: {customer.refused}")
    return f"{user} is online"


async def logout(lab: Lab, user: str, _: Options) -> str:
    """The subscriber leaves and stays away."""
    _customer(lab, user).logout()
    return f"{user} is offline"


def _servers(lab: Lab, target: str) -> list[Any]:
    chosen = {"telegram": lab.telegram, "whatsapp": lab.cloud, "gateway": lab.gateway}
    if target == "all":
        return list(chosen.values())
    if target not in chosen:
        raise DeskError(f"there is no chat server {target}")
    return [chosen[target]]


async def fault_chat(lab: Lab, target: str, options: Options) -> str:
    """The next `times` (1; 0 until healed) calls fail: `kind`, `seconds`, `method`, `chat`, `code`."""
    fault = Fault(
        str(options.get("kind", "retry_after")),
        int(number(options, "times", 1)),
        str(options.get("method", "")),
        str(options.get("chat", "")),
        number(options, "seconds", 5),
        int(number(options, "code", 131000)),
    )
    try:
        for server in _servers(lab, target):
            server.faults.order(Fault(**vars(fault)))
    except ValueError as error:
        raise DeskError(str(error)) from error
    return f"{target}: {fault.kind} for {fault.times or 'all'} calls"


async def heal_chat(lab: Lab, target: str, _: Options) -> str:
    """Forget all ordered faults."""
    for server in _servers(lab, target):
        server.faults.clear()
        server.set_away(False)
    return f"{target} works again"


async def away_chat(lab: Lab, target: str, _: Options) -> str:
    """The internet is away: calls are cut, webhooks do not arrive."""
    for server in _servers(lab, target):
        server.set_away(True)
    return f"{target} cannot be reached"


async def strict_chat(lab: Lab, target: str, options: Options) -> str:
    """Rate limits on or off: `on` true or false."""
    on = str(options.get("on", "true")).lower() in {"true", "1", "yes", "on"}
    if target in {"telegram", "all"}:
        lab.telegram.limits.enabled = on
    if target in {"whatsapp", "all"}:
        lab.cloud.business.strictness.pair_rate = lab.cloud.business.strictness.throughput = on
    return f"{target}: rate limits are {'on' if on else 'off'}"


async def webhook_chat(lab: Lab, target: str, options: Options) -> str:
    """Where inbound messages go: `url`; whatsapp shakes hands with `verify_token` first, as Meta's dashboard does."""
    url, token = str(options.get("url", "")), str(options.get("verify_token", ""))
    if target == "gateway":
        lab.gateway.webhook_url = url
        return f"the gateway tells {url}"
    if target != "whatsapp":
        raise DeskError("Telegram's webhook is set by its bot; whatsapp and gateway have one that is set here")
    await lab.cloud.business.webhooks.subscribe(url, token)
    return f"webhooks go to {url}"


DEEDS: dict[str, dict[str, Deed]] = {
    "hosts": {"cut": cut_host, "restore": restore_host, "flap": flap_host, "degrade": degrade_host},
    "sites": {"cut": cut_site, "restore": restore_site},
    "routers": {
        "cut": cut_router,
        "hang": hang_router,
        "restore": restore_router,
        "reboot": reboot_router,
        "garbage": garble_router,
        "half": half_router,
        "slow": slow_router,
        "password": change_password,
        "drop": drop_sessions,
        **ROUTER_DEEDS,
    },
    "subscribers": {"login": login, "logout": logout},
    "chat-servers": {
        "fault": fault_chat,
        "heal": heal_chat,
        "away": away_chat,
        "strict": strict_chat,
        "webhook": webhook_chat,
    },
}


async def do(lab: Lab, noun: str, name: str, verb: str, options: Options) -> str:
    """Do it and say what was done; raises DeskError for what does not exist or cannot be done."""
    deed = DEEDS.get(noun, {}).get(verb)
    if deed is None:
        known = ", ".join(f"{n}: {' '.join(v)}" for n, v in DEEDS.items())
        raise DeskError(f"there is no {verb} for {noun}; there is {known}")
    said = await deed(lab, name, options)
    lab.changed()
    return said
