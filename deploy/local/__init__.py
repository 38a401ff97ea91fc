"""Ronda on one machine without containers: servers and services as child processes under one supervisor."""
