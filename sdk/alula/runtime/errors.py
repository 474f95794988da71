"""The exceptions by which an attempt ends from outside, raised inside the user's code; see `alula.attempt.errors`."""

from __future__ import annotations


class TimedOut(BaseException):
    """The attempt's time is over. No Exception, so that a user's `except Exception` does not swallow it."""


class Terminated(BaseException):
    """The pod was asked to end (SIGTERM): preemption, eviction, a stopped run."""
