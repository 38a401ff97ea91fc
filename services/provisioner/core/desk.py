"""What is desired of one router and not done yet, in the order in which it is worked on."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from shared.contracts.desired import DesiredAccount
from shared.contracts.envelope import Envelope
from shared.contracts.ids import AccountId


@dataclass(frozen=True, slots=True)
class Order:
    """A desired state to bring about. `failures`: how often that was tried in vain."""

    desired: DesiredAccount
    envelope: Envelope | None = None
    failures: int = 0

    @property
    def account_id(self) -> AccountId:
        return self.desired.account_id


class Desk:
    """The newest order per account. An account is worked on by one at a time, a router by `places` at once.

    What somebody just asked for goes before what is read again because the router returned.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._fresh: OrderedDict[AccountId, Order] = OrderedDict()
        self._backlog: OrderedDict[AccountId, Order] = OrderedDict()
        self._in_work: set[AccountId] = set()

    def put(self, order: Order, *, backlog: bool = False) -> None:
        """Lay an order down. One that is no newer than what already waits for this account is left out."""
        account_id = order.account_id
        queue = self._backlog if backlog and account_id not in self._fresh else self._fresh
        waiting = self._fresh.get(account_id) or self._backlog.get(account_id)
        if waiting is not None and waiting.desired.generation > order.desired.generation:
            order = waiting
        if queue is self._fresh:
            self._backlog.pop(account_id, None)
        queue[account_id] = order

    def take(self) -> Order | None:
        """The next order to work on; None while all places are taken or nothing waits."""
        if len(self._in_work) >= self._places:
            return None
        for queue in (self._fresh, self._backlog):
            # At most `places` accounts are passed over: those being worked on.
            account_id = next((each for each in queue if each not in self._in_work), None)
            if account_id is not None:
                self._in_work.add(account_id)
                return queue.pop(account_id)
        return None

    def done(self, order: Order) -> None:
        """The place and the account are free again, however it went."""
        self._in_work.discard(order.account_id)

    def __len__(self) -> int:
        """Orders that wait."""
        return len(self._fresh) + len(self._backlog)
