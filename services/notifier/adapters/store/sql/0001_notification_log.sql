-- What was told to whom and why not. Facts inside rows are JSON as services/notifier/adapters/store writes them.

create sequence incident_numbers;

create table alerts (
    id              text        primary key,
    seen_transition integer,
    seen_at         timestamptz
);

create table incidents (
    id        text        primary key,
    number    bigint      not null unique default nextval('incident_numbers'),
    alert_id  text        not null references alerts,
    object_id text        not null,
    site_id   text        not null,
    status    text        not null,
    opened_at timestamptz not null,
    fact      jsonb       not null
);
create index incidents_by_alert on incidents (alert_id, number desc);
create index incidents_not_resolved on incidents (number) where status <> 'resolved';

-- serial is the order in which a chat is owed its messages; (thread, chat_id, sequence) is the name of a message
create table deliveries (
    serial        bigint      generated always as identity primary key,
    id            text        not null unique,
    thread        text        not null,
    chat_id       text        not null,
    sequence      integer     not null,
    form          text        not null,
    reason        text        not null,
    severity      text        not null,
    tells         text,
    event_at      timestamptz not null,
    recipient     jsonb       not null,
    fact          jsonb       not null,
    state         text        not null default 'pending' check (state in ('pending', 'sending', 'sent', 'failed')),
    claimed_by    text,
    claimed_until timestamptz,
    message_id    text,
    text_hash     text,
    created_at    timestamptz not null default clock_timestamp(),
    settled_at    timestamptz,
    unique (thread, chat_id, sequence)
);
create index deliveries_owed on deliveries (chat_id, serial) where state in ('pending', 'sending');
create index deliveries_by_message on deliveries (message_id, chat_id) where message_id is not null;

create table ledger (
    id       bigint      generated always as identity primary key,
    at       timestamptz not null,
    thread   text        not null,
    reason   text        not null,
    chat_ids text[]      not null,
    words    text        not null default ''
);
create index ledger_by_thread on ledger (thread, at);

create table unusable_chats (
    chat_id text        primary key,
    address text        not null,
    reason  text        not null,
    at      timestamptz not null
);

create table moved_chats (
    channel     text not null,
    old_address text not null,
    new_address text not null,
    primary key (channel, old_address)
);
create index moved_chats_by_new on moved_chats (channel, new_address);

create table received (
    channel  text        not null,
    key      text        not null,
    at       timestamptz not null,
    content  jsonb       not null,
    answered boolean     not null default false,
    primary key (channel, key)
);
create index received_unanswered on received (channel, at) where not answered;

create table heard (
    channel text        not null,
    address text        not null,
    at      timestamptz not null,
    primary key (channel, address)
);

create table too_early (
    message_id text        primary key,
    since      timestamptz not null default clock_timestamp()
);
