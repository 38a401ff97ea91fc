-- Alerts as the notifier told of them. Its events may come in any order, so what only one of them knows may be null.

create table alerts (
    incident_id     text primary key,
    number          bigint not null,
    site_id         text not null,
    alert_kind      text not null,
    object_id       text not null,
    object_name     text not null,
    severity        text not null,
    opened_at       timestamptz,
    told            jsonb not null,
    acknowledged_by text,
    acknowledged_at timestamptz,
    resolved_at     timestamptz,
    outage_s        double precision
);
create index alerts_by_number on alerts (number desc, incident_id desc);
create index alerts_not_over on alerts (object_id) where resolved_at is null;

-- What the board's picture of the last hour is walked back by.
create index subscriber_sessions_by_opening on subscriber_sessions (opened_at);
create index subscriber_sessions_by_end on subscriber_sessions (closed_at);
