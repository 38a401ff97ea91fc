"""How: router links, progress and desired states on the bus."""
