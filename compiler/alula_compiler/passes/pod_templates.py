"""A task whose pod names a template of the domain has what the template says where the task says nothing.

A task that names none has the template that the domain's `taskDefaults` name, if they do.

The one rule: what is known by a name is united, and the task's own wins where both have it (labels, annotations, node
selector, mounts by their folder); what is a list without names has the template's entries and then the task's; of what
is one thing the task's stands. What a domain forbids its tasks to say, its own templates may.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from alula_api.contract.codes import Code
from alula_api.contract.graphs.specs import Affinity, Pod, TaskSpec
from alula_compiler import problems
from alula_compiler.engines import Engine
from alula_compiler.problems import Report
from alula_compiler.program import Program


def run(program: Program, engine: Engine, report: Report) -> Program:
    """Merge the templates into the tasks that have them; report a name that the domain does not have."""
    known, usual = program.domain.pod_templates, program.domain.pod_template
    if known is None:
        return program
    whole = problems.of_program(program)
    named = [(task.pod.template, whole.at(f"task {task.name}"), "") for task in program.tasks if task.pod]
    for name, subject, by in [(usual, whole, ", which its taskDefaults name"), *named]:
        if name is not None and name not in known:
            hint = problems.did_you_mean(name, list(known)) if known else "have it named in the Domain's podTemplates"
            report.add(Code.UNKNOWN_POD_TEMPLATE, subject, f"the domain has no pod template `{name}`{by}", hint=hint)
    return dataclasses.replace(program, tasks=tuple(_task(task, known, usual) for task in program.tasks))


def _task(task: TaskSpec, known: Mapping[str, Pod], usual: str | None) -> TaskSpec:
    own = task.pod or Pod()
    below = known.get(own.template or usual or "")
    return task if below is None else dataclasses.replace(task, pod=merged(below, own))


def merged(below: Pod, own: Pod) -> Pod:
    """Return the settings of a pod with those of its template below them."""
    mounts = {each.path: each for each in (*below.mounts, *own.mounts)}
    return Pod(
        template=own.template,
        node_selector={**below.node_selector, **own.node_selector},
        tolerations=tuple(dict.fromkeys((*below.tolerations, *own.tolerations))),
        affinity=_affinity(below.affinity, own.affinity),
        priority_class=own.priority_class or below.priority_class,
        service_account=own.service_account or below.service_account,
        labels={**below.labels, **own.labels},
        annotations={**below.annotations, **own.annotations},
        shared_memory=own.shared_memory or below.shared_memory,
        mounts=tuple(mounts.values()),
    )


def _affinity(below: Affinity | None, own: Affinity | None) -> Affinity | None:
    if below is None or own is None:
        return own or below
    return Affinity(
        nodes=(*below.nodes, *own.nodes),
        preferred_nodes=(*below.preferred_nodes, *own.preferred_nodes),
        apart_from=(*below.apart_from, *own.apart_from),
        preferred_apart_from=(*below.preferred_apart_from, *own.preferred_apart_from),
        topology_key=own.topology_key or below.topology_key,
    )
