"""What a workflow means, whatever its form: each call of a task, what it gets, and what must have happened before.

The compiler's own form, the plan that `admit` reads and Argo's templates are brought to the same flat form, so that a
pass, the plan and the emitted DAGs can be compared with the workflow as it was written.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
import re
from collections.abc import Mapping
from typing import Any

from alula_api.contract import names, references
from alula_api.contract.graphs import bindings, calls, frames, plans, specs, walks
from alula_compiler import program as ir

Value = Any
"""Nested tuples: ("const", json), ("input", name, path), ("call", path, output, path), ("list", values)."""


@dataclasses.dataclass
class Meaning:
    """Calls by their path in the run, without the names of pieces; outputs; and the order that is promised."""

    calls: dict[str, tuple[str, dict[str, Value]]]
    outputs: dict[str, Value]
    before: dict[str, frozenset[str]]


def of_program(program: ir.Program, pieces: frozenset[str] = frozenset()) -> Meaning:
    """Return the meaning of a program; `pieces` are graphs that are only pieces of others."""
    defaults = {
        task.name: {port.name: port.default for port in task.inputs if port.default is not None}
        for task in program.tasks
    }
    return _Flattening({graph.name: graph for graph in program.graphs}, defaults, pieces).meaning(names.MAIN)


def pieces_of(before: ir.Program, after: ir.Program) -> frozenset[str]:
    """Return the graphs that `after` has and `before` has not."""
    return frozenset({graph.name for graph in after.graphs} - {graph.name for graph in before.graphs})


def of_plan(stored: Mapping[str, Any], pieces: frozenset[str] = frozenset()) -> Meaning:
    """Return the meaning of a plan. It must bind every input of every task itself."""
    plan = plans.from_json(stored)
    graphs = {}
    for name, graph in plan.graphs.items():
        nodes = tuple(_called(step, plan) for step in graph.steps)
        bound = tuple(specs.Output(port, {}, binding) for port, binding in graph.outputs)
        graphs[name] = specs.GraphSpec(name, tuple(specs.Port(port, {}) for port in graph.inputs), bound, nodes)
    return _Flattening(graphs, {}, pieces).meaning(plan.entrypoint)


def _called(step: plans.Step, plan: plans.Plan) -> specs.NodeSpec:
    for task in calls.tasks(step.call):
        assert {port for port, _ in step.inputs} == set(plan.tasks[task].inputs)
    return specs.NodeSpec(step.name, step.call, step.inputs, step.depends)


@dataclasses.dataclass
class Walked:
    """A call as a walk of the plan reached it: what it got, and which calls had ended."""

    task: str
    inputs: Mapping[str, Any]
    ended: frozenset[str]


def walked(stored: Mapping[str, Any], pieces: frozenset[str], order: random.Random) -> dict[str, Walked]:
    """Return the calls of a walk that ends running calls in a random order, by their path without pieces.

    Every output is a value in the store of its own (`output`), so that it is seen where it arrives.
    """
    plan = plans.from_json(stored)
    walk = walks.Walk(plan, {port.name: output("", port.name) for port in plan.inputs})
    found: dict[str, Walked] = {}
    running: list[tuple[str, frames.Spot]] = []
    ended: set[str] = set()
    while True:
        while (spot := walk.take()) is not None:
            path = _path(spot, pieces)
            found[path] = Walked(spot.task, spot.inputs, frozenset(ended))
            running.append((path, spot))
        if not running:
            is_known = not any(map(_holds_stored, (binding for _, binding in plan.graphs[names.MAIN].outputs)))
            assert walk.root.state is (frames.State.DONE if is_known else frames.State.BLOCKED)
            return found
        path, spot = running.pop(order.randrange(len(running)))
        ended.add(path)
        walk.finish(spot, {name: output(path, name) for name in plan.tasks[spot.task].outputs})


def _holds_stored(binding: bindings.Binding) -> bool:
    """Whether values in the store are selected in, or put into a list, which only who reads the run can do."""
    listed = isinstance(binding, bindings.Items)
    read = [leaf for leaf in bindings.leaves(binding) if not isinstance(leaf, bindings.Constant)]
    return any(listed or leaf.path for leaf in read)


def output(path: str, name: str) -> references.Stored:
    """Return the value that stands for an output of a call, or for an input of the run."""
    return references.Stored(hashlib.sha256(f"{path} {name}".encode()).hexdigest(), 1, "0" * 64)


def _path(spot: frames.Spot, pieces: frozenset[str]) -> str:
    names_above, around = [spot.step.name], spot.frame.spot
    while around is not None and around.path:
        if not (isinstance(around.call, calls.GraphCall) and around.call.graph in pieces):
            names_above.append(around.step.name)
        around = around.frame.spot
    return ".".join(reversed(names_above))


class _Flattening:
    def __init__(
        self, graphs: Mapping[str, specs.GraphSpec], defaults: Mapping[str, Mapping[str, str]], pieces: frozenset[str]
    ) -> None:
        self.graphs, self.defaults, self.pieces = graphs, defaults, pieces
        self.found = Meaning({}, {}, {})

    def meaning(self, start: str) -> Meaning:
        main = self.graphs[start]
        inputs = {port.name: ("input", port.name, ()) for port in main.inputs}
        self.found.outputs, _ = self._graph(main, inputs, "", frozenset())
        return self.found

    def _graph(
        self, graph: specs.GraphSpec, inputs: Mapping[str, Value], prefix: str, waits: frozenset[str]
    ) -> tuple[dict[str, Value], frozenset[str]]:
        """The outputs of a call of a graph, and all calls in it."""
        outputs: dict[tuple[str, str], Value] = {}
        inside: dict[str, frozenset[str]] = {}
        for node in graph.nodes:
            first = waits.union(*(inside[name] for name in node.depends()))
            given = {name: _value(binding, inputs, outputs) for name, binding in node.inputs}
            if isinstance(node.call, calls.GraphCall):
                inner = self.graphs[node.call.graph]
                path = prefix if node.call.graph in self.pieces else f"{prefix}{node.id}."
                for port in inner.inputs:
                    if port.name not in given and port.default is not None:
                        given[port.name] = ("const", json.loads(port.default))
                assert set(given) == {port.name for port in inner.inputs}
                results, inside[node.id] = self._graph(inner, given, path, first)
                outputs.update({(node.id, name): value for name, value in results.items()})
                continue
            path, task = f"{prefix}{node.id}", calls.name(node.call)
            for name, text in self.defaults.get(task, {}).items():
                given.setdefault(name, ("const", json.loads(text)))
            assert path not in self.found.calls
            self.found.calls[path] = (task, given)
            self.found.before[path] = first.union(*(self.found.before[name] for name in first))
            inside[node.id] = frozenset([path])
            outputs.update({(node.id, name): ("call", path, name, ()) for name in OUTPUTS.get(task, ("o0",))})
        found = {output.name: _value(output.binding, inputs, outputs) for output in graph.outputs}
        return found, frozenset().union(*inside.values()) if graph.nodes else waits


OUTPUTS: dict[str, tuple[str, ...]] = {"two": ("o0", "o1")}
"""Outputs of the tasks in the strategies that have other than the one, `o0`."""


def _value(binding: bindings.Binding, inputs: Mapping[str, Value], outputs: Mapping[tuple[str, str], Value]) -> Value:
    if isinstance(binding, bindings.Items):
        return ("list", tuple(_value(leaf, inputs, outputs) for leaf in binding.leaves))
    if isinstance(binding, bindings.Constant):
        return ("const", json.loads(binding.text))
    source = inputs[binding.input] if isinstance(binding, bindings.FromInput) else outputs[binding.node, binding.output]
    return _behind(source, binding.path)


def _behind(value: Value, path: tuple[str, ...]) -> Value:
    if not path:
        return value
    if value[0] == "const":
        inner = value[1]
        for step in path:
            inner = inner[int(step)] if isinstance(inner, list) else inner[step]
        return ("const", inner)
    if value[0] == "list":
        return _behind(value[1][int(path[0])], path[1:])
    return (*value[:-1], value[-1] + path)


# From Argo's templates


_TAG = re.compile(r"\{\{(?:tasks\.([^.{}]+)\.outputs|inputs)\.parameters\.([^.{}]+)\}\}")
_TERM = re.compile(r"(?:tasks\['([^']+)'\]\.outputs|inputs)\.parameters\['([^']+)'\]|(\"(?:[^\"\\]|\\.)*\")")


def of_argo(spec: Mapping[str, Any], pieces: frozenset[str] = frozenset()) -> Meaning:
    """Return the meaning of a compiled spec, read as Argo reads it: only by its tags, predicates and expressions."""
    templates = {template["name"]: template for template in spec["templates"]}
    supplied = [one["name"] for one in templates["admit"]["outputs"]["parameters"] if one["name"] != "admitted"]
    defaults = {}
    for name, template in templates.items():
        if "container" in template:
            parameters = template.get("inputs", {}).get("parameters", [])
            defaults[name] = {one["name"]: one["default"] for one in parameters if "default" in one}
    graphs = {}
    for name, template in templates.items():
        if "dag" in template:
            ports = supplied if name == "main" else [one["name"] for one in _parameters(template, "inputs")]
            outputs = _outputs({one["name"]: one["valueFrom"] for one in _parameters(template, "outputs")})
            nodes = tuple(_node(task, templates) for task in template["dag"]["tasks"] if task["name"] != "admit")
            graphs[name] = specs.GraphSpec(name, tuple(specs.Port(port, {}) for port in ports), outputs, nodes)
            for task in template["dag"]["tasks"]:
                if name == "main" and task["name"] != "admit":
                    assert task["depends"], "everything in main waits for admit, by itself or through others"
    found = _Flattening(graphs, defaults, pieces).meaning("main")
    calls = {path: (templates[name], given) for path, (name, given) in found.calls.items()}
    found.calls = {path: _call(template, given) for path, (template, given) in calls.items()}
    return found


def _parameters(template: Mapping[str, Any], kind: str) -> list[Any]:
    found: list[Any] = template.get(kind, {}).get("parameters", [])
    return found


def _node(task: Mapping[str, Any], templates: Mapping[str, Any]) -> specs.NodeSpec:
    inputs = tuple((one["name"], _argument(one["value"])) for one in task.get("arguments", {}).get("parameters", []))
    terms = task.get("depends", "").split(" && ") if task.get("depends") else []
    assert all(term.endswith(".Succeeded") for term in terms)
    after = tuple(term.removesuffix(".Succeeded") for term in terms if term != "admit.Succeeded")
    is_task = "container" in templates[task["template"]]
    name = task["template"]
    node = specs.NodeSpec(task["name"], calls.TaskCall(name) if is_task else calls.GraphCall(name), inputs, after)
    assert set(node.depends()) == set(after), "what is read is waited for"
    return node


def _read(node: str | None, name: str) -> bindings.Leaf:
    if node is None or node == "admit":
        return bindings.FromInput(name)
    return bindings.FromNode(node, name)


def _argument(text: str) -> bindings.Binding:
    tag = _TAG.fullmatch(text)
    if tag:
        return _read(tag[1], tag[2])
    if text.startswith("{{="):
        terms = text.removeprefix("{{=toJson([").removesuffix("])}}")
        return bindings.Items(tuple(_term(one) for one in _TERM.finditer(terms)))
    assert "{{" not in text
    return bindings.Constant(text)


def _term(match: re.Match[str]) -> bindings.Leaf:
    return bindings.Constant(json.loads(match[3])) if match[3] else _read(match[1], match[2])


def _outputs(sources: Mapping[str, Mapping[str, str]]) -> tuple[specs.Output, ...]:
    """Outputs as who reads the run's object understands them, paths followed."""
    found = []
    for name, source in sources.items():
        if name.endswith("--path"):
            continue
        binding = _output(source)
        beside = sources.get(f"{name}--path")
        if beside is not None:
            meant = json.loads(json.loads(beside["expression"]))
            if source == {"expression": '"[]"'}:
                binding = bindings.Items(())
            if isinstance(binding, bindings.Items):
                pairs = zip(binding.leaves, meant, strict=True)
                binding = bindings.Items(tuple(_selected(leaf, path) for leaf, path in pairs))
            else:
                assert not isinstance(binding, bindings.FirstOf)
                binding = _selected(binding, meant)
        found.append(specs.Output(name, {}, binding))
    return tuple(found)


