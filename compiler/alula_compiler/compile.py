"""From resources to Argo objects: the one function that the controller, `alula compile`, `alula diff` and tests call.

Pure and deterministic to the byte: no clock, no environment, no cluster, no order that depends on hashing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alula_api.contract import labels, pods
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_api.contract.graphs import pod_versions
from alula_compiler import passes, problems, reading
from alula_compiler.argo import build, limits
from alula_compiler.argo.model import ArgoProgram, Object
from alula_compiler.engines import Engine
from alula_compiler.problems import Report
from alula_compiler.program import Program


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a workflow became, or what is wrong with it."""

    objects: tuple[Object, ...] = ()
    """Argo objects without namespace and owner: of what is right, so none when the workflow itself is wrong."""
    diagnostics: tuple[Diagnostic, ...] = ()
    by_plan: Mapping[str, tuple[Diagnostic, ...]] = field(default_factory=dict)
    """The same by launch plan; `problems.WORKFLOW` has those of the workflow itself."""
    plans: Mapping[str, Object] = field(default_factory=dict)
    """For each WorkflowTemplate, by its name, what the controller needs to admit its runs."""
    notes: tuple[str, ...] = ()
    """What is no mistake, and yet not what the author may think."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.diagnostics

    @property
    def revisions(self) -> Mapping[str, str]:
        """For each WorkflowTemplate, by its name, the name of its revision: what its runs are labelled with."""
        return {
            found["metadata"]["name"]: found["spec"]["workflowMetadata"]["labels"][labels.REVISION]
            for found in self.objects
            if found["kind"] == "WorkflowTemplate"
        }


def compile(
    workflow: object,
    launch_plans: Sequence[object] = (),
    domain: object | None = None,
    engine: Engine | None = None,
) -> Compiled:
    """Compile a Workflow with its LaunchPlans.

    Args:
        workflow: The Workflow, as JSON data; whatever it holds, nothing is raised.
        launch_plans: Its LaunchPlans.
        domain: The namespace's Domain, if it has one.
        engine: The installation; one that exists nowhere when absent.
    """
    read = reading.read(workflow, launch_plans, domain)
    report = Report()
    made = _compiled(read.program, engine or Engine.preview(), report) if read.program else None
    found = report.by_plan()
    own = (*read.diagnostics, *found.pop(problems.WORKFLOW, ()))
    of_plans = {**read.of_plans, **found}
    by_plan = {**({problems.WORKFLOW: own} if own else {}), **of_plans}
    diagnostics = (*own, *(each for told in of_plans.values() for each in told))
    if made is None or own:
        return Compiled((), diagnostics, by_plan)
    good = tuple(each for each in made.objects if _plan_of(each) not in of_plans)
    plans = {name: made.plans[name] for each in good if (name := each["metadata"]["name"]) in made.plans}
    return Compiled(good, diagnostics, by_plan, plans, made.notes)


def _plan_of(found: Object) -> str:
    """The launch plan that an object is of; empty for the workflow's own."""
    return str(found["metadata"]["labels"].get(labels.LAUNCH_PLAN, ""))


def _compiled(program: Program, engine: Engine, report: Report) -> ArgoProgram | None:
    """What the program becomes; None when something was reported before it could become anything."""
    _check_runtime(program, report)
    for check in passes.CHECKS:
        program = check(program, engine, report)
    wrong = report.by_plan()
    program = dataclasses.replace(program, plans=tuple(plan for plan in program.plans if plan.name not in wrong))
    for rewrite in passes.REWRITES:
        if report.failed:
            return None
        program = rewrite(program, engine, report)
    if not report.failed:
        limits.check_before(program, engine, report)
    if report.failed:
        return None
    made = build.build(program, engine)
    limits.check(made, program.source, engine, report)
    return dataclasses.replace(made, notes=_notes(program))


def _check_runtime(program: Program, report: Report) -> None:
    subject = problems.of_program(program)
    if program.runtime not in pods.VERSIONS:
        message = f"the release speaks version {program.runtime} of the pod's contract"
        hint = "upgrade alula's controller"
        *others, last = map(str, pods.VERSIONS)
        expected = f"{', '.join(others)} or {last}"
        report.add(Code.RUNTIME_VERSION, subject, message, expected=expected, hint=hint)
    needed = pod_versions.needed(program.graphs)
    if needed > program.runtime:
        uses = pod_versions.USES[needed]
        message = f"{uses}, of which version {program.runtime} of the pod's contract knows nothing"
        hint = "register it with the version of alula that its image holds"
        report.add(Code.RUNTIME_VERSION, subject, message, expected=str(needed), hint=hint)


def _notes(program: Program) -> tuple[str, ...]:
    """Return a sentence for each thing that a task asks for and the domain, as far as one is known, does not give."""
    if program.domain.pools is None:  # no Domain is known
        return ()
    asking = [task for task in program.tasks if task.interruptible]
    found = []
    if asking and program.domain.interruptible is None:
        names = ", ".join(task.name for task in asking[:8]) + (", ..." if len(asking) > 8 else "")
        found.append(f"the Domain names no nodes for interruptible tasks, so these run as all others: {names}")
    else:
        found += [
            f"the task {task.name} is interruptible, and its first attempt is its last one, which is never interrupted:"
            " its system retries are 0"
            for task in asking
            if not task.budget.system
        ]
    return tuple(found)
