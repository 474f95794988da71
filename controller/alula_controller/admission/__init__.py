"""Runs that wait at `admit`: `gather` reads, `decide` decides (pure: `check`, `cache_walk` and `fill` are its steps),
`reconcile` patches the run at most once. What is said of Argo here was seen on 4.0.5 and 4.1.2.
"""
