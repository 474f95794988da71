"""What the API server refuses, as errors. Raised by `client` alone, caught by work queues and loops.

ClusterError
├── NotFound
├── Conflict
├── Gone
├── Refused
├── Poison
│   └── TooLarge
└── Unavailable
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ClusterError(Exception):
    """The API server said no, or could not be reached.

    Attributes:
        status: the HTTP status, 0 for no answer.
        retry_after: seconds for which the server asks to be left alone.
    """

    status = 0

    def __init__(self, message: str, reason: str = "", status: int = 0, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.reason = reason
        self.status = status or self.status


class NotFound(ClusterError):
    """The object, or the kind, is not there."""

    status = 404


class Conflict(ClusterError):
    """A precondition did not hold (resourceVersion, uid), or the name is taken: read again and decide again."""

    status = 409


class Gone(ClusterError):
    """The resourceVersion is too old to continue from: list again."""

    status = 410


class Refused(ClusterError):
    """The request can never succeed as it is: invalid, forbidden, or too large."""

    status = 422


class Poison(ClusterError):
    """What the API server keeps cannot be read here, however often it is asked for: too deep, or no JSON."""


class TooLarge(Poison):
    """The answer has more bytes than are read."""


class Unavailable(ClusterError):
    """No answer, or one that asks to come back later."""

    status = 503


_ERRORS: dict[int, type[ClusterError]] = {
    400: Refused,
    403: Refused,
    404: NotFound,
    409: Conflict,
    410: Gone,
    413: Refused,
    422: Refused,
}


_MAX_RETRY_AFTER = 60.0


def of_status(code: int, status: Mapping[str, Any], what: str = "", retry_after: str = "") -> ClusterError:
    """Return the error for a refusal: its HTTP status, the `Status` object, what was asked, `Retry-After`."""
    message = str(status.get("message") or f"the API server answered {code}")
    kind = _ERRORS.get(code, Unavailable if code == 429 or code >= 500 else ClusterError)
    pause = min(float(retry_after), _MAX_RETRY_AFTER) if retry_after.isdecimal() else 0.0
    return kind(f"{what}: {message}" if what else message, str(status.get("reason") or ""), code, pause)
