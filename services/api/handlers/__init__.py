"""The order of steps. `HANDLERS` says which message wakes which handler; routes and pages call the others."""
