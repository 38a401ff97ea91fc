"""What `make run` and `make demo` start on one machine: NATS and PostgreSQL from wheels, and the services."""
