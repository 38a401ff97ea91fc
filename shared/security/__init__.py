"""Secrets: how they are held in memory (`secret`) and how they travel (`sealing`)."""
