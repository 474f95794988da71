"""Objects that anybody with ordinary rights in one namespace may make: none ends or slows the controller."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from e2e.cluster import api
from e2e.controller import definitions
from e2e.controller.conftest import Scene, condition, until
from e2e.soak import measures

ALULA = "alula.dev/v1alpha1"
ARGO = "argoproj.io/v1alpha1"
MEMORY = 512 << 20


@pytest.fixture
def unharmed(scene: Scene, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """The controller is the same process before and after, within its Deployment's memory, and a right definition is
    compiled at once."""
    scene.define(definitions.workflow("right", description=f"before {request.node.name}"))
    before = measures.controller(scene.place.cluster.folder)
    seen = measures.Measures()
    yield scene
    seen.look(before, 8080)
    scene.define(definitions.workflow("right", description=f"after {request.node.name}"))
    assert measures.controller(scene.place.cluster.folder) == before
    assert peak(before) < MEMORY
    assert seen.defects == []


def peak(pid: int) -> int:
    with open(f"/proc/{pid}/status", encoding="ascii") as file:  # noqa: PTH123
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM"))


def test_a_workflow_whose_type_is_an_object_of_1500_levels_is_refused_by_the_api_server(unharmed: Scene) -> None:
    scene = unharmed
    body = definitions.workflow("deep")
    body["spec"]["inputs"][0]["type"] = "@"
    text = json.dumps(body).replace('"@"', '{"type":"array","items":' * 1_500 + "{}" + "}" * 1_500)
    with pytest.raises(api.ApiError, match=r"must be of type string|expected string"):
        scene.api.request("POST", scene.api.path(ALULA, "Workflow", scene.space), text.encode())


def test_a_workflow_that_would_compile_to_a_gigabyte_says_that_it_is_too_large(unharmed: Scene) -> None:
    scene = unharmed
    big = json.dumps("x" * 64_998)
    inputs = [{"name": f"i{number}", "type": "str", "default": big} for number in range(18)]
    nodes = [{"id": f"n{number}", "task": "t"} for number in range(1_000)]
    task = {"name": "t", "entrypoint": "m:f", "inputs": inputs}
    graphs = [{"name": "main", "nodes": nodes}]
    scene.apply(definitions.workflow("gigabyte", inputs=[], tasks=[task], graphs=graphs))
    found = scene.place.condition("Workflow", "gigabyte", "Stalled", "True", 120)
    assert condition(found, "Stalled")["reason"] == "Invalid"
    assert "TOO_LARGE" in condition(found, "Stalled")["message"]


def test_a_run_whose_packed_nodes_would_take_gigabytes_is_left_alone(unharmed: Scene) -> None:
    scene = unharmed
    scene.define(definitions.workflow("packed"))
    revision = scene.api.get(ALULA, "Workflow", "packed", scene.space)["status"]["revision"]
    bomb = base64.b64encode(gzip.compress(b'{"r":{"children":[' + b",".join([b"{}"] * 20_000_000) + b"]}}")).decode()
    for name, of in (("bomb-known", revision), ("bomb-unknown", "packed-00000000")):
        body = {
            "apiVersion": ARGO,
            "kind": "Workflow",
            "metadata": {"name": name, "labels": {"alula.dev/revision": of, "alula.dev/workflow": "packed"}},
            "spec": {"workflowTemplateRef": {"name": "packed"}, "suspend": True},
            "status": {"phase": "Running", "compressedNodes": bomb},
        }
        scene.api.create(body, scene.space)

    def told(name: str) -> str:
        return str((scene.api.get(ARGO, "Workflow", name, scene.space).get("status") or {}).get("message") or "")

    until(lambda: "cannot be read" in told("bomb-known") or "not read" in told("bomb-known"), 90)
    for name in ("bomb-known", "bomb-unknown"):
        scene.api.delete(ARGO, "Workflow", name, scene.space)


def test_launch_plans_of_a_megabyte_that_name_no_workflow_cost_nothing(unharmed: Scene) -> None:
    scene = unharmed
    value = json.dumps("x" * 60_000)
    for number in range(60):
        inputs: list[dict[str, Any]] = [{"name": f"i{index}", "value": value} for index in range(17)]
        scene.apply(definitions.launch_plan(f"big-{number}", "no-such-workflow", inputs=inputs))
    scene.define(*(definitions.workflow(f"beside-{number}") for number in range(4)))
    for number in range(60):
        with contextlib.suppress(api.ApiError):
            scene.api.delete(ALULA, "LaunchPlan", f"big-{number}", scene.space)


def test_a_launch_plan_that_is_too_large_once_it_is_compiled_spoils_only_itself(unharmed: Scene) -> None:
    scene = unharmed
    text = json.dumps("x" * 60_000)
    ports = [{"name": f"i{index}", "type": "str", "default": '""'} for index in range(12)]
    values = [{"name": f"i{index}", "value": text} for index in range(12)]
    scene.define(definitions.workflow("spoilt", inputs=[*ports, *definitions.workflow("x")["spec"]["inputs"]]))
    scene.apply(definitions.launch_plan("too-large", "spoilt", fixedInputs=values))
    scene.define(definitions.launch_plan("just-right", "spoilt", schedule={"cron": ["0 2 * * *"]}))
    found = scene.place.condition("LaunchPlan", "too-large", "Stalled", "True")
    assert condition(found, "Stalled")["reason"] in ("Invalid", "Refused")
    scene.place.ready("Workflow", "spoilt")
