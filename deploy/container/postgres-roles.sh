#!/bin/sh
# One role per service, each owning its schema and seeing no other. Runs when the database is made; run it again for new
# passwords: docker compose exec postgres sh /docker-entrypoint-initdb.d/10-roles.sh
set -e
psql -q -v ON_ERROR_STOP=1 -h /var/run/postgresql -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
\getenv api RONDA_POSTGRES_API_PASSWORD
\getenv notifier RONDA_POSTGRES_NOTIFIER_PASSWORD
SET client_min_messages = warning;
SELECT format('CREATE ROLE %I', missing) FROM unnest(ARRAY['ronda_api', 'ronda_notifier']) AS missing
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = missing) \gexec
ALTER ROLE ronda_api LOGIN PASSWORD :'api';
ALTER ROLE ronda_notifier LOGIN PASSWORD :'notifier';
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON DATABASE ronda FROM PUBLIC;
GRANT CONNECT ON DATABASE ronda TO ronda_api, ronda_notifier;
CREATE SCHEMA IF NOT EXISTS api AUTHORIZATION ronda_api;
CREATE SCHEMA IF NOT EXISTS notifier AUTHORIZATION ronda_notifier;
SQL
