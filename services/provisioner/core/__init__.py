"""Rules: what must be done so that a router has what is desired. No I/O, no clock."""
