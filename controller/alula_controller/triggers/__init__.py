"""Runs that the end of other runs, or a new revision, starts: which follow (`decide`), and the reads and writes
(`reconcile`).
"""
