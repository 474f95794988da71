"""The record of a task's failure, and the message that Argo's UI and kubectl show of it.

Written by the pod and the local runner, read by later attempts, `alula run --remote` and `alula why`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final

from alula_api.contract.codes import Code
from alula_api.contract.jsontext import Json
from alula_api.contract.problems import InvalidValue, Problem, shown

VERSION: Final = 1
MAX_MESSAGE: Final = 4096
"""Bytes of a termination message that Kubernetes keeps."""
_KINDS: Final[dict[str, type]] = {"attempt": int, "v": int, "retryable": bool, "inputs": dict}
USER: Final = "user"
SYSTEM: Final = "system"

_OF_SYSTEM: Final = frozenset(
    (
        *(Code.TASK_KILLED, Code.STORE_UNAVAILABLE, Code.STORE_DENIED, Code.STORE_ERROR, Code.INPUT_LOST),
        *(Code.NOT_FOUND, Code.DAMAGED, Code.BUNDLE_DAMAGED, Code.BAD_ENGINE, Code.INTERNAL),
    )
)
MAX_WHOLE: Final = 20
"""Of the items that failed in one pod, so many have their whole records; of the others there is the first line."""
_MAX_LINE = 200

_MAX_SEGMENT = 255
_MAX_FIRST = 2048
_TAG = re.compile(r"\{(?=\{)|\}(?=\})")
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """Why a task failed."""

    kind: str
    """`user` when the user's code failed, else `system`."""
    code: str
    message: str
    exception: str = ""
    """The name of the exception's type."""
    traceback: str = ""
    """The user's own frames, as Python prints them."""
    node: str = ""
    run: str = ""
    attempt: int = 1
    task: str = ""
    retryable: bool = True
    inputs: Mapping[str, str] = field(default_factory=dict)
    """A short form of each input."""
    source: str = ""
    """Where it was raised, as `flows/penguins.py:12`."""
    v: int = VERSION

    def to_json(self) -> dict[str, Json]:
        """Return the record as JSON."""
        return {**asdict(self), "inputs": dict(self.inputs)}

    @classmethod
    def from_json(cls, json: Json) -> FailureRecord:
        """Return the record of a JSON value; fields that a later version added are left out.

        Raises:
            InvalidValue: Names the field that is wrong.
        """
        if type(json) is not dict:
            raise InvalidValue([Problem("$", f"must be a failure record, not {shown(json)}")])
        found: dict[str, Any] = {}
        problems = []
        for item in fields(cls):
            if item.name not in json:
                if item.name in {"kind", "code", "message"}:
                    problems.append(Problem(f"$.{item.name}", "is missing"))
                continue
            value = json[item.name]
            kind = _KINDS.get(item.name, str)
            if type(value) is not kind or (type(value) is dict and not all(type(v) is str for v in value.values())):
                problems.append(Problem(f"$.{item.name}", f"must be {kind.__name__}, not {shown(value)}"))
            found[item.name] = value
        if problems:
            raise InvalidValue(problems)
        return cls(**found)


def kind_of(code: str) -> str:
    """Return whose failure a code means, where nothing but a pod's message tells of it."""
    return SYSTEM if code in _OF_SYSTEM else USER


def termination_message(record: FailureRecord, memory: str = "") -> str:
    """Return the text for Argo's UI and kubectl: the error in the first line, then the traceback, at most 4,096 bytes.

    `memory` is the container's where it grows: the next attempt's is read in the first line, so that is never cut off.

    Argo puts messages into templates that it evaluates, so two braces never stand together; nor is there a control
    character but the line feed.
    """
    first, _, more = record.message.strip().partition("\n")
    if memory:
        first = cut(first, _MAX_FIRST).replace("\n", " ")
    name = record.exception or (record.code if record.code != Code.TASK_FAILED else "")
    places = [record.source] if record.source else []
    if record.attempt:
        places.append(f"attempt {record.attempt}")
    if memory:
        places.append(f"memory {memory}")
    headline = (f"{name}: {first}" if name and first else name or first or record.code) + (
        f" ({', '.join(places)})" if places else ""
    )
    return cut("\n".join(part for part in (headline, more.rstrip(), record.traceback.rstrip()) if part))


def cut(text: str, limit: int = MAX_MESSAGE) -> str:
    """Return a text without control characters and template tags, cut at a character's end to `limit` bytes."""
    text = _CONTROL.sub(_printable, text.replace("\r\n", "\n"))
    text = _TAG.sub(r"\g<0> ", text)
    raw = text.encode()
    if len(raw) <= limit:
        return text
    return raw[: limit - 4].decode(errors="ignore") + "\n…"


def _printable(match: re.Match[str]) -> str:
    return " " * 4 if match[0] == "\t" else "\ufffd"


def items_to_json(failed: Mapping[int, FailureRecord]) -> Json:
    """Return the records of items that failed in a pod of several, by their indices, as one JSON value."""
    listed: list[Json] = []
    for index, record in failed.items():
        short = replace(record, message=cut(record.message.partition("\n")[0], _MAX_LINE), traceback="", inputs={})
        listed.append({"index": index, "failure": (record if len(listed) < MAX_WHOLE else short).to_json()})
    return {"v": VERSION, "items": listed}


def items_from_json(json: Json) -> dict[int, FailureRecord]:
    """Return the records of such a value.

    Raises:
        InvalidValue: Names the field that is wrong.
    """
    listed = json.get("items") if type(json) is dict else None
    if type(listed) is not list:
        raise InvalidValue([Problem("$", f"must be the failures of items, not {shown(json)}")])
    found = {}
    for each in listed:
        index = each.get("index") if type(each) is dict else None
        if type(each) is not dict or type(index) is not int:
            raise InvalidValue([Problem("$.items", f"must be failures with their indices, not {shown(each)}")])
        found[index] = FailureRecord.from_json(each.get("failure"))
    return found


def items_path(run: str, node: str, attempt: int) -> str:
    """Return where the records of the items lie that failed in a pod which succeeded; as `path`."""
    return f"{path(run, node, attempt).rpartition('/')[0]}/items.json"


def path(run: str, node: str, attempt: int) -> str:
    """Return where the record lies below the prefix of a domain.

    Args:
        run: What stands for the run: its uid in a cluster, where a name comes again; its name locally.
        node: The node's name.
        attempt: From 1.
    """
    for part in (run, node):
        if not part or "/" in part or part in {".", ".."}:
            raise ValueError(f"{part!r} cannot be part of a path")
    if len(node.encode("utf-8", "surrogatepass")) > _MAX_SEGMENT:
        # The name of a node in nested graphs has no limit; that of a folder has.
        node = f"{node[:100]}-{hashlib.sha256(node.encode('utf-8', 'surrogatepass')).hexdigest()}"
    return f"runs/{run}/{node}/{attempt}/failure.json"
