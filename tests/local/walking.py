"""Walks over bare dependencies: steps `s0`, `s1`, ... that each call the task of their own name."""

from __future__ import annotations

from alula.local.drive.attempts import Attempt
from alula_api.contract.graphs.calls import TaskCall
from alula_api.contract.graphs.plans import Graph, Plan, Step
from alula_api.contract.graphs.walks import Walk


def walk(dependencies: list[list[int]]) -> Walk:
    """A walk whose step `s<n>` waits for those of `dependencies[n]`."""
    steps = tuple(
        Step(f"s{number}", TaskCall(f"s{number}"), (), tuple(f"s{before}" for before in names))
        for number, names in enumerate(dependencies)
    )
    return Walk(Plan({"main": Graph((), steps)}), {})


def at(attempt: Attempt) -> int:
    """The number of the step that is attempted."""
    return int(attempt.task[1:])