def _selected(leaf: bindings.Leaf, path: list[str]) -> bindings.Leaf:
    if isinstance(leaf, bindings.Constant):
        assert path == []
        return leaf
    return dataclasses.replace(leaf, path=tuple(path))


def _output(source: Mapping[str, str]) -> bindings.Binding:
    if "parameter" in source:
        tag = _TAG.fullmatch(source["parameter"])
        assert tag
        return _read(tag[1], tag[2])
    text = source["expression"]
    if text.startswith('"[" + '):
        terms = text.removeprefix('"[" + ').removesuffix(' + "]"').split(' + "," + ')
        return bindings.Items(tuple(map(_term_of, terms)))
    return _term_of(text)


def _term_of(text: str) -> bindings.Leaf:
    term = _TERM.fullmatch(text)
    assert term
    return _term(term)


def _call(template: Mapping[str, Any], given: Mapping[str, Value]) -> tuple[str, dict[str, Value]]:
    """The task and its inputs as the runtime understands its words, paths followed."""
    words = list(template["container"]["args"])
    inputs: dict[str, Value] = {}
    paths: dict[str, tuple[str, ...]] = {}
    for index, word in enumerate(words):
        if word in ("--input", "--items"):
            inputs[words[index + 1]] = given[words[index + 2].removeprefix("{{inputs.parameters.").removesuffix("}}")]
        if word == "--path":
            text = words[index + 2]
            if text.startswith("{{"):
                (kind, path) = given[text.removeprefix("{{inputs.parameters.").removesuffix("}}")]
                assert kind == "const"
            else:
                path = json.loads(text)
            paths[words[index + 1]] = tuple(path)
    for place, path in paths.items():
        name, _, index = place.partition(".")
        if index:
            items = list(inputs[name][1])
            items[int(index)] = _behind(items[int(index)], path)
            inputs[name] = ("list", tuple(items))
        else:
            inputs[name] = _behind(inputs[name], path)
    return template["metadata"]["labels"]["alula.dev/task"], inputs
