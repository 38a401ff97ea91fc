-- An account is its name on its router: the row and its id stay when it is deleted, so that making it again
-- counts the generation on and an old "deleted" can never reach the router after the new wish.

create table accounts (
    id                 text primary key,
    router_id          text not null references routers (id) on delete cascade,
    service            text not null,
    name               text not null,
    sealed_password    text not null,
    profile            text not null,
    status             text not null,
    comment            text,
    phone              text,
    full_name          text not null,
    language           text not null,
    tell_sessions      boolean not null,
    generation         integer not null check (generation >= 1),
    applied_generation integer not null check (applied_generation <= generation),
    apply_state        text not null,
    failure            jsonb,
    applied_at         timestamptz,
    took_ms            double precision,
    created_at         timestamptz not null,
    changed_at         timestamptz not null,
    unique (router_id, service, name)
);
create index accounts_by_name on accounts (name, id);
create index accounts_failed on accounts (router_id) where apply_state = 'failed';
