"""Compiles resources into Argo objects. Pure: no I/O, no clock, no environment."""
