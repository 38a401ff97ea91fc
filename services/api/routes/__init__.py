"""REST: one file per resource. Each route translates and calls the same handlers as the console."""
