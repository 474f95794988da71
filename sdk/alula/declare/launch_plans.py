"""`LaunchPlan`: a workflow with inputs of its own, some of them fixed, and a schedule. Checked when it is made."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic

from alula import errors
from alula.code import places
from alula.declare import notices, options, schedules, triggers, workflows
from alula.graph.tracer import active
from alula.interfaces import encode, explained, mistakes
from alula.types.carriers import REFUSAL
from alula.types.mismatches import Mismatch
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from alula.declare.options import Duration
    from alula.declare.schedules import Cron, Every
    from alula_api.contract.values import Json

if TYPE_CHECKING:
    from typing_extensions import TypeVar  # for type checkers alone: a plain `LaunchPlan` needs no argument

    R = TypeVar("R", default=Any)
else:
    from typing import TypeVar

    R = TypeVar("R")

__tracebackhide__ = True  # pytest shows the user's frames only


@explained.explain_options
class LaunchPlan(Generic[R], metaclass=explained.ExplainedMethods):
    """A way to start a workflow.

    Attributes:
        name: The name of its resource.
        workflow: What it starts.
        inputs: wire values that replace the workflow's defaults; who starts a run may replace them again.
        fixed_inputs: wire values that cannot be replaced.
        schedule: When it starts runs by itself; None for never.
        trigger: What starts runs beside the schedule: the end of others (`After`), a `Release`, or an `Event` from
            outside; None for nothing.
        suspend: Whether schedule and trigger are switched off.
        concurrency: How many of its runs run at a time on the cluster; None for any number.
        beyond: What becomes of more of them: `queue`, they wait for their turn; `skip`, they end at once, and a
            scheduled one is not started at all; `replace`, the oldest that runs is stopped, and when its pods are gone
            the new one starts.
        priority: Of its runs in the domain's queue, from 0 to 100; a higher one comes first.
        weight: Its share in the queue beside other launch plans of the same priority.
        queue_timeout: How long a run may wait in the queue before it fails (a timedelta, seconds or text such as
            `6h`); None for ever.
        deadline: Seconds that a run of it may take from its admission, in place of its workflow's; None for that.
        retention: How long its runs stay on the cluster after their end, where its domain would keep them for longer.
        notifications: Who is told of its runs, and of what: a `Notify` for each place.
        source: Where it is defined.
    """

    def __init__(
        self,
        name: str,
        workflow: workflows.Workflow[..., R],
        *,
        inputs: Mapping[str, Any] | None = None,
        fixed_inputs: Mapping[str, Any] | None = None,
        schedule: Cron | Every | None = None,
        trigger: triggers.After | triggers.Event | triggers.Release | None = None,
        suspend: bool = False,
        concurrency: int | None = None,
        beyond: str = "queue",
        priority: int = 0,
        weight: int = 1,
        queue_timeout: Duration | None = None,
        deadline: Duration | None = None,
        retention: options.Retention | None = None,
        notifications: Sequence[notices.Notify] = (),
        description: str = "",
    ) -> None:
        self.source = places.caller()
        self.name = name
        self.subject = f"launch plan {name}"
        self.workflow = workflow
        self.schedule = schedule
        self.trigger = trigger
        self.suspend = suspend
        self.concurrency = concurrency
        self.beyond = beyond
        self.priority = priority
        self.weight = weight
        self.queue_timeout = queue_timeout
        self.retention = retention
        self.notifications = notifications
        self.description = description
        self.values: dict[str, Any] = {**(inputs or {}), **(fixed_inputs or {})}
        """The Python values of both kinds of inputs."""
        self.problems: list[Diagnostic] = workflows.name_problems(name, str(self.source), self.subject, "a launch plan")
        self.deadline, late = workflows.checked_deadline(deadline, str(self.source), self.subject)
        self.problems += late
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
        self._check_trigger()
        self._check_queue()
        self._check_retention()
        self.problems += notices.problems(
            self.notifications, str(self.source), self.subject, scheduled=self.schedule is not None
        )
        if self.schedule is None:
            return
        self.problems += schedules.problems(self.schedule, str(self.source), self.subject)
        scheduled = getattr(self.schedule, "input", None)
        if scheduled is not None:
            self._check_scheduled(scheduled, fixed)
        self._check_given("schedule", {*inputs, *fixed, scheduled})

    def _check_given(self, what: str, given: Collection[object]) -> None:
        """A run that starts by itself has a value for each input."""
        for item in self.workflow.interface.inputs:
            if item.required and item.name not in given:
                message = f"the {what} starts runs, but nothing gives the input {item.name!r}"
                self._problem(Code.MISSING_INPUT, message, f"write inputs={{{item.name!r}: ...}}, or give it a default")

    def _check_scheduled(self, name: object, fixed: Mapping[str, Any]) -> None:
        """The scheduled time fits into the input that it is for."""
        from alula_api.contract import schemas, timetables

        known = self.workflow.interface.by_name
        item = known.get(name) if isinstance(name, str) else None
        if item is None:
            subject = f"{self.subject}, input of the schedule"
            self.problems.append(mistakes.unknown_input(str(name), subject, known, str(self.source)))
            return
        if name in fixed:
            message = f"the input {name!r} is fixed, and the scheduled time cannot be put there"
            self._problem(Code.FIXED_INPUT, message, "drop it from fixed_inputs, or from the schedule")
        if schemas.family(item.type.schema) not in tuple(timetables.Form):
            message = f"the input {name!r} ({item.type.label}) cannot hold the scheduled time"
            self._problem(Code.BAD_SCHEDULE, message, "annotate it as a datetime, a date or a str")

    def _check_trigger(self) -> None:
        given: Any = self.trigger
        if given is None:
            return
        passed = getattr(given, "inputs", None) or {}
        self._check_given("trigger", {*self.values, *passed})
        if isinstance(given, triggers.Release):
            return
        if isinstance(given, triggers.Event):
            for message, hint in triggers.event_problems(given):
                self._problem(Code.BAD_TRIGGER, message, hint)
            self._check_passed(passed, "a part of an event")
            return
        if not isinstance(given, triggers.After):
            message = f"trigger must be After(...), Event(...) or Release(), got {given!r}"
            self._problem(Code.BAD_TRIGGER, message, "write trigger=After(nightly)")
            return
        waited: Any = given.runs
        if not isinstance(waited, (LaunchPlan, workflows.Workflow)):
            message = f"a run starts after those of a launch plan or of a workflow, got {waited!r}"
            self._problem(Code.BAD_TRIGGER, message, "pass the LaunchPlan, or the function that @workflow stands on")
        elif waited is self.workflow and given.domain is None:
            self._problem(Code.BAD_TRIGGER, "it waits for its own runs and would never stop", "name another workflow")
        if given.when not in triggers.WHEN:
            message = f"when must be one of {', '.join(map(repr, triggers.WHEN))}, got {given.when!r}"
            self._problem(Code.BAD_TRIGGER, message)
        elif given.inputs and given.when != "succeeded":
            self._problem(Code.BAD_TRIGGER, "a run that failed has no outputs, so none can be passed", "drop inputs")
        self._check_passed(passed, "an output")
        if given.domain is not None:
            self._check_domain(given.domain, passed)

    def _check_domain(self, domain: object, passed: Collection[str]) -> None:
        """What runs of another domain pass is no reference into its store."""
        from alula_api.contract import names, triggers

        if not isinstance(domain, str) or not names.is_dns_label(domain):
            message = f"domain must be the name of one, in lower-case letters, digits and -, got {domain!r}"
            self._problem(Code.BAD_TRIGGER, message, "write domain='staging'")
            return
        for name in passed:
            item = self.workflow.interface.by_name.get(name)
            if item is not None and (wrong := triggers.not_inline(name, item.type.schema, domain)):
                self._problem(Code.BAD_TRIGGER, *wrong)

    def _check_passed(self, passed: Collection[str], what: str) -> None:
        """The inputs that a trigger gives are there, and free."""
        for name in passed:
            if name not in self.workflow.interface.by_name:
                subject = f"{self.subject} of {self.workflow.subject}"
                known = self.workflow.interface.by_name
                self.problems.append(mistakes.unknown_input(name, subject, known, str(self.source)))
            elif name in self.fixed_inputs:
                message = f"the input {name!r} is fixed, and {what} cannot be put there"
                self._problem(Code.FIXED_INPUT, message, "drop it from fixed_inputs, or from the trigger")

    def _check_queue(self) -> None:
        from alula_api.contract import queue

        for name, value, least, most in (
            ("concurrency", self.concurrency, 1, 2**31 - 1),
            ("priority", self.priority, 0, queue.MAX_PRIORITY),
            ("weight", self.weight, 1, queue.MAX_WEIGHT),
        ):
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not (value is None and name == "concurrency") and not (whole and least <= (value or 0) <= most):
                bounds = f"from {least} to {most}" if most < 2**31 - 1 else f"from {least} up"
                self._problem(Code.BAD_OPTION, f"{name} must be a whole number {bounds}, got {value!r}")
        if self.beyond not in ("queue", "skip", "replace"):
            self._problem(Code.BAD_OPTION, f"beyond must be 'queue', 'skip' or 'replace', got {self.beyond!r}")
        elif self.beyond != "queue" and self.concurrency is None:
            self._problem(Code.BAD_OPTION, f"beyond={self.beyond!r} needs a limit", "write concurrency=1 beside it")
        if self.queue_timeout is not None:
            try:
                options.seconds(self.queue_timeout)
            except (ValueError, OverflowError) as error:
                self._problem(Code.BAD_OPTION, f"queue_timeout {error}, got {self.queue_timeout!r}")

    def _check_retention(self) -> None:
        given: Any = self.retention
        if given is None:
            return
        if not isinstance(given, options.Retention):
            message = f"retention must be a Retention, got {given!r}"
            self._problem(Code.BAD_OPTION, message, 'write Retention(succeeded="1d", failed="7d")')
            return
        for name, value in (("succeeded", given.succeeded), ("failed", given.failed)):
            try:
                if value is not None and options.seconds(value) < 1:
                    raise ValueError("must be a second or more")
            except (ValueError, OverflowError) as error:
                self._problem(Code.BAD_OPTION, f"retention, {name}: {error}, got {value!r}")

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
