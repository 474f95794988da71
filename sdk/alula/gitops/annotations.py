"""Problems in the forms that forges show beside the lines of a review: SARIF, GitHub's commands, GitLab's report. Pure.

Called by `alula verify`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from alula_api.contract.diagnostics import Diagnostic

_PLACE = re.compile(r"(?P<file>.*?)(?::(?P<line>\d+))?")
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(found: Sequence[Diagnostic]) -> str:
    """A SARIF 2.1.0 log, which GitHub's code scanning and editors read."""
    rules = [{"id": each, "shortDescription": {"text": each.sentence}} for each in dict.fromkeys(p.code for p in found)]
    driver = {"name": "alula", "rules": rules}
    run = {"tool": {"driver": driver}, "results": [_result(each) for each in found]}
    return _json({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def _result(problem: Diagnostic) -> dict[str, Any]:
    file, line = _place(problem)
    result: dict[str, Any] = {"ruleId": problem.code, "level": "error", "message": {"text": _message(problem)}}
    if file:
        where: dict[str, Any] = {"artifactLocation": {"uri": file}, "region": {"startLine": line}}
        result["locations"] = [{"physicalLocation": where}]
    return result


def github(found: Sequence[Diagnostic]) -> str:
    """Commands that a step of GitHub Actions prints."""
    return "".join(map(_command, found))


def _command(problem: Diagnostic) -> str:
    file, line = _place(problem)
    place = f"file={_property(file)},line={line}," if file else ""
    return f"::error {place}title={_property(problem.code)}::{_data(_message(problem))}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def gitlab(found: Sequence[Diagnostic]) -> str:
    """GitLab's report of code quality."""
    return _json([_issue(each) for each in found])


def _issue(problem: Diagnostic) -> dict[str, Any]:
    file, line = _place(problem)
    known = "\0".join((problem.code, file, problem.subject, problem.message))
    return {
        "description": _message(problem),
        "check_name": problem.code,
        "fingerprint": hashlib.sha256(known.encode()).hexdigest(),
        "severity": "critical",
        "location": {"path": file, "lines": {"begin": line}},
    }


def _place(problem: Diagnostic) -> tuple[str, int]:
    parts = _PLACE.fullmatch(problem.source)
    assert parts is not None
    return parts["file"], int(parts["line"] or 1)


def _message(problem: Diagnostic) -> str:
    """Everything but code and place, which stand apart."""
    ends = (f"in {problem.subject}", f"expected {problem.expected}", f"hint: {problem.hint}")
    given = (problem.subject, problem.expected, problem.hint)
    return "\n".join((problem.message, *(end for end, part in zip(ends, given, strict=True) if part)))


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


FORMS: Mapping[str, Callable[[Sequence[Diagnostic]], str]] = {"sarif": sarif, "github": github, "gitlab": gitlab}
