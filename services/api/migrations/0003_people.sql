-- Who may log in. Of everything that opens a door only a hash is kept.

create table people (
    id            text primary key,
    login         text not null unique,
    name          text not null,
    role          text not null,
    password_hash text not null,
    language      text,
    time_zone     text,
    enabled       boolean not null,
    created_at    timestamptz not null
);

create table browser_sessions (
    id         text primary key,
    person_id  text not null references people (id) on delete cascade,
    digest     text not null unique,
    csrf       text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null
);
create index browser_sessions_by_person on browser_sessions (person_id);

create table tokens (
    id         text primary key,
    person_id  text not null references people (id) on delete cascade,
    name       text not null,
    digest     text not null unique,
    scopes     jsonb not null,
    created_at timestamptz not null,
    expires_at timestamptz
);

create table audit (
    id        text primary key,
    at        timestamptz not null,
    by        text not null,
    action    text not null,
    entity    text not null,
    entity_id text not null,
    detail    jsonb not null
);

create table answers (
    owner       text not null,
    key         text not null,
    fingerprint text not null,
    status      integer not null,
    body        text not null,
    at          timestamptz not null,
    primary key (owner, key)
);
create index answers_by_age on answers (at);
