"""The notifier's memory in PostgreSQL, schema `notifier`."""

from pathlib import Path

from services.notifier.adapters.store.postgres import PostgresStore

SCHEMA = "notifier"
MIGRATIONS = Path(__file__).parent / "sql"

__all__ = ["MIGRATIONS", "SCHEMA", "PostgresStore"]
