"""What is started when a run is over: the part of it that the resource, the run and the controller share.

A run carries its handlers in an annotation, as the compiler wrote it, so that whatever ends a run finds them there.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from alula_api.contract import jsontext

MAX_TEXT: Final = 16_384
"""Characters of the annotation."""
_MAX_NAME: Final = 63
_DIGITS: Final = 10
PENDING: Final = "pending"
"""The label of a run whose handlers are to be started when it is over."""
DONE: Final = "done"


class Event(StrEnum):
    """After what a handler is started, as a resource says it."""

    FAILURE = "Failure"
    """The run was admitted and did not succeed."""
    EXIT = "Exit"
    """The run was admitted, however it ended."""


@dataclass(frozen=True, slots=True)
class Handler:
    """A workflow that is started when a run is over."""

    event: str
    """An `Event`."""
    workflow: str
    inputs: tuple[str, ...] = ()
    """Those of the run's inputs that it gets."""
    failure: str | None = None
    """Its input that gets the failure."""


def to_text(handlers: tuple[Handler, ...]) -> str:
    """The annotation of the runs; empty for none."""
    if not handlers:
        return ""
    listed = [
        {"event": each.event, "workflow": each.workflow, "inputs": list(each.inputs), "failure": each.failure or ""}
        for each in handlers
    ]
    return jsontext.dumps(listed)


def from_text(text: str) -> tuple[Handler, ...]:
    """The handlers in an annotation; none where it cannot be read."""
    if not text or len(text) > MAX_TEXT:
        return ()
    try:
        found: Any = jsontext.parse(text)
        return tuple(
            Handler(
                str(Event(each["event"])), str(each["workflow"]), tuple(map(str, each["inputs"])), str(each["failure"])
            )
            for each in found
        )
    except (ValueError, KeyError, TypeError):
        return ()


def run_name(run: str, uid: str, event: str) -> str:
    """The name of a handler's run, which is always the same."""
    digest = hashlib.sha256(uid.encode()).hexdigest()[:_DIGITS]
    suffix = f"-on-{event.lower()}-{digest}"
    return run[: _MAX_NAME - len(suffix)].rstrip("-.") + suffix


def failure(run: str, node: str, message: str) -> dict[str, str]:
    """The failure of a run as the wire value that a handler gets."""
    return {"run": run, "node": node, "message": message}
