"""`LaunchPlan`: a workflow with inputs of its own, some of them fixed, and a schedule. Checked when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic

from alula import errors
from alula.code import places
from alula.declare import schedules, workflows
from alula.graph.tracer import active
from alula.interfaces import callee, encode, mistakes
from alula.types.carriers import REFUSAL
from alula.types.mismatches import Mismatch
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from alula.declare.schedules import Cron
    from alula_api.contract.values import Json

if TYPE_CHECKING:
    from typing_extensions import TypeVar  # for type checkers alone: a plain `LaunchPlan` needs no argument

    R = TypeVar("R", default=Any)
else:
    from typing import TypeVar

    R = TypeVar("R")

__tracebackhide__ = True  # pytest shows the user's frames only


@callee.explain_options
class LaunchPlan(Generic[R], metaclass=callee.ExplainedMethods):
    """A way to start a workflow.

    Attributes:
        name: The name of its resource.
        workflow: What it starts.
        inputs: wire values that replace the workflow's defaults; who starts a run may replace them again.
        fixed_inputs: wire values that nobody may replace.
        schedule: When it starts runs by itself; None for never.
        suspend: Whether the schedule is switched off.
        source: Where it is defined.
    """

    def __init__(
        self,
        name: str,
        workflow: workflows.Workflow[..., R],
        *,
        inputs: Mapping[str, Any] | None = None,
        fixed_inputs: Mapping[str, Any] | None = None,
        schedule: Cron | None = None,
        suspend: bool = False,
        description: str = "",
    ) -> None:
        self.source = places.caller()
        self.name = name
        self.subject = f"launch plan {name}"
        self.workflow = workflow
        self.schedule = schedule
        self.suspend = suspend
        self.description = description
        self.values: dict[str, Any] = {**(inputs or {}), **(fixed_inputs or {})}
        """The Python values of both kinds of inputs."""
        self.problems: list[Diagnostic] = workflows.name_problems(name, str(self.source), self.subject, "a launch plan")
        given: Any = workflow
        if not isinstance(given, workflows.Workflow):
            message = f"a launch plan starts a workflow, got {given!r}"
            self._problem(Code.NOT_A_TASK, message, "pass the function that @workflow stands on")
            raise errors.DefinitionError(self.problems)
        self.inputs = self._encoded(inputs or {}, "input")
        self.fixed_inputs = self._encoded(fixed_inputs or {}, "fixed input")
        self._check(inputs or {}, fixed_inputs or {})
        if self.problems:
            raise errors.DefinitionError(self.problems)

    def _problem(self, code: Code, message: str, hint: str = "") -> None:
        self.problems.append(Diagnostic(code, message, str(self.source), self.subject, "", hint))

    def _encoded(self, given: Mapping[str, Any], kind: str) -> dict[str, Json]:
        known = self.workflow.interface.by_name
        encoded: dict[str, Json] = {}
        for name, value in given.items():
            item = known.get(name)
            subject = f"{self.subject}, {kind} {name}"
            if item is None:
                subject = f"{self.subject} of {self.workflow.subject}"
                self.problems.append(mistakes.unknown_input(name, subject, known, str(self.source)))
                continue
            try:
                encoded[name] = encode.to_json(item.type, value, REFUSAL)
            except Mismatch as mismatch:
                self.problems += mistakes.unfit(mismatch, Code.BAD_VALUE, subject, item.type.label, str(self.source))
        return encoded

    def _check(self, inputs: Mapping[str, Any], fixed: Mapping[str, Any]) -> None:
        for name in sorted(inputs.keys() & fixed.keys()):
            message = f"the input {name!r} is both a default and fixed"
            self._problem(Code.FIXED_INPUT, message, "keep it in inputs or in fixed_inputs")
        suspend: Any = self.suspend
        if not isinstance(suspend, bool):
            self._problem(Code.BAD_OPTION, f"suspend must be True or False, got {suspend!r}")
        if self.schedule is None:
            return
        self.problems += schedules.problems(self.schedule, str(self.source), self.subject)
        for item in self.workflow.interface.inputs:
            if item.required and item.name not in inputs and item.name not in fixed:
                message = f"the schedule starts runs, but nothing gives the input {item.name!r}"
                self._problem(Code.MISSING_INPUT, message, f"write inputs={{{item.name!r}: ...}}, or give it a default")

    def __call__(self, **inputs: Any) -> R:
        """Run the workflow here with the inputs of this plan.

        Raises:
            ValueMismatch: An input is given that the plan fixes.
        """
        tracer = active.get()
        if tracer is not None:
            message = f"{self.subject} is called in a workflow"
            hint = "call the workflow itself: a launch plan starts runs of its own"
            subject = tracer.workflow.subject
            raise errors.DefinitionError(
                [Diagnostic(Code.NOT_A_TASK, message, str(places.caller()), subject, "", hint)]
            )
        fixed = sorted(inputs.keys() & self.fixed_inputs.keys())
        if fixed:
            raise errors.ValueMismatch(
                Diagnostic(
                    Code.FIXED_INPUT, f"the launch plan fixes the input {name!r}", "", self.subject, "", "drop it"
                )
                for name in fixed
            )
        return self.workflow(**{**self.values, **inputs})

    def __repr__(self) -> str:
        return f"<launch plan {self.name} at {self.source}>"
