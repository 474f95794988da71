"""The WorkflowEventBinding of a launch plan that events start: Argo's server makes a run of its template for each.

Argo compiles every selector of a namespace against every payload, and one that fails makes the sender's request fail;
so nothing here asks for a part of a payload whose kind it does not know (seen: `payload.n > 3` fails for every list).
The payload travels as one argument, whole: what a run gets of it, and whether it is one that is meant, `admit` decides.
"""

from __future__ import annotations

from alula_api.contract import events, labels, names
from alula_api.contract.graphs import specs
from alula_compiler.argo.model import Object
from alula_compiler.program import LaunchPlan, Program

API_VERSION = "argoproj.io/v1alpha1"
KIND = "WorkflowEventBinding"
DIGITS = 24
"""Of the digest in a run's name."""
_TEXT = "toBase64(toJSON(payload))"


def binding(program: Program, plan: LaunchPlan, event: specs.TriggerEvent) -> Object:
    """Return the object, without namespace and owner."""
    name, template = event.name, names.launch_plan_template(plan.name)
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": template,
            "labels": {
                labels.MANAGED_BY: labels.MANAGER,
                labels.WORKFLOW: program.name,
                labels.LAUNCH_PLAN: plan.name,
            },
        },
        "spec": {
            "event": {"selector": f'discriminator == "{name}"'},
            "submit": {
                "workflowTemplateRef": {"name": template},
                "metadata": {
                    "name": _name(plan, template, event),
                    "annotations": {labels.REASON: f"'event {name}'"},
                },
                "arguments": {"parameters": [{"name": events.ARGUMENT, "valueFrom": {"event": _bounded()}}]},
            },
        },
    }


def _bounded() -> str:
    """The payload; of one that is larger than a run may bring only that it is."""
    return f'len({_TEXT}) <= {events.MAX_TEXT} ? {_TEXT} : "{events.LARGER}"'


def _name(plan: LaunchPlan, template: str, event: specs.TriggerEvent) -> str:
    """The expression of the run's name: the same for an event that is sent twice, so that Argo makes one run of it."""
    ending = f"-event-{'0' * DIGITS}"
    begin = template[: names.MOST_LABEL - len(ending)].rstrip("-.")
    read, found = "", "nil"
    if event.delivery_header:
        header = f'metadata["{event.delivery_header}"]'
        found = f'"{event.delivery_header}" in metadata ? toJson({header}) : nil'
        read = f"let found = {found}; "
    elif event.delivery and event.delivery != events.WHOLE:
        read = f"{_read(event.delivery)} let found = part == nil ? nil : toJson(part); "
    else:
        read = "let found = nil; "
    digest = f"sprig.sha256sum({_quoted(plan.name)} + (found == nil ? toJson(payload) : '=' + found))"
    return f"{read}{_quoted(begin + '-event-')} + sprig.trunc({DIGITS}, {digest})"


def _read(path: str) -> str:
    """Declarations that end with `part`: what lies at a path of any payload, nil where there is nothing."""
    lines = ["let p0 = fromJSON(toJSON(payload));"]
    steps = events.steps(path)
    for index, step in enumerate(steps):
        here = f"p{index}"
        item = f'type({here}) == "array" && len({here}) > {step} ? {here}[{step}] : ' if _is_index(step) else ""
        name = "part" if index == len(steps) - 1 else f"p{index + 1}"
        lines.append(f'let {name} = {item}type({here}) == "map" ? get({here}, "{step}") : nil;')
    return " ".join(lines)


def _is_index(step: str) -> bool:
    return step.isdecimal() and len(step) < 6 and str(int(step)) == step


def _quoted(text: str) -> str:
    return f"'{text}'"
