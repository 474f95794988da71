"""Where the passes put what is wrong with a workflow, so that its author sees several errors at once.

Every pass gets the same `Report`. Adding to it never ends a pass: it goes on with what can still be checked.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic, closest
from alula_api.contract.graphs.specs import GraphSpec
from alula_compiler.program import LaunchPlan, Program

MAX_DIAGNOSTICS = 100
"""Of a workflow, and of each launch plan. More are only counted: a program may make ten thousand errors."""
WORKFLOW = ""
"""In place of a launch plan's name: the workflow itself."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a diagnostic is about: words for people, the file that the SDK recorded, the launch plan."""

    text: str
    source: str = ""
    plan: str = ""

    def at(self, part: str) -> Subject:
        """Return the subject of a part."""
        return Subject(f"{self.text}, {part}", self.source, self.plan)


class Report:
    """Collects diagnostics in the order in which they are found, those of the workflow apart from each launch plan's.

    A launch plan that is wrong spoils neither the workflow nor the other plans.
    """

    def __init__(self) -> None:
        self._found: dict[str, list[Diagnostic]] = {}
        self._dropped: Counter[str] = Counter()

    def add(self, code: Code, subject: Subject, message: str, *, expected: str = "", hint: str = "") -> None:
        """Note one error."""
        found = self._found.setdefault(subject.plan, [])
        if len(found) >= MAX_DIAGNOSTICS:
            self._dropped[subject.plan] += 1
            return
        found.append(Diagnostic(code, message, subject.source, subject.text, expected, hint))

    @property
    def failed(self) -> bool:
        """Whether anything is wrong with the workflow itself."""
        return WORKFLOW in self._found

    def by_plan(self) -> dict[str, tuple[Diagnostic, ...]]:
        """Return what was found, by launch plan, `WORKFLOW` for the workflow; each with how much was left out."""
        return {plan: self._told(plan, found) for plan, found in self._found.items()}

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Return all that was found, the workflow's first."""
        found = self.by_plan()
        return (*found.pop(WORKFLOW, ()), *(each for told in found.values() for each in told))

    def _told(self, plan: str, found: list[Diagnostic]) -> tuple[Diagnostic, ...]:
        if not self._dropped[plan]:
            return tuple(found)
        more = f"and {self._dropped[plan]} more errors"
        return (*found, Diagnostic(found[-1].code, more, "", found[0].subject.split(",")[0]))


def of_program(program: Program) -> Subject:
    """Return the subject of the workflow itself."""
    return Subject(f"workflow {program.name}", program.source)


def of_graph(program: Program, graph: GraphSpec) -> Subject:
    """Return the subject of a graph; `main` is the workflow itself."""
    whole = of_program(program)
    return whole if graph.is_main else whole.at(f"graph {graph.name}")


def of_plan(plan: LaunchPlan) -> Subject:
    """Return the subject of a launch plan."""
    return Subject(f"launch plan {plan.name}", plan.source, plan.name)


def did_you_mean(name: str, candidates: tuple[str, ...] | list[str]) -> str:
    """Return the hint for a name that does not exist: the nearest one, else what there is."""
    near = closest(name, candidates)
    if near:
        return f"did you mean `{near}`?"
    if not candidates:
        return "there are none"
    shown = ", ".join(f"`{candidate}`" for candidate in candidates[:8])
    return f"there are {shown}{', ...' if len(candidates) > 8 else ''}"
