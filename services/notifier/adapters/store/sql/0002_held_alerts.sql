-- Transition numbers may begin at the clock's seconds or milliseconds; what an outage of many holds back is found fast.

alter table alerts alter column seen_transition type bigint;
create index incidents_held_for_outage on incidents ((fact -> 'details' ->> 'outage_id')) where status <> 'resolved';
