"""The exceptions by which an attempt ends before its end, raised inside the runtime and read by `failing`."""

from __future__ import annotations

from alula_api.contract.codes import Code

USER = "user"
SYSTEM = "system"
"""`alula_api.contract.failures` has the same; what succeeds need not load it."""


class Stop(Exception):
    """The runtime itself found why the attempt cannot go on.

    Attributes:
        kind: `user` or `system`, as in the failure record.
        code: the stable code.
        retryable: whether another attempt may succeed.
    """

    def __init__(self, kind: str, code: Code, message: str, *, retryable: bool = False, source: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code
        self.retryable = retryable
        self.source = source


class TimedOut(BaseException):
    """The attempt's time is over. No Exception, so that a user's `except Exception` does not swallow it."""


class Terminated(BaseException):
    """The pod was asked to end (SIGTERM): preemption, eviction, a stopped run."""
