"""Notices of runs: what is owed to whom (`decide`, `marks`), what it says (`facts`, `services`), and how it gets there
(`outbox`, `delivery`, `posting`, `mailing`); `reconcile` reads and writes.

At least once: what is owed stands in the run (or the launch plan) before anything is sent, and goes from there when it
was taken. A controller that is killed in between sends it again, with the same key.
"""
