"""Resources on disk, and small ones made in code, as the compiler's tests use them."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

import alula_compiler
from alula_compiler import engines
from tests import typed_resources

HERE = Path(__file__).parent
RESOURCES = HERE / "resources"
GOLDEN = HERE / "golden"
FIXTURES = HERE / "fixtures"
NAMES = sorted(path.stem for path in RESOURCES.glob("*.yaml"))

ENGINE = engines.Engine(
    store="s3://acme/penguins/dev",
    releases="s3://acme/penguins/releases",
    endpoint="http://store.local:9000",
    secret="alula-store",
)

INT = {"type": "integer"}
TEXT = {"type": "string"}
HEAD = {"apiVersion": "alula.dev/v1alpha1", "kind": "Workflow"}


def load(name: str) -> list[dict[str, Any]]:
    """Return the documents of a resource file."""
    return list(yaml.load_all((RESOURCES / f"{name}.yaml").read_text(), Loader=yaml.CSafeLoader))


def compile_documents(
    documents: Sequence[Mapping[str, Any]], engine: engines.Engine = ENGINE
) -> alula_compiler.Compiled:
    """Compile the one Workflow among documents, with the LaunchPlans and the Domain beside it."""
    by_kind: dict[str, list[Any]] = {"Workflow": [], "LaunchPlan": [], "Domain": []}
    for document in documents:
        by_kind[document["kind"]].append(document)
    (workflow,) = by_kind["Workflow"]
    domain = by_kind["Domain"][0] if by_kind["Domain"] else None
    return alula_compiler.compile(workflow, by_kind["LaunchPlan"], domain, engine)


def workflow(**spec: Any) -> dict[str, Any]:
    """Return a Workflow called `w` with these parts of its spec, and the least of the others."""
    least = {"version": "v1", "code": {"image": "acme/w:1", "runtime": 1}, "graphs": [{"name": "main", "nodes": []}]}
    return typed_resources.spelled({**HEAD, "metadata": {"name": "w"}, "spec": {**least, **copy.deepcopy(spec)}})


def task(name: str, inputs: Mapping[str, Any] = {}, outputs: Mapping[str, Any] = {}, **options: Any) -> dict[str, Any]:
    """Return a task from types by name."""
    return {
        "name": name,
        "entrypoint": f"flows.w:{name.replace('-', '_')}",
        "inputs": [{"name": key, "type": schema} for key, schema in inputs.items()],
        "outputs": [{"name": key, "type": schema} for key, schema in outputs.items()],
        **options,
    }


def chain(length: int) -> dict[str, Any]:
    """Return a Workflow in which each node adds one to what the node before it gave."""
    step = task("step", {"x": INT}, {"o0": INT})
    nodes = [{"id": "step", "task": "step", "inputs": {"x": {"value": "0"}}}]
    for number in range(2, length + 1):
        before = nodes[-1]["id"]
        nodes.append({"id": f"step-{number}", "task": "step", "inputs": {"x": {"node": before, "output": "o0"}}})
    outputs = [{"name": "o0", "type": INT, "from": {"node": nodes[-1]["id"], "output": "o0"}}]
    return workflow(tasks=[step], graphs=[{"name": "main", "nodes": nodes}], outputs=outputs)


def fan(width: int) -> dict[str, Any]:
    """Return a Workflow with one source, `width` nodes that read it, and one that reads all of them."""
    tasks = [
        task("load", {}, {"o0": INT}),
        task("work", {"x": INT}, {"o0": INT}),
        task("join", {"xs": {"type": "array", "items": INT}}, {"o0": INT}),
    ]
    nodes: list[dict[str, Any]] = [{"id": "load", "task": "load"}]
    names = [f"work-{number}" for number in range(1, width + 1)]
    nodes += [{"id": name, "task": "work", "inputs": {"x": {"node": "load", "output": "o0"}}} for name in names]
    leaves = [{"node": name, "output": "o0"} for name in names]
    nodes.append({"id": "join", "task": "join", "inputs": {"xs": {"items": leaves}}})
    return workflow(tasks=tasks, graphs=[{"name": "main", "nodes": nodes}])


def templates(compiled: alula_compiler.Compiled, index: int = 0) -> dict[str, dict[str, Any]]:
    """Return the templates of a compiled object by name."""
    assert compiled.diagnostics == (), "\n".join(found.render() for found in compiled.diagnostics)
    return {template["name"]: template for template in compiled.objects[index]["spec"]["templates"]}
