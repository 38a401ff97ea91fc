-- By which secrets routers tell us things. Only hashes are kept; several at once let scripts be exchanged one by one.

create table ingest_tokens (
    id         text primary key,
    router_id  text not null references routers (id) on delete cascade,
    digest     text not null unique,
    created_at timestamptz not null,
    created_by text not null
);
create index ingest_tokens_by_router on ingest_tokens (router_id);
