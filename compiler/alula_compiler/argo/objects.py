"""Whole Argo objects: the WorkflowTemplate of a workflow or launch plan, with its schedule beside it.

Without namespace and owner: the controller adds those, because it knows them.
"""

from __future__ import annotations

import hashlib

from alula_api.contract import jsontext, labels, names, notices, schedules, schemas, timetables
from alula_api.contract.families import Schema
from alula_api.contract.graphs import handlers, specs
from alula_api.contract.retention import Retention
from alula_api.contract.timetables import Schedule
from alula_api.contract.triggers import Passed, Trigger, When
from alula_compiler import estimates
from alula_compiler.argo import expressions, texts
from alula_compiler.argo.model import Object
from alula_compiler.program import LaunchPlan, Program

API_VERSION = "argoproj.io/v1alpha1"
TITLE = "workflows.argoproj.io/title"
DESCRIPTION = "workflows.argoproj.io/description"
_RUN_DESCRIPTION = 500
"""Every run carries it, so it is kept short."""


def spec(program: Program, launch_plan: LaunchPlan | None, common: Object, templates: list[Object]) -> Object:
    """Return the spec of a WorkflowTemplate, without the label of its revision.

    Args:
        program: The workflow.
        launch_plan: Of which the template is; None for the workflow itself.
        common: What does not differ between the workflow and its launch plans.
        templates: The templates, likewise.
    """
    metadata: Object = {"labels": _labels(program, launch_plan)}
    annotations = _counted(program)
    about = _about(program, launch_plan)
    if about:
        annotations = {DESCRIPTION: about[:_RUN_DESCRIPTION], **annotations}
    deadline = (launch_plan.deadline if launch_plan else "") or program.deadline
    if deadline:
        annotations[labels.DEADLINE] = deadline
    if program.handlers:
        metadata["labels"][labels.HANDLERS] = handlers.PENDING
        annotations[labels.HANDLERS] = handlers.to_text(program.handlers)
    if launch_plan and launch_plan.notifications:
        metadata["labels"][labels.NOTICES] = notices.PENDING
    if annotations:
        metadata["annotations"] = annotations
    arguments = _arguments(program, launch_plan)
    return {
        "entrypoint": names.MAIN,
        **({"arguments": {"parameters": arguments}} if arguments else {}),
        "workflowMetadata": metadata,
        "ttlStrategy": _kept((launch_plan or program.domain).retention),
        **common,
        "templates": templates,
    }


def workflow_template(program: Program, launch_plan: LaunchPlan | None, compiled: Object, revision: str) -> Object:
    """Return the WorkflowTemplate of a compiled spec; its runs carry the name of the revision."""
    metadata = compiled["workflowMetadata"]
    marked = {**metadata, "labels": {**metadata["labels"], labels.REVISION: revision}}
    title = f"{program.name} {program.version}"
    annotations = {TITLE: f"{launch_plan.name} ({title})" if launch_plan else title}
    about = _about(program, launch_plan)
    if about:
        annotations[DESCRIPTION] = about
    source = (launch_plan.source if launch_plan else "") or program.source
    if source:
        annotations[labels.SOURCE] = texts.readable(source)
    if launch_plan and launch_plan.terms.to_text():
        annotations[labels.QUEUE] = launch_plan.terms.to_text()
    if launch_plan and launch_plan.schedule:
        annotations[labels.SCHEDULE] = _schedule(program, launch_plan, launch_plan.schedule).to_text()
    if launch_plan and launch_plan.trigger and launch_plan.trigger.event is None:
        annotations[labels.TRIGGER] = _trigger(launch_plan, launch_plan.trigger).to_text()
    if launch_plan and launch_plan.notifications:
        annotations[labels.NOTICES] = _notices(launch_plan).to_text()
    return {
        "apiVersion": API_VERSION,
        "kind": "WorkflowTemplate",
        "metadata": {
            "name": template_name(program, launch_plan),
            "labels": {labels.MANAGED_BY: labels.MANAGER, **_labels(program, launch_plan)},
            "annotations": annotations,
        },
        "spec": {**compiled, "workflowMetadata": marked},
    }


def _counted(program: Program) -> dict[str, str]:
    """What the domain's queue, which sees the metadata of runs alone, counts of a run."""
    estimate, pools = estimates.peak(program), estimates.pools(program)
    found = {labels.ESTIMATE: jsontext.dumps_sorted(estimate)} if estimate else {}
    return {**found, **({labels.POOLS: ",".join(pools)} if pools else {})}


