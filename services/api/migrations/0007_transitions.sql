-- Transition numbers may begin at the clock's seconds or milliseconds.
alter table host_states alter column transition type bigint;
alter table router_states alter column transition type bigint;
