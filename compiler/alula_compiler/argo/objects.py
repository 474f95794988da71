"""Whole Argo objects: the WorkflowTemplate of a workflow or launch plan, and the CronWorkflow of a schedule.

Without namespace and owner: the controller adds those, because it knows them.
"""

from __future__ import annotations

import hashlib

from alula_api.contract import jsontext, labels, names, schemas
from alula_api.contract.families import Schema
from alula_compiler.argo import expressions, texts
from alula_compiler.argo.model import Object
from alula_compiler.program import LaunchPlan, Program

API_VERSION = "argoproj.io/v1alpha1"
TITLE = "workflows.argoproj.io/title"
DESCRIPTION = "workflows.argoproj.io/description"
_RUN_DESCRIPTION = 500
"""Every run carries it, so it is kept short."""
_HISTORY = 10
"""Finished runs of a schedule that Argo keeps, of those that succeeded and of those that did not."""


def spec(program: Program, launch_plan: LaunchPlan | None, common: Object, templates: list[Object]) -> Object:
    """Return the spec of a WorkflowTemplate, without the label of its revision.

    Args:
        program: The workflow.
        launch_plan: Of which the template is; None for the workflow itself.
        common: What does not differ between the workflow and its launch plans.
        templates: The templates, likewise.
    """
    metadata: Object = {"labels": _labels(program, launch_plan)}
    about = _about(program, launch_plan)
    if about:
        metadata["annotations"] = {DESCRIPTION: about[:_RUN_DESCRIPTION]}
    arguments = _arguments(program, launch_plan)
    return {
        "entrypoint": names.MAIN,
        **({"arguments": {"parameters": arguments}} if arguments else {}),
        "workflowMetadata": metadata,
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


def cron_workflow(program: Program, launch_plan: LaunchPlan) -> Object:
    """Return the CronWorkflow that starts runs of a launch plan by its schedule."""
    name = template_name(program, launch_plan)
    marks = _labels(program, launch_plan)
    compiled: Object = {"schedules": list(launch_plan.crons)}
    if launch_plan.timezone:
        compiled["timezone"] = launch_plan.timezone
    compiled |= {
        "suspend": launch_plan.suspend,
        "successfulJobsHistoryLimit": _HISTORY,
        "failedJobsHistoryLimit": _HISTORY,
        "workflowMetadata": {"labels": marks},
        "workflowSpec": {"workflowTemplateRef": {"name": name}},
    }
    return {
        "apiVersion": API_VERSION,
        "kind": "CronWorkflow",
        "metadata": {"name": name, "labels": {labels.MANAGED_BY: labels.MANAGER, **marks}},
        "spec": compiled,
    }


def template_name(program: Program, launch_plan: LaunchPlan | None) -> str:
    """Return the name of the WorkflowTemplate."""
    return names.launch_plan_template(launch_plan.name) if launch_plan else program.name


def revision(name: str, plan: Object, compiled: Object) -> str:
    """Return the name of a revision: of its template, and the beginning of the digest of plan and spec."""
    text = jsontext.dumps_sorted({"plan": plan, "spec": compiled})
    return names.revision_name(name, hashlib.sha256(text.encode()).hexdigest()[:8])


def _labels(program: Program, launch_plan: LaunchPlan | None) -> dict[str, str]:
    found = {labels.WORKFLOW: program.name, labels.VERSION: program.version}
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
