"""From a fact to a message: look around, name the likely causes, tell."""

from __future__ import annotations

from services.poller.core.judge import State
from services.poller.core.landscape import Landscape
from services.poller.core.records import HostRecord, host_key
from services.poller.core.reply import Fact
from services.poller.core.roster import Roster
from services.poller.core.wording import host_event
from services.poller.handlers.telling import Teller
from shared.contracts.inventory import Host


def tell_host_facts(
    host: Host, state: State, facts: tuple[Fact, ...], *, roster: Roster, landscape: Landscape, teller: Teller
) -> None:
    """Queue the events of a host whose state is now `state`."""
    for fact in facts:
        event = host_event(
            fact,
            host,
            roster.site_name(host.site_id),
            roster.policy_of(host).name,
            landscape.parents_down(host),
            landscape.around(host),
        )
        teller.tell(host_key(host.id), event, HostRecord.of(host.id, state))
