-- What may be wrong with a host besides being down. since null: it is over; at orders what was told.
create table host_conditions (
    host_id   text not null,
    condition text not null,
    since     timestamptz,
    at        timestamptz not null,
    primary key (host_id, condition)
);
create index host_conditions_lasting on host_conditions (host_id) where since is not null;
