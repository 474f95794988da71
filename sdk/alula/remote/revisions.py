"""What a run that is there follows: the plan of its own WorkflowRevision, as a definition. Called by the command line.

The newest Workflow may be another one by now; it stands in where the revision is gone or this user may not read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from alula.remote.definitions import Found
from alula.remote.refusals import RemoteError, Unanswered
from alula_api.argo import runs
from alula_api.contract import jsontext, labels, names, pods
from alula_api.contract.graphs import plans, specs
from alula_api.contract.graphs.bindings import Constant
from alula_api.contract.graphs.calls import GraphCall
from alula_api.contract.problems import InvalidValue

if TYPE_CHECKING:
    from alula.remote.connections import Connection


def find(cluster: Connection, run: Mapping[str, Any]) -> Found:
    """What a run follows; with a graph without nodes where nothing can say that.

    Raises:
        Unanswered: the cluster gave no answer.
    """
    revision, template = runs.label(run, labels.REVISION), runs.template(run)
    workflow = runs.label(run, labels.WORKFLOW) or template
    title = runs.label(run, labels.LAUNCH_PLAN) or workflow or str(run["metadata"]["name"])
    spec = (_stored(cluster, revision) if revision else None) or (_newest(cluster, workflow) if workflow else None)
    return Found(title, spec or _spec(plans.Plan({names.MAIN: plans.Graph((), ())}), {}), template, revision)


def _stored(cluster: Connection, revision: str) -> specs.WorkflowSpec | None:
    try:
        found = (cluster.revision(revision) or {}).get("spec") or {}
        plan = plans.from_text(str(found.get("plan", "")))
        compiled = jsontext.parse(str(found.get("spec", "")))
    except Unanswered:
        raise
    except (RemoteError, plans.BadPlan, InvalidValue):
        return None
    return _spec(plan, dict(_retries(compiled)))


def _newest(cluster: Connection, workflow: str) -> specs.WorkflowSpec | None:
    try:
        found = cluster.definition("workflows", workflow)
        return None if found is None else specs.WorkflowSpec.from_json(found.get("spec"))
    except Unanswered:
        raise
    except (RemoteError, InvalidValue):
        return None


def _spec(plan: plans.Plan, retries: Mapping[str, specs.Retry]) -> specs.WorkflowSpec:
    """A plan as the definition that it was made from, as far as a run is drawn by it."""
    graphs = {name: [specs.NodeSpec(each.name, each.call) for each in _steps(plan, name, name)] for name in plan.graphs}
    return specs.WorkflowSpec(
        "",
        specs.Code("", pods.VERSION),
        tuple(specs.GraphSpec(name, nodes=tuple(nodes)) for name, nodes in graphs.items()),
        outputs=tuple(specs.Output(name, schema, Constant("null")) for name, schema in plan.outputs),
        tasks=tuple(_task(name, task, retries.get(name)) for name, task in plan.tasks.items()),
    )


def _task(name: str, task: plans.Task, retries: specs.Retry | None) -> specs.TaskSpec:
    cache = specs.Cache(task.version) if task.version is not None else None
    return specs.TaskSpec(name, task.entrypoint, cache=cache, retries=retries)


def _steps(plan: plans.Plan, name: str, graph: str) -> Iterator[plans.Step]:
    """The steps of a graph as it was before it was cut: of pieces `<graph>-<k>`, which nodes of that name call."""
    piece = re.compile(rf"{re.escape(names.node_id(graph))}-\d+")
    for step in plan.graphs[name].steps:
        if isinstance(step.call, GraphCall) and step.call.graph == step.name and piece.fullmatch(step.name):
            yield from _steps(plan, step.name, graph)
        else:
            yield step


def _retries(compiled: Any) -> Iterator[tuple[str, specs.Retry]]:
    """The budgets of the tasks, which are arguments of their pods."""
    for template in compiled.get("templates") or () if isinstance(compiled, dict) else ():
        task = ((template.get("metadata") or {}).get("labels") or {}).get(labels.TASK)
        try:
            call = pods.parse_argv((template.get("container") or {}).get("args") or ())
        except ValueError:
            continue
        if task:
            yield str(task), specs.Retry(call.retries, call.system_retries)
