"""Runs that wait at `admit`: `gather` reads, `decide` decides (pure: `check`, `cache_walk` and `fill` are its steps),
`reconcile` patches the run at most once.
"""
