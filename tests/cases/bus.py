"""What every bus must do: run on the one in memory and on a real NATS server by the classes that inherit these.

A class that inherits gives two fixtures: `bus`, and `other_bus` on the same server with another source. The cases
stand in `bus_cases`, one file per noun.
"""

from __future__ import annotations

from tests.cases.bus_cases.buckets import BucketCases
from tests.cases.bus_cases.consuming import ConsumeCases
from tests.cases.bus_cases.dead_letters import DeadLetterCases
from tests.cases.bus_cases.failures import FailureCases
from tests.cases.bus_cases.hearing import HearCases
from tests.cases.bus_cases.order import OrderCases
from tests.cases.bus_cases.publishing import PublishCases
from tests.cases.bus_cases.queries import QueryCases
from tests.cases.bus_cases.reading import ReadCases
from tests.cases.bus_cases.scenery import PLAIN_BUCKET, SPEC, Seen, delivery, down, running, until

__all__ = ["PLAIN_BUCKET", "SPEC", "BusCases", "Seen", "delivery", "down", "running", "until"]


class BusCases(
    PublishCases,
    ConsumeCases,
    FailureCases,
    OrderCases,
    DeadLetterCases,
    ReadCases,
    BucketCases,
    QueryCases,
    HearCases,
):
    """All of them."""
