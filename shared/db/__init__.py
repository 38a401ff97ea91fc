"""PostgreSQL: the pool, transactions that publish (outbox) and remember (inbox), migrations, the relay to the bus.

The rules of this folder: SQL is plain and parametrised; every wait has a deadline; asyncpg's errors become ours at this
border; a change and its message are one transaction, and so are an event and what was made of it.
"""

from shared.db.migrations import migrate
from shared.db.outbox import OutboxRelay
from shared.db.pool import Database
from shared.db.transaction import Transaction

__all__ = ["Database", "OutboxRelay", "Transaction", "migrate"]
