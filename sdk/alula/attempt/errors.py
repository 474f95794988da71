"""The exception by which alula itself ends an attempt. Raised by the pod and the local runner, read by `failures`."""

from __future__ import annotations

from alula_api.contract.codes import Code

USER = "user"
SYSTEM = "system"
"""`alula_api.contract.failures` has the same; what succeeds need not load it."""


class Stop(Exception):
    """It is known why the attempt cannot go on, and that another one cannot either.

    Attributes:
        kind: `user` or `system`, as in the failure record.
        code: the stable code.
        source: where the mistake is, when that is not the task.
    """

    def __init__(self, kind: str, code: Code, message: str, *, source: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code
        self.source = source


def bad_input(name: str, why: object) -> Stop:
    """What travelled for an input is no value of it."""
    return Stop(USER, Code.BAD_VALUE, f"the input {name} cannot be read: {why}")
