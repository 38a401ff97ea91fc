"""Errors across the bus: what the asking side raises."""

import pytest

from shared.bus.faults import fault_headers, raise_fault
from shared.errors import Conflict, Invalid, NotAllowed, NotFound, Rejected, RondaError
from shared.routeros import FeatureMissing, ItemMissing, NameTaken, RightsMissing, ValueRefused


@pytest.mark.parametrize(
    ("raised", "arrives"),
    [
        (NotFound("x"), NotFound),
        (ItemMissing("x"), NotFound),
        (NameTaken("x"), Conflict),
        (RightsMissing("x"), NotAllowed),
        (ValueRefused("x"), Invalid),
        (FeatureMissing("x"), Rejected),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_a_services_own_class_arrives_as_its_nearest_common_parent(raised: RondaError, arrives: type[RondaError]):
    with pytest.raises(RondaError) as caught:
        raise_fault(fault_headers(raised))
    assert type(caught.value) is arrives
