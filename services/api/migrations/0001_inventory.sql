-- What the network consists of. Column names are the fields of shared/contracts/inventory.py.

create table sites (
    id          text primary key,
    name        text not null unique,
    policy      text not null,
    created_at  timestamptz not null,
    changed_at  timestamptz not null
);

create table routers (
    id              text primary key,
    site_id         text not null references sites (id),
    name            text not null unique,
    host            text not null,
    port            integer not null check (port between 1 and 65535),
    tls             text not null,
    tls_fingerprint text,
    username        text not null,
    sealed_password text not null,
    enabled         boolean not null,
    created_at      timestamptz not null,
    changed_at      timestamptz not null
);
create index routers_by_site on routers (site_id);

create table hosts (
    id          text primary key,
    site_id     text not null references sites (id),
    name        text not null,
    address     text not null,
    probe       text not null,
    port        integer check (port between 1 and 65535),
    policy      text not null,
    parents     jsonb not null,
    enabled     boolean not null,
    created_at  timestamptz not null,
    changed_at  timestamptz not null,
    unique (site_id, name)
);

create table chats (
    id          text primary key,
    name        text not null,
    channel     text not null,
    address     text not null,
    role        text not null,
    language    text not null,
    time_zone   text not null,
    receives    jsonb not null,
    site_ids    jsonb not null,
    enabled     boolean not null,
    created_at  timestamptz not null,
    changed_at  timestamptz not null,
    unique (channel, address)
);

-- Entries for the bucket `inventory` that wait to be put there, in the order of commits. Null: take the key out.
create table inventory_queue (
    place  bigint generated always as identity primary key,
    key    text not null,
    value  text
);
