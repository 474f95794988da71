"""The one schema of log lines in JSON: those of the controller, and alula's own in a task's log.

What a user's code prints is not among them, and stays as it is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Final

JSON, TEXT = "json", "text"
FORMATS: Final = (JSON, TEXT)

FIELDS: Final = {
    "time": "when, in UTC with milliseconds: `2026-11-29T02:00:00.000Z`",
    "level": "`debug`, `info`, `warning` or `error`",
    "logger": "which part: a module of the controller, or `alula.runtime` in a task's log",
    "message": "what happened, in one sentence",
    "namespace": "of the object that it is about",
    "name": "of that object",
    "key": "what the controller was working on: `Workflow penguins-dev/train`",
    "run": "the run of the task",
    "node": "the node of the task, as Argo names it",
    "attempt": "which attempt of the task, from 0",
    "traceback": "frames, one a line, where an error is told",
}
"""What a line may hold, with a sentence each; the first four are in every line. A part may add fields of its own."""


def line(
    moment: float, level: str, logger: str, message: str, fields: Mapping[str, object], *, traceback: str = ""
) -> str:
    """Return a line, without its end.

    Args:
        moment: Seconds since 1970.
        level: As in `FIELDS`.
        logger: Likewise.
        message: Likewise.
        fields: Others; what is no JSON is written as text.
        traceback: Empty for none.
    """
    seconds, thousandths = divmod(round(moment * 1000), 1000)
    found: dict[str, Any] = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{thousandths:03d}Z",
        "level": level,
        "logger": logger,
        "message": message,
        **fields,
        **({"traceback": traceback} if traceback else {}),
    }
    return json.dumps(found, ensure_ascii=False, default=str)
