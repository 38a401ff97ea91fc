"""What a person should look at first, guessed from how a host fell silent and who else did.

The four causes of seed row C1 (cable, internet, device error, device off), and those that we can tell better.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.contracts.vocabulary import LikelyCause, ProbeFailure

_MOST = 0.5  # of a site's other hosts being down: it is the way there, not each device


# Failures that say more than silence does: somebody answered, only not as he should.
_TELLING: dict[ProbeFailure, tuple[LikelyCause, ...]] = {
    ProbeFailure.REFUSED: (LikelyCause.SERVICE_STOPPED, LikelyCause.DEVICE_ERROR),
    ProbeFailure.PROHIBITED: (LikelyCause.FIREWALL,),
    ProbeFailure.TTL_EXCEEDED: (LikelyCause.ROUTING_LOOP,),
    ProbeFailure.NAME_NOT_RESOLVED: (LikelyCause.INTERNET_DOWN,),
    ProbeFailure.WRONG_STATUS: (LikelyCause.SERVICE_ERROR,),
    ProbeFailure.TEXT_MISSING: (LikelyCause.SERVICE_ERROR,),
    ProbeFailure.TOO_MANY_REDIRECTS: (LikelyCause.SERVICE_ERROR,),
    ProbeFailure.WRONG_ANSWER: (LikelyCause.SERVICE_ERROR,),
    ProbeFailure.CERTIFICATE: (LikelyCause.CERTIFICATE,),
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """How the rest of the network is at the moment a host goes down."""

    cut_off: bool = False  # a whole group of its parents is silent
    neighbours: int = 0  # other hosts of the same site
    neighbours_down: int = 0

    @property
    def site_is_dark(self) -> bool:
        """Whether most of the site's other hosts are down, too."""
        return self.neighbours > 0 and self.neighbours_down / self.neighbours > _MOST


def likely_causes(failure: ProbeFailure, around: Surroundings) -> tuple[LikelyCause, ...]:
    """Likely causes, the likeliest first."""
    if around.cut_off:
        return (LikelyCause.PARENT_DOWN,)
    if failure in _TELLING:
        return _TELLING[failure]
    if around.site_is_dark:
        return (LikelyCause.CABLE_CUT, LikelyCause.INTERNET_DOWN)
    if failure is ProbeFailure.UNREACHABLE:
        return (LikelyCause.CABLE_CUT, LikelyCause.DEVICE_OFF)
    return (LikelyCause.CABLE_CUT, LikelyCause.DEVICE_OFF, LikelyCause.DEVICE_ERROR)
