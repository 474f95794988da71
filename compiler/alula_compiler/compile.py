"""From resources to Argo objects: the one function that the controller, `alula compile`, `alula diff` and tests call.

Pure and deterministic to the byte: no clock, no environment, no cluster, no order that depends on hashing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alula_api.contract import labels, pods
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_compiler import engines, passes, problems, reading
from alula_compiler import program as ir


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a workflow became, or what is wrong with it."""

    objects: tuple[ir.Object, ...] = ()
    """Argo objects without namespace and owner; empty when there are diagnostics."""
    diagnostics: tuple[Diagnostic, ...] = ()
    plans: Mapping[str, ir.Object] = field(default_factory=dict)
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
    engine: engines.Engine | None = None,
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
    settings = engine or engines.Engine.preview()
    report = problems.Report()
    if program.runtime != pods.VERSION:
        message = f"the release speaks version {program.runtime} of the pod's contract"
        place = problems.of_program(program)
        report.add(Code.RUNTIME_VERSION, place, message, expected=str(pods.VERSION), hint="upgrade alula's controller")
    for check in passes.CHECKS:
        program = check(program, settings, report)
    for lowering in passes.LOWERING:
        if report.failed:
            return Compiled(diagnostics=report.diagnostics())
        program = lowering(program, settings, report)
    if report.failed:
        return Compiled(diagnostics=report.diagnostics())
    return Compiled(program.objects, (), program.plans_by_template)
