-- Messages that are committed and not yet on the bus, in the order of commits. Rows leave when the stream has them.
create table outbox (
    id         bigint generated always as identity primary key,
    message_id text        not null,
    subject    text        not null,
    headers    jsonb       not null,
    body       bytea       not null,
    written_at timestamptz not null default clock_timestamp(),
    refused    text  -- why the bus will never take it; such rows wait for a person
);

-- Messages whose effect is committed: at least once becomes once.
create table inbox (
    consumer   text        not null,
    message_id text        not null,
    seen_at    timestamptz not null default clock_timestamp(),
    primary key (consumer, message_id)
);
create index inbox_seen_at on inbox (seen_at);
