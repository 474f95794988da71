"""A real cluster on one machine, in namespaces of its own: the harness of the end-to-end tests.

`starting.start()` starts one; `python -m e2e.cluster up` does so by hand; the pytest fixtures
`cluster` and `real_cluster` (`e2e/conftest.py`) give tests theirs. This file imports nothing, so
that the small programs that run inside the cluster start fast.
"""
