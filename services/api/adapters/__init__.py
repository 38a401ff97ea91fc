"""The api's outside systems: its schema in PostgreSQL, the bucket `inventory`, argon2."""
