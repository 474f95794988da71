"""The termination message, which kubectl and Argo's UI show of a pod that failed.

Called by `running` and `failure_report`. While the user's code runs, the file holds what is true if
it is never written again.
"""

from __future__ import annotations

from alula.runtime import logs
from alula.runtime.attempts import AttemptEnv
from alula_api.contract import pods

UNREPORTED = (
    "the task's process ended without a report: killed, out of memory, ended by os._exit, or crashed in native code"
)


def unreported(env: AttemptEnv) -> str:
    """What is true of an attempt that never reports."""
    return f"{UNREPORTED} ({pods.remark(env.memory)}" if env.memory else UNREPORTED


def leave(env: AttemptEnv, message: str) -> None:
    """Makes `message` what is shown; nothing is once the attempt has succeeded."""
    if not env.termination_log:
        return
    try:
        with open(env.termination_log, "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(message)
    except OSError as problem:
        logs.line(f"the termination message could not be written: {problem}")
