"""When the numbers of a probe policy make sense together. Each bound is there because beyond it nobody is helped."""

from __future__ import annotations

from dataclasses import dataclass

from services.api.core.faults import Fault
from shared.contracts.inventory import ProbePolicy
from shared.quality import FEWEST_PACKETS

SHORTEST_INTERVAL_S = 0.1  # ten packets a second to one host is a measurement, more is a flood


@dataclass(frozen=True, slots=True)
class Bound:
    """From and to, both included."""

    field: str
    least: float
    most: float


BOUNDS = (
    Bound("interval_s", SHORTEST_INTERVAL_S, 86_400),
    Bound("max_timeout_s", 0.05, 30),
    Bound("burst_size", 1, 20),
    Bound("burst_spacing_s", 0.02, 60),
    Bound("second_burst_after_s", 0, 3_600),
    Bound("recovery_size", 0, 20),
    Bound("recovery_spacing_s", 0.02, 60),
    Bound("recovery_answers", 1, 21),
    Bound("hold_s", 0, 3_600),
    Bound("blip_s", 0, 3_600),
    Bound("quality_window_s", 10, 86_400),
    Bound("train_size", 0, 100),
    Bound("train_spacing_s", 0.02, 10),
    Bound("train_every_s", 1, 86_400),
)


def policy_faults(policy: ProbePolicy) -> list[Fault]:
    """Everything about a policy that does not make sense."""
    faults = [
        Fault(bound.field, "out_of_bounds", f"«{bound.field}» must lie between {bound.least:g} and {bound.most:g}.")
        for bound in BOUNDS
        if (value := getattr(policy, bound.field)) is not None and not bound.least <= value <= bound.most
    ]
    return faults or [*_recovery_faults(policy), *_train_faults(policy), *_window_faults(policy)]


def _recovery_faults(policy: ProbePolicy) -> list[Fault]:
    possible = policy.recovery_size + 1
    if policy.recovery_answers <= possible:
        return []
    message = (
        f"{policy.recovery_answers} answers cannot come to the first reply and {policy.recovery_size} probes after it; "
        f"ask for {possible} at most, or raise «recovery_size»."
    )
    return [Fault("recovery_answers", "never_up", message)]


def _train_faults(policy: ProbePolicy) -> list[Fault]:
    takes_s = policy.train_size * policy.train_spacing_s
    if takes_s <= policy.train_every_s:
        return []
    message = f"A train takes {takes_s:g} s and cannot begin every {policy.train_every_s:g} s; send them less often."
    return [Fault("train_every_s", "trains_overlap", message)]


def _window_faults(policy: ProbePolicy) -> list[Fault]:
    packets = packets_in_window(policy)
    if packets >= FEWEST_PACKETS:
        return []
    message = (
        f"A window of {policy.quality_window_s:g} s would hold {packets:.0f} packets, and a grade needs "
        f"{FEWEST_PACKETS}; lengthen «quality_window_s» or send more or longer trains."
    )
    return [Fault("quality_window_s", "too_few_packets", message)]


def packets_in_window(policy: ProbePolicy) -> float:
    """How many packets a quality window holds when nothing is lost."""
    rounds = policy.quality_window_s / policy.interval_s
    return rounds + policy.train_size * policy.quality_window_s / policy.train_every_s + 1e-6
