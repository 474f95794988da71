"""From resources to Argo objects: the one function that the controller, `alula compile`, `alula diff` and tests call.

Pure and deterministic to the byte: no clock, no environment, no cluster, no order that depends on hashing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alula_api.contract import labels, pods
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
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
    """Argo objects without namespace and owner; empty when there are diagnostics."""
    diagnostics: tuple[Diagnostic, ...] = ()
    plans: Mapping[str, Object] = field(default_factory=dict)
    """For each WorkflowTemplate, by its name, what the controller needs to admit its runs."""

    @property
    def ok(self) -> bool:
        """Whether there is something to apply."""
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
    program, diagnostics = reading.read(workflow, launch_plans, domain)
    if program is None:
        return Compiled(diagnostics=diagnostics)
    report = Report()
    made = _compiled(program, engine or Engine.preview(), report)
    if made is None or report.failed:
        return Compiled(diagnostics=report.diagnostics())
    return Compiled(made.objects, (), made.plans)


def _compiled(program: Program, engine: Engine, report: Report) -> ArgoProgram | None:
    """What the program becomes; None when something was reported before it could become anything."""
    _check_runtime(program, report)
    for check in passes.CHECKS:
        program = check(program, engine, report)
    for rewrite in passes.REWRITES:
        if report.failed:
            return None
        program = rewrite(program, engine, report)
    if report.failed:
        return None
    made = build.build(program, engine)
    limits.check(made, program.source, engine, report)
    return made


def _check_runtime(program: Program, report: Report) -> None:
    if program.runtime != pods.VERSION:
        message = f"the release speaks version {program.runtime} of the pod's contract"
        subject = problems.of_program(program)
        hint = "upgrade alula's controller"
        report.add(Code.RUNTIME_VERSION, subject, message, expected=str(pods.VERSION), hint=hint)
