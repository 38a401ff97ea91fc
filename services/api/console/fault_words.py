"""What is wrong with a form, in the reader's language: the handlers' faults by their codes, and mistyped values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.api.core.faults import Fault, NameTaken, Shipped, StillInUse
from services.api.core.probe_policies import BOUNDS
from shared.errors import NotFound, RondaError
from shared.i18n import N_, Translator

FAULT_WORDS: Mapping[str, str] = {
    "unknown_site": N_("This site is gone; choose another one."),
    "unknown_group": N_("This group is gone; choose another one."),
    "unknown_router": N_("This router is gone; choose another one."),
    "unknown_host": N_("One of these hosts is gone; choose again."),
    "unknown_policy": N_("This policy is gone; choose another one."),
    "port_missing": N_("Which port?"),
    "via_router_missing": N_("Which router looks?"),
    "url_wrong": N_("Write the page's address like https://portal.example.net/login."),
    "status_wrong": N_("Numbers from 100 to 599, such as 200."),
    "name_wrong": N_("The name to ask for, like www.example.net."),
    "record_wrong": N_("This kind of record cannot be asked for."),
    "own_parent": N_("A host cannot hang on itself."),
    "parent_cycle": N_("Hosts would hang on each other in a circle; take one out."),
    "ends_before_begin": N_("The end must come after the begin."),
    "over_already": N_("This is over already; choose an end that is to come."),
    "too_long": N_("Longer than from begin to end."),
    "nothing_named": N_("Choose what is worked on: a site, group, host or router."),
    "network_wrong": N_("Addresses or networks only, such as 10.0.0.5 or 10.0.0.0/24."),
    "voltage_wrong": N_("The least voltage must lie below the greatest."),
    "never_up": N_("More answers than probes: it would never be up again."),
    "trains_overlap": N_("One train lasts longer than that; send them less often."),
    "too_few_packets": N_("Too short: fewer than 100 packets come together, and a grade needs so many."),
}
_BOUNDS = {bound.field: bound for bound in BOUNDS}


def fault_text(fault: Fault, words: Translator) -> str:
    """A handler's fault. One that nobody has translated is told as the handler says it."""
    if fault.code == "out_of_bounds" and fault.field in _BOUNDS:
        bound = _BOUNDS[fault.field]
        return words.gettext("Between {least} and {most}.", least=f"{bound.least:g}", most=f"{bound.most:g}")
    known = FAULT_WORDS.get(fault.code)
    return words.gettext(known) if known else fault.message


def typed_wrong(error: Mapping[str, Any], words: Translator) -> str:
    """What pydantic found, as one would say it."""
    kind, limits = str(error["type"]), error.get("ctx", {})
    if kind in ("missing", "string_too_short"):
        return words.gettext("Fill this in.")
    if kind == "string_too_long":
        return words.gettext("At most {n} characters.", n=limits["max_length"])
    if kind in ("greater_than_equal", "greater_than"):
        return words.gettext("At least {n}.", n=f"{limits['ge']:g}") if "ge" in limits else _more(limits["gt"], words)
    if kind == "less_than_equal":
        return words.gettext("At most {n}.", n=f"{limits['le']:g}")
    if kind.startswith(("int_", "float_", "finite_")):
        return words.gettext("Write a number.")
    if kind.startswith("datetime"):
        return words.gettext("Write a day and a time.")
    return words.gettext("This cannot be right: blanks and special characters do not belong here.")


def _more(least: float, words: Translator) -> str:
    return words.gettext("More than {n}.", n=f"{least:g}")


def trouble_text(trouble: RondaError, words: Translator) -> str:
    """Why nothing was changed."""
    if isinstance(trouble, NameTaken):
        return words.gettext("This name is taken; choose another one.")
    if isinstance(trouble, StillInUse):
        return words.gettext("Something still uses it, so it stays: {reason}", reason=str(trouble))
    if isinstance(trouble, Shipped):
        return words.gettext("This policy ships with Ronda and stays.")
    if isinstance(trouble, NotFound):
        return words.gettext("Somebody has removed it meanwhile.")
    return str(trouble)
