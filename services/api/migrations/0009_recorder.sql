-- What was measured, and for how long which host was in what state.
--
-- Measurements are wide in number and narrow in shape: hosts and series are numbered, values are 4-byte floats, rows of
-- slices fit 60 bytes. Partitions are made ahead and dropped whole by the api (`services/api/adapters/partitions.py`).

create table host_numbers (
    number  integer generated always as identity primary key,
    host_id text not null unique
);

-- One host's row of one slice, which ends at `at`. Round trips in ms; null where nothing came back.
create table host_slices (
    at         timestamptz not null,
    host       integer not null,
    rtt_min_ms real,
    rtt_avg_ms real,
    rtt_max_ms real,
    jitter_ms  real,
    sent       smallint not null,
    received   smallint not null
) partition by range (at);
create index host_slices_of_host on host_slices (host, at);
create index host_slices_by_time on host_slices using brin (at) with (pages_per_range = 32, autosummarize = on);

-- Slices of one bucket, which begins at `at` and holds slices that end after it, up to the next bucket's begin.
-- Averages are weighted by what came back; percentiles are of the slices' mean round trips.
create table host_minutes (
    at         timestamptz not null,
    host       integer not null,
    sent       integer not null,
    received   integer not null,
    rtt_min_ms real,
    rtt_avg_ms real,
    rtt_max_ms real,
    rtt_p50_ms real,
    rtt_p95_ms real,
    rtt_p99_ms real,
    jitter_ms  real,
    primary key (host, at)
) partition by range (at);
create table host_fives (like host_minutes including all) partition by range (at);
create table host_hours (like host_minutes including all) partition by range (at);

create table reading_series (
    number    integer generated always as identity primary key,
    router_id text not null,
    metric    text not null,
    part      text not null,
    unique (router_id, metric, part)
);

create table readings (
    at     timestamptz not null,
    series integer not null,
    value  real not null
) partition by range (at);
create index readings_of_series on readings (series, at);
create index readings_by_time on readings using brin (at) with (pages_per_range = 32, autosummarize = on);

create table reading_fives (
    at        timestamptz not null,
    series    integer not null,
    readings  integer not null,
    value_min real not null,
    value_avg real not null,
    value_max real not null,
    value_p95 real not null,
    primary key (series, at)
) partition by range (at);
create table reading_hours (like reading_fives including all) partition by range (at);

-- Buckets that have rows which no rollup has seen yet. `version` is that of the last write, so that a
-- rollup takes a bucket off the list only if nothing was added while it counted.
create table rollups_due (
    rollup  text not null,
    at      timestamptz not null,
    version bigint not null,
    primary key (rollup, at)
);

-- Up to here a rollup has been at work; what is younger is counted from the slices themselves when somebody looks.
create table rollup_watermarks (
    rollup     text primary key,
    done_until timestamptz not null
);

-- Since when a host was in what state: of a host that went down, since its first lost probe.
create table host_transitions (
    host_id        text not null,
    since          timestamptz not null,
    transition     bigint not null,
    state          text not null,
    in_maintenance boolean not null,
    primary key (host_id, since, transition)
);

insert into host_transitions (host_id, since, transition, state, in_maintenance)
select host_id, coalesce((body ->> 'since')::timestamptz, at), (body ->> 'transition')::bigint,
       split_part(type, '.', 2), coalesce((body ->> 'in_maintenance')::boolean, false)
  from events
 where type in ('host.up', 'host.down', 'host.unreachable', 'host.unknown') and host_id is not null
    on conflict do nothing;
