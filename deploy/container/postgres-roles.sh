#!/bin/sh
# One role per service, each owning its schema and seeing no other. Runs once, when the database is made.
set -e
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -v api="$RONDA_POSTGRES_API_PASSWORD" -v notifier="$RONDA_POSTGRES_NOTIFIER_PASSWORD" <<'SQL'
CREATE ROLE ronda_api LOGIN PASSWORD :'api';
CREATE ROLE ronda_notifier LOGIN PASSWORD :'notifier';
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON DATABASE ronda FROM PUBLIC;
GRANT CONNECT ON DATABASE ronda TO ronda_api, ronda_notifier;
CREATE SCHEMA api AUTHORIZATION ronda_api;
CREATE SCHEMA notifier AUTHORIZATION ronda_notifier;
SQL
