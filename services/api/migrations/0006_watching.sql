-- What is watched and how: further ways to ask a host, groups, policies of one's own, limits, announced work.

create table host_groups (
    id          text primary key,
    name        text not null unique,
    policy      text not null,
    created_at  timestamptz not null,
    changed_at  timestamptz not null
);

alter table hosts
    add column http       jsonb,
    add column dns        jsonb,
    add column via_router text references routers (id),
    add column group_id   text references host_groups (id);

alter table routers
    add column limits       jsonb not null default '{}',
    add column known_logins jsonb not null default '[]';

create table policies (
    name        text primary key,
    policy      jsonb not null,
    created_at  timestamptz not null,
    changed_at  timestamptz not null
);

create table maintenances (
    id          text primary key,
    title       text not null,
    begins_at   timestamptz not null,
    ends_at     timestamptz not null check (ends_at > begins_at),
    duration_s  double precision check (duration_s > 0),
    site_ids    jsonb not null,
    group_ids   jsonb not null,
    host_ids    jsonb not null,
    router_ids  jsonb not null,
    created_at  timestamptz not null,
    changed_at  timestamptz not null
);
create index maintenances_by_end on maintenances (ends_at);
