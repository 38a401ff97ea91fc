"""A real NATS server for tests."""
