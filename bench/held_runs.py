"""Runs as Argo leaves them at `admit`, made at a steady rate by ourselves: Argo itself is slower than what is measured.

Argo's controller is stopped meanwhile, so that nobody else writes them. Called by `bench.controller`.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

from alula_api.argo import nodes
from alula_api.contract import labels
from e2e import installing
from e2e.cluster import clusters

WORKFLOW = "w00000"


def measure(
    cluster: clusters.Cluster, place: installing.Place, count: int, per_second: int, calls: Callable[[], float]
) -> tuple[list[float], float, float]:
    """Seconds until each run was let go, API calls a run, and the runs that were made a second."""
    argo = cluster.servers["workflow-controller"]
    argo.signal(signal.SIGSTOP)
    try:
        template = cluster.api.get(installing.ARGO, "WorkflowTemplate", WORKFLOW, place.namespace)
        before, began = calls(), time.monotonic()
        made: dict[str, float] = {}
        for number in range(count):
            body = _held(f"held-{number:05d}", template["spec"])
            cluster.api.create(body, place.namespace)
            made[body["metadata"]["name"]] = time.time()
            time.sleep(max(0.0, began + (number + 1) / per_second - time.monotonic()))
        rate = count / (time.monotonic() - began)
        let_go = _let_go(cluster, place, set(made))
        return [let_go[name] - made[name] for name in made], (calls() - before) / count, rate
    finally:
        argo.signal(signal.SIGCONT)


def _let_go(cluster: clusters.Cluster, place: installing.Place, wanted: set[str]) -> dict[str, float]:
    """When each run was let go: its `admit` says so, to the second."""
    import datetime

    found: dict[str, float] = {}
    deadline = time.monotonic() + 600
    while set(found) < wanted:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(wanted) - len(found)} runs were not let go")
        time.sleep(0.5)
        for run in cluster.api.list(installing.ARGO, "Workflow", place.namespace, labels.ADMITTED):
            name = run["metadata"]["name"]
            if name in wanted and name not in found:
                admit = nodes.read(run["status"])[nodes.id_of(name, "admit")]
                found[name] = datetime.datetime.fromisoformat(admit["finishedAt"]).timestamp() + 0.5
    return found


def _held(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    admit = nodes.id_of(name, "admit")
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    ports = ("x", "label")
    common = {"templateScope": "local/", "phase": "Running", "startedAt": moment}
    root = {"id": name, "name": name, "displayName": name, "type": "DAG", "templateName": "main", "children": [admit]}
    held = {
        "id": admit,
        "name": f"{name}.admit",
        "displayName": "admit",
        "type": "Suspend",
        "templateName": "admit",
        "boundaryID": name,
        "outputs": {"parameters": [{"name": port, "valueFrom": {"supplied": {}}} for port in ports]},
    }
    marks = {**spec["workflowMetadata"]["labels"], "workflows.argoproj.io/phase": "Running"}
    marks["workflows.argoproj.io/completed"] = "false"
    return {
        "apiVersion": installing.ARGO,
        "kind": "Workflow",
        "metadata": {"name": name, "labels": marks},
        "spec": {"workflowTemplateRef": {"name": WORKFLOW}, "arguments": {"parameters": []}},
        "status": {
            "phase": "Running",
            "startedAt": moment,
            "storedWorkflowTemplateSpec": spec,
            "nodes": {name: {**root, **common}, admit: {**held, **common}},
        },
    }
