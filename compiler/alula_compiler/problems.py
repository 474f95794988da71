"""Where the passes put what is wrong with a workflow, so that its author sees several errors at once.

Every pass gets the same `Report`. Adding to it never ends a pass: it goes on with what can still be checked.
"""

from __future__ import annotations

from dataclasses import dataclass

from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic, closest
from alula_api.contract.graphs.specs import GraphSpec
from alula_compiler.program import LaunchPlan, Program

MAX_DIAGNOSTICS = 100
"""More are only counted; a workflow made by a program may be wrong in ten thousand places."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a diagnostic is about: the words for people, and the file and line that the SDK recorded."""

    text: str
    source: str = ""

    def at(self, part: str) -> Subject:
        """Return the subject of a part, which may have a line of its own."""
        return Subject(f"{self.text}, {part}", self.source)


class Report:
    """Collects diagnostics in the order in which they are found."""

    def __init__(self) -> None:
        self._found: list[Diagnostic] = []
        self._dropped = 0

    def add(self, code: Code, subject: Subject, message: str, *, expected: str = "", hint: str = "") -> None:
        """Note one error."""
        if len(self._found) >= MAX_DIAGNOSTICS:
            self._dropped += 1
            return
        self._found.append(Diagnostic(code, message, subject.source, subject.text, expected, hint))

    @property
    def failed(self) -> bool:
        """Whether anything was added."""
        return bool(self._found)

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Return what was found, with one more that says how much was left out."""
        if not self._dropped:
            return tuple(self._found)
        last = self._found[-1]
        more = Diagnostic(last.code, f"and {self._dropped} more errors", "", self._found[0].subject.split(",")[0])
        return (*self._found, more)


def of_program(program: Program) -> Subject:
    """Return the subject of the workflow itself."""
    return Subject(f"workflow {program.name}", program.source)


def of_graph(program: Program, graph: GraphSpec) -> Subject:
    """Return the subject of a graph; `main` is the workflow itself."""
    whole = of_program(program)
    return whole if graph.is_main else whole.at(f"graph {graph.name}")


def of_plan(plan: LaunchPlan) -> Subject:
    """Return the subject of a launch plan."""
    return Subject(f"launch plan {plan.name}", plan.source)


def did_you_mean(name: str, candidates: tuple[str, ...] | list[str]) -> str:
    """Return the hint for a name that does not exist: the nearest one, else what there is."""
    near = closest(name, candidates)
    if near:
        return f"did you mean `{near}`?"
    if not candidates:
        return "there are none"
    shown = ", ".join(f"`{candidate}`" for candidate in candidates[:8])
    return f"there are {shown}{', ...' if len(candidates) > 8 else ''}"
