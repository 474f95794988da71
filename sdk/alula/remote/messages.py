"""What Argo says of a node that failed, as a failure record: the user's own error where the pod reported one. Pure.

Called by `status`. The pod's message is written by `alula_api.contract.failures.termination_message`; Argo puts
`main: Error (exit code 90): ` before it, and says by itself what became of pods that could not report.
"""

from __future__ import annotations

import functools
import re

from alula_api.argo import failing
from alula_api.contract import exits, failures, lists
from alula_api.contract.codes import Code
from alula_api.contract.graphs.conditions import NONE_COMPARED

_ENDED = re.compile(r"(?:main: )?(?P<reason>\w+) \(exit code (?P<code>\d+)\)(?:: (?P<said>.*))?", re.DOTALL)
_HEADLINE = re.compile(r"(?P<said>.*?)(?: \((?:(?P<source>[^()]+:\d+), )?attempt \d+(?:, memory [^()]+)?\))?")
_LEFT = re.compile(r".*\(memory (?P<memory>[^()]+)\)", re.DOTALL)
"""What an attempt left that could not report, where its memory grows."""
_NAMED = re.compile(r"(?P<name>(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*)(?:: (?P<message>.*))?")
_COUNTED = re.compile(r'strconv\.Atoi: parsing "(?P<said>.*)": invalid syntax')
_TOO_FEW = re.compile(lists.TOO_FEW.format(r"\d+", r"\d+", r"\d+"))
_NONE_COMPARED = re.compile(NONE_COMPARED.format(r"\w+"))
_TRACEBACK = "Traceback (most recent call last):"
_STOPPED = ("Stopped with strategy", "workflow shutdown with strategy", "terminated")
_KILLED = 137
_NO_MEMORY = "OOMKilled"


def stopped(message: str) -> bool:
    """Whether the node ended because the run was stopped."""
    return message.startswith(_STOPPED)


def final(message: str) -> bool:
    """Whether the pod said that no other attempt must follow."""
    ended = _ENDED.fullmatch(message.strip())
    return ended is not None and int(ended["code"]) in exits.FINAL


def of_map(message: str) -> str:
    """Why a map could not begin or end: Argo quotes what stands in place of the number of its items."""
    found = _COUNTED.fullmatch(message.strip())
    if found is None:
        return ""
    return found["said"] if _TOO_FEW.fullmatch(found["said"]) else f"the input {found['said']}"


def failure(message: str, *, run: str = "", node: str = "", task: str = "", attempt: int = 1) -> failures.FailureRecord:
    """The record of a failed attempt, as far as its message tells."""
    made = functools.partial(failures.FailureRecord, node=node, run=run, attempt=attempt, task=task)
    ended = _ENDED.fullmatch(message.strip())
    if ended is None and (said := of_map(message)):
        return made(failures.USER, str(Code.TASK_FAILED if _TOO_FEW.fullmatch(said) else Code.BAD_VALUE), said)
    if ended is None and (none := _NONE_COMPARED.search(message)) is not None:
        return made(failures.USER, str(Code.BAD_VALUE), none[0])
    if ended is None and message.endswith(failing.LATE):
        late = "the run took longer than its deadline"
        return made(failures.USER, str(Code.TASK_TIMEOUT), late, retryable=False)
    if ended is None:
        return made(failures.SYSTEM, str(Code.TASK_KILLED), message.strip() or "it failed without a message")
    if not ended["said"] or (ended["reason"] == _NO_MEMORY and int(ended["code"]) == _KILLED):
        said = _killed(ended["reason"], int(ended["code"]), ended["said"] or "")
        return made(failures.SYSTEM, str(Code.TASK_KILLED), said)
    first, _, rest = ended["said"].partition("\n")
    headline = _HEADLINE.fullmatch(first)
    assert headline is not None  # the pattern takes every line
    code, exception, said = _split(headline["said"])
    more, found, frames = rest.partition(_TRACEBACK)
    return made(
        failures.kind_of(code),
        code,
        "\n".join(part for part in (said, more.strip("\n")) if part),
        exception,
        f"{found}{frames}".rstrip(),
        retryable=int(ended["code"]) not in exits.FINAL,
        source=headline["source"] or "",
    )


def _split(headline: str) -> tuple[str, str, str]:
    """The code, the name of the exception and what it says."""
    named = _NAMED.fullmatch(headline)
    if named is None or (named["message"] is None and not named["name"].rpartition(".")[2][0].isupper()):
        return str(Code.TASK_FAILED), "", headline
    name, message = named["name"], named["message"] or ""
    if name in Code.__members__:
        return name, "", message or Code[name].sentence
    return str(Code.TASK_FAILED), name, message


def _killed(reason: str, code: int, left: str) -> str:
    if reason == _NO_MEMORY:
        found = _LEFT.fullmatch(left)
        limit = f"limit of {found['memory']}" if found is not None else "limit"
        return f"its process was killed because it used more memory than its {limit} allows ({_NO_MEMORY})"
    if code == _KILLED:
        return "its process was killed by SIGKILL"
    return f"its process ended with exit code {code} and without a report"