def template_name(program: Program, launch_plan: LaunchPlan | None) -> str:
    """Return the name of the WorkflowTemplate."""
    return names.launch_plan_template(launch_plan.name) if launch_plan else program.name


def revision(name: str, plan: Object, compiled: Object) -> str:
    """Return the name of a revision: of its template, and the beginning of the digest of plan and spec."""
    text = jsontext.dumps_sorted({"plan": plan, "spec": compiled})
    return names.revision_name(name, hashlib.sha256(text.encode()).hexdigest()[:8])


def _kept(retention: Retention) -> Object:
    """When Argo deletes a run. One that ended in `Error` is neither a success nor a failure to it."""
    return {
        "secondsAfterCompletion": retention.failed,
        "secondsAfterSuccess": retention.succeeded,
        "secondsAfterFailure": retention.failed,
    }


def _schedule(program: Program, launch_plan: LaunchPlan, given: specs.Schedule) -> Schedule:
    """What the controller's scheduler reads; `check_schedules` found nothing wrong with it."""
    lines = (*given.cron, *([schedules.every(timetables.span(given.every))] if given.every else ()))
    forms = {port.name: schemas.family(port.type) for port in program.main.inputs}
    return Schedule(
        lines=lines,
        zone=given.timezone or "",
        starts=_instant(given.starts),
        ends=_instant(given.ends),
        jitter=timetables.span(given.jitter) if given.jitter else 0,
        catch_up=given.catch_up or "",
        within=timetables.span(given.within) if given.within else None,
        input=given.input or "",
        form=forms[given.input] if given.input else "",
        suspended=launch_plan.suspend,
    )


def _trigger(launch_plan: LaunchPlan, given: specs.Trigger) -> Trigger:
    """What the controller reads of it; `check_triggers` found nothing wrong with it."""
    return Trigger(
        plan=given.launch_plan or "",
        workflow=given.workflow or "",
        when=given.when or When.SUCCEEDED,
        inputs=tuple(Passed(each.name, each.output) for each in given.inputs),
        release=bool(given.release),
        suspended=launch_plan.suspend,
        domain=given.domain or "",
    )


def _notices(launch_plan: LaunchPlan) -> notices.Choice:
    """What the controller reads of who is told; `check_notices` found nothing wrong with it."""
    return notices.Choice(
        tuple(
            notices.Notice(
                each.place,
                each.when or tuple(notices.USUAL),
                timetables.span(each.late_after) if each.late_after else None,
                timetables.span(each.queued_for) if each.queued_for else None,
            )
            for each in launch_plan.notifications
        )
    )


def _instant(text: str | None) -> str:
    found = timetables.moment(text or "")
    return timetables.instant(found) if found is not None else ""


def _labels(program: Program, launch_plan: LaunchPlan | None) -> dict[str, str]:
    found = {labels.WORKFLOW: program.name, labels.VERSION: program.version}
    if program.failure_policy:
        found[labels.FAILURE_POLICY] = program.failure_policy
    return {**found, labels.LAUNCH_PLAN: launch_plan.name} if launch_plan else found


def _about(program: Program, launch_plan: LaunchPlan | None) -> str:
    return texts.readable((launch_plan.description if launch_plan else "") or program.description)


def _arguments(program: Program, launch_plan: LaunchPlan | None) -> list[Object]:
    """The inputs that who starts a run may give. What is fixed is not among them, and so out of reach."""
    given = dict(launch_plan.inputs) if launch_plan else {}
    fixed = {name for name, _ in launch_plan.fixed} if launch_plan else set()
    arguments = []
    for port in program.main.inputs:
        if port.name in fixed:
            continue
        found: Object = {"name": port.name}
        default = given.get(port.name, port.default)
        if default is not None:
            found["value"] = expressions.constant(default)
        choices = _choices(port.type)
        if choices:
            found["enum"] = choices
        kind = schemas.describe(port.type)
        found["description"] = texts.readable(f"{port.description} ({kind})" if port.description else kind)
        arguments.append(found)
    return arguments


def _choices(schema: Schema) -> list[str]:
    """The values of an enumerated type, as Argo's form offers them and demands them: in the form of every value."""
    match schemas.family(schema):
        case "boolean":
            return ["true", "false"]
        case "enum" | "literal":
            return [expressions.constant(jsontext.dumps(value)) for value in schema["enum"]]
    return []
