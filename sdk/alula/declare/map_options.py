"""The options of `map_task`, checked. Called by `maps`; what they mean in a run stands at `MapCall`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from alula import errors
from alula.code import places
from alula.graph import promises
from alula_api.contract import lists
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

AUTO = "auto"


@dataclass(frozen=True)
class Batch:
    """How the items of a map share pods on a cluster: `map_task(measure, batch=Batch(20, parallel=4))(stations)`.

    Attributes:
        size: How many items a pod takes, from 1 to 1,000, or `"auto"`.
        parallel: How many of them run at one time; they share the resources of the task.
    """

    size: int | Literal["auto"]
    parallel: int = 1


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
            hint = _share(option, value) or _HINTS[option]
            wrong.append(Diagnostic(Code.BAD_OPTION, f"{option} of map_task() {message}", source, hint=hint))
        elif option == "batch":
            batch = _batch_of(value)
            found |= {"batch": lists.AUTO if batch.size == AUTO else batch.size, "parallel": batch.parallel}
        else:
            found[option] = _decimal(value) if option == "min_success_ratio" else value
    if wrong:
        raise errors.DefinitionError(wrong)
    return found


def _count(value: object) -> str:
    if type(value) is int and 1 <= value <= MAX_COUNT:
        return ""
    return f"must be a whole number from 1 to {MAX_COUNT:,}, not {promises.shown(value)}"


MAX_COUNT = 2**31 - 1
"""As Kubernetes counts."""
DIGITS = 6
"""Behind the point of a ratio."""


def _ratio(value: object) -> str:
    if type(value) in (int, float) and 0 <= value <= 1 and round(value, DIGITS) == value:  # type: ignore[operator, call-overload]
        return ""
    return f"must be a share from 0.0 to 1.0 with at most {DIGITS} digits, not {promises.shown(value)}"


def _share(option: str, value: object) -> str:
    """What to write instead of a percentage."""
    if option == "min_success_ratio" and type(value) is int and 1 < value <= 100:
        return f"write {_decimal(value / 100)} for {value} of 100"
    return ""


def _batch(value: object) -> str:
    batch = _batch_of(value)
    if not _is_count(batch.size) and not (isinstance(batch.size, str) and batch.size == AUTO):
        expected = f'must be a whole number from 1 to {lists.MAX_BATCH:,}, "auto" or a Batch'
        return f"{expected}, not {promises.shown(batch.size)}"
    if not _is_count(batch.parallel):
        return f"must have a parallel from 1 to {lists.MAX_BATCH:,}, not {promises.shown(batch.parallel)}"
    if isinstance(batch.size, int) and batch.parallel > batch.size:
        return f"must not have a parallel of more than its {batch.size} items, not {batch.parallel}"
    return ""


def _is_count(value: object) -> bool:
    return type(value) is int and 1 <= value <= lists.MAX_BATCH


def _batch_of(value: Any) -> Batch:
    return value if isinstance(value, Batch) else Batch(value)


def _decimal(share: float) -> str:
    """As the contract writes a ratio."""
    return f"{share:.{DIGITS}f}".rstrip("0").rstrip(".")


_ALL = "leave it out where every item must succeed"
_CHECKS = {"concurrency": _count, "min_successes": _count, "min_success_ratio": _ratio, "batch": _batch}
_HINTS = {
    "concurrency": "leave it out to run all items at one time",
    "min_successes": _ALL,
    "min_success_ratio": _ALL,
    "batch": "leave it out for a pod for each item",
}
