"""What can go wrong between here and the cluster. Raised in `alula.remote`, rendered by the command line."""

from __future__ import annotations

from alula import errors
from alula_api.contract import codes, diagnostics


class RemoteError(errors.UserError):
    """The cluster cannot be reached, or refused what was asked of it."""


class Unanswered(RemoteError):
    """No answer came, or one that asks for patience: the same call may succeed a moment later."""


def refusal(message: str, hint: str = "", code: codes.Code = codes.Code.CLUSTER) -> RemoteError:
    """An error with one problem."""
    return RemoteError([diagnostics.Diagnostic(code, message, hint=hint)])


def unanswered(message: str, hint: str = "") -> Unanswered:
    """An error with one problem that may pass."""
    return Unanswered([diagnostics.Diagnostic(codes.Code.CLUSTER, message, hint=hint)])
