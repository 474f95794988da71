"""The options of `map_task`, checked. Called by `maps`; what they mean in a run stands at `MapCall`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alula import errors
from alula.code import places
from alula_api.contract import problems
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a `MapCall` that options set; None stands for an option that is not given.

    Raises:
        DefinitionError: An option has a value that it cannot take, or is none of a map.
    """
    from alula.interfaces import flyte_names

    source, found, wrong = str(places.caller()), dict[str, Any](), []
    for option, value in given.items():
        if value is None and option in _CHECKS:
            continue
        if option not in _CHECKS:
            hint = flyte_names.option("map_task", option) or "options of the task stand at @task"
            wrong.append(Diagnostic(Code.BAD_OPTION, f"map_task() has no option {option!r}", source, hint=hint))
        elif message := _CHECKS[option](value):
            hint = _HINTS[option]
            wrong.append(Diagnostic(Code.BAD_OPTION, f"{option} of map_task() {message}", source, hint=hint))
        else:
            found[option] = _decimal(value) if option == "min_success_ratio" else value
    if wrong:
        raise errors.DefinitionError(wrong)
    return found


def _count(value: object) -> str:
    if type(value) is int and 1 <= value <= MAX_COUNT:
        return ""
    return f"must be a whole number from 1 to {MAX_COUNT:,}, not {problems.shown(value)}"


MAX_COUNT = 2**31 - 1
"""As Kubernetes counts."""
DIGITS = 6
"""Behind the point of a ratio."""


def _ratio(value: object) -> str:
    if type(value) in (int, float) and 0 <= value <= 1 and round(value, DIGITS) == value:  # type: ignore[operator, call-overload]
        return ""
    return f"must be a share from 0.0 to 1.0 with at most {DIGITS} digits, not {problems.shown(value)}"


def _decimal(share: float) -> str:
    """As the contract writes a ratio."""
    return f"{share:.{DIGITS}f}".rstrip("0").rstrip(".")


_ALL = "leave it out where every item must succeed"
_CHECKS = {"concurrency": _count, "min_successes": _count, "min_success_ratio": _ratio}
_HINTS = {
    "concurrency": "leave it out to run all items at one time",
    "min_successes": _ALL,
    "min_success_ratio": _ALL,
}
