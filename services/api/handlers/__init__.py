"""The order of steps. `HANDLERS` says which message wakes which handler; routes and pages call the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from services.api.handlers.projections import Projector, project
from shared.contracts import events  # all of them have to be defined before they are listed
from shared.contracts.message import message_types

HANDLERS: Mapping[type[events.Event], Sequence[Projector]] = {
    cast("type[events.Event]", event): (project,) for event in message_types(events.Event)
}
