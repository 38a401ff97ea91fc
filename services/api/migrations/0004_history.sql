-- What the bus told, projected. No foreign keys: history outlives what it is about.

create table events (
    id        text primary key,
    type      text not null,
    at        timestamptz not null,
    site_id   text,
    router_id text,
    host_id   text,
    account   text,
    body      jsonb not null
);
create index events_by_time on events (at desc, id desc);
create index events_by_type on events (type, at desc, id desc);

create table subscriber_sessions (
    session_id  text primary key,
    router_id   text not null,
    router_name text not null,
    site_id     text not null,
    service     text not null,
    account     text not null,
    address     text,
    mac         text,
    opened_at   timestamptz,
    closed_at   timestamptz,
    seen_at     timestamptz not null,  -- opened_at, or closed_at where we never saw it open: what lists sort by
    duration_s  double precision,
    bytes_in    bigint,
    bytes_out   bigint,
    reason      text,
    inferred    boolean not null
);
create index subscriber_sessions_by_time on subscriber_sessions (seen_at desc, session_id desc);
create index subscriber_sessions_open on subscriber_sessions (router_id) where closed_at is null;
create index subscriber_sessions_by_account on subscriber_sessions (router_id, account, seen_at desc);

create table host_states (
    host_id       text primary key,
    state         text not null,
    since         timestamptz not null,
    transition    integer not null,
    rtt_ms        double precision,
    likely_causes jsonb not null,
    reason        text
);

create table router_states (
    router_id  text primary key,
    state      text not null,
    since      timestamptz not null,
    transition integer not null,
    identity   text,
    version    text,
    board      text,
    uptime_s   bigint,
    reason     text
);
