"""Hostile objects of all kinds against a real API server and the real controller, for minutes or hours: `make soak`."""
