"""Security: from lines of a router's log and from its traffic to what a person should look at."""
