"""The short notation of `fixtures/*.yaml`: a workflow that fits on a screen, to and from the compiler's own form.

inputs: {seed: int = 7, config: config}         # name: type, and a default in JSON
tasks:
  step: (x: int, by: int = 1) -> o0: int         # or {call: "(...) -> ...", retries: {limit: 2}, ...}
graphs:
  main:
    nodes:
    - {id: a, call: step, x: $seed}              # an input of the graph
    - {id: b, call: step, x: a.o0, by: =2}       # an output of a node; a constant in JSON
    - {id: c, call: step, x: $config.size}       # what lies behind an attribute path
    - {id: d, call: join, xs: [a.o0, =1], after: [c]}
    - {id: f, call: step, x: {first: [a.o0, =1]}}    # the first of them that has a value
    - {id: e, branch: {reads: {s: int}, then: s > 3 -> big, else: small}, s: a.o0}    # graphs `big` and `small`
    outputs: {o0: b.o0}
plans: {nightly: {inputs: {seed: '1'}, fixed: {}, crons: [0 2 * * *]}}
"""

from __future__ import annotations

import json
from typing import Any

from alula_api.contract import labels, named_types, names, schemas
from alula_api.contract.diagnostics import Diagnostic
from alula_api.contract.graphs import calls, conditions, json_fields
from alula_api.contract.graphs.bindings import Binding, Constant, FromInput, FromNode, leaves
from alula_api.contract.graphs.specs import GraphSpec, NodeSpec, Port
from alula_compiler.argo.model import ArgoProgram, Names, Object
from alula_compiler.program import Program

TYPES = {
    "int": "int",
    "float": "float",
    "bool": "bool",
    "text": "str",
    "never": "Never",
    "file": "File",
    "html": 'File["html"]',
    "ints": "list[int]",
    "floats": "list[float]",
    "maybe-ints": "list[int] | None",
    "pair": "tuple[int, int]",
    "set": "set[int]",
    "any": "Any",
    "config": "Config",
    "color": "Color",
}
"""What the types of a resource are called here."""
NAMED: list[dict[str, Any]] = [
    {"name": "Color", "kind": "Enum", "values": [{"name": "RED", "value": "1"}, {"name": "BLUE", "value": "2"}]},
    {"name": "Config", "fields": [{"name": "size", "type": "int"}, {"name": "name", "type": "str"}]},
]
_ALL = named_types.Types([json_fields.from_json(named_types.NamedType, each) for each in NAMED])
_NAMES = {repr(_ALL.schema(text)): name for name, text in TYPES.items()}


def resource(short: dict[str, Any], name: str = "w") -> dict[str, Any]:
    """Return the Workflow that a short one stands for."""
    graphs = short.get("graphs", {"main": {"nodes": []}})
    spec: dict[str, Any] = {
        "version": short.get("version", "v1"),
        "code": {"image": "acme/w:1", "runtime": 1, **short.get("code", {})},
        "types": NAMED,
        "inputs": _ports(short.get("inputs", {})),
        "tasks": [_task(task, call) for task, call in short.get("tasks", {}).items()],
        "graphs": [],
    }
    for graph, content in graphs.items():
        made: dict[str, Any] = {"name": graph}
        made["nodes"] = [_node(node, graphs) for node in content.get("nodes", ())]
        outputs = [_output(output, text) for output, text in content.get("outputs", {}).items()]
        (spec if graph == names.MAIN else made)["outputs"] = outputs
        if graph != names.MAIN:
            made["inputs"] = _ports(content.get("inputs", {}))
        spec["graphs"].append(made)
    annotations = {"alula.dev/source": f"flows/{name}.py"}
    metadata = {"name": name, "annotations": annotations}
    return {"apiVersion": "alula.dev/v1alpha1", "kind": "Workflow", "metadata": metadata, "spec": spec}


def launch_plans(short: dict[str, Any], workflow: str = "w") -> list[dict[str, Any]]:
    """Return the LaunchPlans that a short workflow has beside it."""
    found = []
    for name, plan in short.get("plans", {}).items():
        spec: dict[str, Any] = {"workflow": plan.get("workflow", workflow)}
        spec["inputs"] = [{"name": key, "value": text} for key, text in plan.get("inputs", {}).items()]
        spec["fixedInputs"] = [{"name": key, "value": text} for key, text in plan.get("fixed", {}).items()]
        if "crons" in plan or "schedule" in plan:
            spec["schedule"] = {**({"cron": plan["crons"]} if "crons" in plan else {}), **plan.get("schedule", {})}
        spec |= {name: plan[name] for name in ("trigger", "notifications") if name in plan}
        metadata = {"name": name, "annotations": {"alula.dev/source": f"flows/{workflow}.py"}}
        found.append({"apiVersion": "alula.dev/v1alpha1", "kind": "LaunchPlan", "metadata": metadata, "spec": spec})
    return found


