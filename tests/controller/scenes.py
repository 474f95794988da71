"""The world of the controller's tests: one small workflow, its launch plan, its namespace, and runs as Argo leaves
them."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

from alula_api.argo import nodes
from alula_api.contract.graphs import plans
from alula_controller.definitions import compilation, compiler_process, revisions, world
from alula_controller.domains import places, view
from alula_controller.settings import Root, Settings
from tests import typed_resources

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
MOMENT = "2026-11-22T12:00:00Z"
SPACE = "demo-dev"
INT = {"type": "integer"}
STR = {"type": "string"}

SETTINGS = Settings(
    roots={"main": Root("main", "memory://scenes"), "other": Root("other", "s3://other")}, default_root="main"
)
PLACE = places.Place("demo", "dev", SETTINGS.roots["main"])


def task(
    name: str, inputs: dict[str, Any], outputs: dict[str, Any] | None = None, cached: bool = True
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "name": name,
        "entrypoint": f"flows.sums:{name}",
        "inputs": [{"name": key, "type": schema} for key, schema in inputs.items()],
        "outputs": [{"name": key, "type": schema} for key, schema in (outputs or {"o0": INT}).items()],
    }
    return {**body, "cache": {"version": "1"}} if cached else body


def out(node: str, output: str = "o0", path: list[str] | None = None) -> dict[str, Any]:
    return {"node": node, "output": output, **({"path": path} if path else {})}


def workflow(name: str = "sums", nodes: list[dict[str, Any]] | None = None, **spec: Any) -> dict[str, Any]:
    """`add` twice in a row and `greet` beside them; `nodes` and fields of the spec may be given anew."""
    body: dict[str, Any] = {
        "apiVersion": "alula.dev/v1alpha1",
        "kind": "Workflow",
        "metadata": {
            "name": name,
            "namespace": SPACE,
            "uid": f"uid-of-{name}",
            "generation": 1,
            "annotations": {"argocd.argoproj.io/tracking-id": "never copied", "alula.dev/source": "flows/sums.py"},
        },
        "spec": {
            "version": "v1",
            "code": {"image": "registry.example/sums:1", "runtime": 1},
            "inputs": [{"name": "x", "type": INT, "default": "7"}, {"name": "label", "type": STR, "default": '"hi"'}],
            "outputs": [{"name": "total", "type": INT, "from": out("add-2")}],
            "tasks": [task("add", {"a": INT, "b": INT}), task("greet", {"text": STR}, {"o0": STR})],
            "graphs": [
                {
                    "name": "main",
                    "nodes": nodes
                    or [
                        {"id": "add", "task": "add", "inputs": {"a": {"input": "x"}, "b": {"value": "1"}}},
                        {"id": "add-2", "task": "add", "inputs": {"a": out("add"), "b": {"input": "x"}}},
                        {"id": "greet", "task": "greet", "inputs": {"text": {"input": "label"}}},
                    ],
                }
            ],
            **spec,
        },
    }
    return typed_resources.spelled(body)


def launch_plan(name: str = "nightly", workflow: str = "sums", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "alula.dev/v1alpha1",
        "kind": "LaunchPlan",
        "metadata": {"name": name, "namespace": SPACE, "uid": f"uid-of-plan-{name}", "generation": 1},
        "spec": {"workflow": workflow, "schedule": {"cron": ["0 2 * * *"]}, **spec},
    }


def namespace(name: str = SPACE, project: str = "demo", domain: str = "dev", **metadata: Any) -> dict[str, Any]:
    labels = {"alula.dev/project": project, "alula.dev/domain": domain}
    given = {"name": name, "uid": f"uid-of-{name}", "labels": {k: v for k, v in labels.items() if v}, **metadata}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": given}


def domain(name: str = "domain", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "alula.dev/v1alpha1",
        "kind": "Domain",
        "metadata": {"name": name, "namespace": SPACE, "uid": f"uid-of-{name}", "generation": 1},
        "spec": spec,
    }


def compiled(body: dict[str, Any] | None = None, *launch_plans: dict[str, Any]) -> Any:
    made = answered(compilation.asked(SETTINGS, PLACE, view.DomainView(), body or workflow(), launch_plans))
    assert not made.diagnostics, made.diagnostics
    return made


def answered(question: compilation.Asked) -> world.Compiled:
    """What the compiler answers, asked in this process."""
    return compilation.compiled(json.loads(json.dumps(compiler_process.answer(question))))


async def compile(namespace: str, question: compilation.Asked) -> world.Compiled:
    """The same, as a gatherer asks."""
    del namespace
    return answered(question)


def plan(body: dict[str, Any] | None = None) -> plans.Plan:
    """The plan of a workflow, as `admit` reads it."""
    body = body or workflow()
    return plans.from_text(compiled(body).plans[body["metadata"]["name"]])


def revision(body: dict[str, Any] | None = None) -> dict[str, Any]:
    """The WorkflowRevision of a workflow, as the controller stored it."""
    body = body or workflow()
    made = compiled(body)
    return revisions.build(made.objects[0], made.plans[body["metadata"]["name"]], body)


def held_run(
    name: str = "run-1", arguments: dict[str, str] | None = None, body: dict[str, Any] | None = None, **labels: str
) -> dict[str, Any]:
    """A run as Argo leaves it at `admit`."""
    admit = nodes.id_of(name, "admit")
    body = body or workflow()
    made = compiled(body).objects[0]
    ports = [each["name"] for each in body["spec"].get("inputs", [])] or ["admitted"]
    return copy.deepcopy(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {
                "name": name,
                "namespace": SPACE,
                "uid": f"uid-of-{name}",
                "resourceVersion": "77",
                "creationTimestamp": "2026-11-22T11:59:00Z",
                "labels": {
                    "alula.dev/revision": revisions.name_of(made),
                    "workflows.argoproj.io/phase": "Running",
                    "workflows.argoproj.io/completed": "false",
                    **labels,
                },
            },
            "spec": {
                "workflowTemplateRef": {"name": body["metadata"]["name"]},
                "arguments": {"parameters": [{"name": key, "value": text} for key, text in (arguments or {}).items()]},
            },
            "status": {
                "phase": "Running",
                "startedAt": "2026-11-22T11:59:01Z",
                "storedWorkflowTemplateSpec": made["spec"],
                "nodes": {
                    name: {
                        "id": name,
                        "name": name,
                        "displayName": name,
                        "type": "DAG",
                        "templateName": "main",
                        "templateScope": "local/",
                        "phase": "Running",
                        "startedAt": "2026-11-22T11:59:01Z",
                        "children": [admit],
                    },
                    admit: {
                        "id": admit,
                        "name": f"{name}.admit",
                        "displayName": "admit",
                        "type": "Suspend",
                        "templateName": "admit",
                        "templateScope": "local/",
                        "phase": "Running",
                        "boundaryID": name,
                        "startedAt": "2026-11-22T11:59:01Z",
                        "outputs": {"parameters": [{"name": port, "valueFrom": {"supplied": {}}} for port in ports]},
                    },
                },
            },
        }
    )
