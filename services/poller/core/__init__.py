"""The rules of watching: no await, no clock, no log, no environment."""