def _typed(text: str) -> dict[str, Any]:
    kind, _, default = text.partition(" = ")
    return {"type": TYPES[kind.strip()], **({"default": default} if default else {})}


def _ports(short: dict[str, str]) -> list[dict[str, Any]]:
    return [{"name": name, **_typed(text)} for name, text in short.items()]


def _listed(text: str) -> dict[str, str]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return {name: kind.strip() for name, _, kind in (part.partition(":") for part in parts)}


def _task(name: str, short: str | dict[str, Any]) -> dict[str, Any]:
    options = {} if isinstance(short, str) else {key: value for key, value in short.items() if key != "call"}
    inputs, _, outputs = (short if isinstance(short, str) else short["call"]).partition("->")
    made = {"name": name, "entrypoint": f"flows.w:{name.replace('-', '_')}"}
    ports = _ports(_listed(inputs.strip().strip("()")))
    return {**made, "inputs": ports, "outputs": _ports(_listed(outputs)), **options}


def _node(short: dict[str, Any], graphs: dict[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in short.items() if key not in ("id", "call", "branch", "after")}
    call: dict[str, Any] = {"branch": _branch(short["branch"])} if "branch" in short else {}
    if not call:
        call = {"graph" if short["call"] in graphs else "task": short["call"]}
    node = {"id": short["id"], **call, "inputs": {key: _binding(value) for key, value in rest.items()}}
    return {**node, **{key: short[key] for key in ("after",) if key in short}}


def _branch(short: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"reads": _ports(short.get("reads", {})), "cases": []}
    for name, text in short.items():
        if name == "else":
            found["otherwise"] = text
        elif name != "reads":
            when, _, graph = text.rpartition(" -> ")
            found["cases"].append({"name": name, "when": when, "graph": graph})
    return found


def _output(name: str, short: Any) -> dict[str, Any]:
    many = "ints" if isinstance(short, list) else ""
    text, _, kind = short.partition(" : ") if isinstance(short, str) else (short, "", many)
    return {"name": name, "type": TYPES[kind or "int"], "from": _binding(text)}


def _binding(short: Any) -> dict[str, Any]:
    if isinstance(short, list):
        return {"items": [_binding(leaf) for leaf in short]}
    if isinstance(short, dict):
        return {"firstOf": [_binding(leaf) for leaf in short["first"]]}
    if short.startswith("="):
        return {"value": short[1:]}
    first, *path = short.split(".")
    if first.startswith("$"):
        return {"input": first[1:], **({"path": path} if path else {})}
    return {"node": first, "output": path[0], **({"path": path[1:]} if path[1:] else {})}


# The other way round


def graphs_of(program: Program) -> dict[str, Any]:
    """Return a program's graphs in the short notation."""
    return {graph.name: _short_graph(graph) for graph in program.graphs}


def calls_of(program: Program, made: ArgoProgram) -> dict[str, Any]:
    """Return the same with the templates of nodes that are called otherwise than what they run."""
    return {graph.name: _short_graph(graph, made.names) for graph in program.graphs}


def _short_graph(graph: GraphSpec, templates: Names | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if graph.inputs and not graph.is_main:
        found["inputs"] = {port.name: _short_port(port) for port in graph.inputs}
    found["nodes"] = [_short_node(node, templates) for node in graph.nodes]
    if graph.outputs:
        found["outputs"] = {output.name: short_binding(output.binding) for output in graph.outputs}
    return found


def _short_port(port: Port) -> str:
    return _short_type(port.type) + (f" = {port.default}" if port.default is not None else "")


def _short_node(node: NodeSpec, templates: Names | None) -> dict[str, Any]:
    found: dict[str, Any] = {"id": node.id}
    if isinstance(node.call, calls.BranchCall):
        found["branch"] = _short_branch(node.call)
    else:
        found["call"] = calls.name(node.call)
    if templates and templates.of(node) != calls.name(node.call):
        found["template"] = templates.of(node)
    found |= {name: short_binding(binding) for name, binding in node.inputs}
    return {**found, "after": list(node.after)} if node.after else found


def _short_branch(call: calls.BranchCall) -> dict[str, Any]:
    found: dict[str, Any] = {"reads": {name: _short_type(schema) for name, schema in call.reads}}
    found |= {case.name: f"{conditions.text(case.when)} -> {case.graph}" for case in call.cases}
    return {**found, "else": call.otherwise.graph} if call.otherwise else found


def _short_type(schema: Any) -> str:
    return _NAMES.get(repr(schema)) or schemas.describe(schema)


def short_binding(binding: Binding) -> Any:
    """Return a binding in the short notation."""
    if not isinstance(binding, Constant | FromInput | FromNode):
        return [short_binding(leaf) for leaf in leaves(binding)]
    if isinstance(binding, Constant):
        return f"={binding.text}"
    start = f"${binding.input}" if isinstance(binding, FromInput) else f"{binding.node}.{binding.output}"
    return ".".join([start, *binding.path])


def parts_of(program: Program) -> dict[str, Any]:
    """Return what is published beside the outputs of tasks, and beside the inputs of a run."""
    found = {**program.parts, **({names.ADMIT: program.input_parts} if program.input_parts else {})}
    return {name: {part.name: ".".join((part.source, *part.path)) for part in parts} for name, parts in found.items()}


def defaults_of(program: Program) -> dict[str, Any]:
    """Return the tasks' defaults."""
    found: dict[str, Any] = {}
    for task in program.tasks:
        found[task.name] = {port.name: port.default for port in task.inputs if port.default is not None}
    return found


def plans_of(program: Program) -> dict[str, Any]:
    """Return the launch plans' values."""
    return {plan.name: {"inputs": dict(plan.inputs), "fixed": dict(plan.fixed)} for plan in program.plans}


# What becomes of it in Argo


def _of_tasks(made: ArgoProgram) -> dict[str, Object]:
    return {template["name"]: template for template in made.templates if "container" in template}


def pods_of(made: ArgoProgram) -> dict[str, Any]:
    """Return how Argo runs each task's template, without what all have."""
    found: dict[str, Any] = {}
    for name, template in _of_tasks(made).items():
        container = template["container"]
        pod: dict[str, Any] = {"image": container["image"], "retry": template["retryStrategy"]}
        pod |= {"deadline": int(template["activeDeadlineSeconds"])} if "activeDeadlineSeconds" in template else {}
        pod |= {"patch": template["podSpecPatch"]} if "podSpecPatch" in template else {}
        pod |= {"affinity": template["affinity"]} if "affinity" in template else {}
        pod |= {"env": container["env"][2:]} if container["env"][2:] else {}
        found[name] = pod | ({"resources": container["resources"]} if "resources" in container else {})
    return found


def dags_of(made: ArgoProgram) -> dict[str, Any]:
    """Return the compiled DAGs of the workflow, as Argo gets them."""
    dags = {template["name"]: template for template in made.templates if "dag" in template}
    return {name: {key: value for key, value in dag.items() if key != "name"} for name, dag in dags.items()}


def forms_of(made: ArgoProgram) -> dict[str, Any]:
    """Return what Argo's form asks for, by compiled template."""
    found = [one for one in made.objects if one["kind"] == "WorkflowTemplate"]
    return {one["metadata"]["name"]: one["spec"].get("arguments", {}).get("parameters", []) for one in found}


def inputs_of(made: ArgoProgram) -> dict[str, Any]:
    """Return what `admit` knows of the inputs, by compiled template; without the types."""
    return {
        name: [{key: value for key, value in port.items() if key != "type"} for port in plan["inputs"]]
        for name, plan in made.plans.items()
    }


def arguments_of(made: ArgoProgram) -> dict[str, list[str]]:
    """Return the words that each task's runtime gets, without the interface's digest."""
    found = {name: list(template["container"]["args"]) for name, template in _of_tasks(made).items()}
    for words in found.values():
        del words[words.index("--interface") : words.index("--interface") + 2]
    return found


def schedules_of(made: ArgoProgram) -> list[Any]:
    """Return what the scheduler reads of each launch plan that has a schedule."""
    found = [one["metadata"]["annotations"].get(labels.SCHEDULE) for one in made.objects]
    return [json.loads(text) for text in found if text]


def templates_of(made: ArgoProgram) -> list[dict[str, Any]]:
    """Return the templates that tasks have."""
    found = []
    for template in made.names.tasks.values():
        short: dict[str, Any] = {"name": template.name, "task": template.task}
        short |= {"paths": list(template.paths)} if template.paths else {}
        items = {name: [".".join(path) for path in paths] for name, paths in template.items}
        found.append({**short, **({"items": items} if items else {})})
    return found


def told(diagnostics: tuple[Diagnostic, ...]) -> list[str]:
    """Return diagnostics as they are printed, each on one line."""
    return [" | ".join(line.strip() for line in found.render().splitlines()) for found in diagnostics]
