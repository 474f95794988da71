"""The plan of a revision: the graphs of a workflow as they were compiled, and what is needed to check and look up runs.

The compiler makes it, a `WorkflowRevision` keeps it for years, and the controller walks it for every run; the local
runner and the outline of a remote run make plans of their own and store them nowhere. Both halves of its stored form
are here, pinned by the golden vectors. What is read may be of anybody's making: whatever is malformed is a `BadPlan`.

Version 1 is the first. A version 2 must still read version 1, for as long as a revision that has it can be admitted or
recovered; it may add kinds of calls and members, and members that it does not write any more keep their meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, assert_never

from alula_api.contract import jsontext, names
from alula_api.contract.families import Schema
from alula_api.contract.graphs import bindings
from alula_api.contract.graphs.bindings import Binding
from alula_api.contract.problems import InvalidValue

VERSION: Final = 1
MAX_TEXT: Final = 1 << 20
"""Characters of a stored plan; etcd takes no object larger than that."""
MAX_GRAPHS: Final = 10_000
MAX_STEPS: Final = 20_000
"""Steps of all graphs together."""


class BadPlan(Exception):
    """The stored plan is not one that this version understands; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class TaskCall:
    """Runs a task."""

    task: str


@dataclass(frozen=True, slots=True)
class GraphCall:
    """Runs a graph."""

    graph: str


@dataclass(frozen=True, slots=True)
class MapCall:
    """Runs a task or graph once for each item of one or several lists of equal length.

    Attributes:
        item: What runs for an item.
        over: The inputs whose items are taken; the others are the same for all.
        outputs: The outputs of `item`, each of which becomes a list in the order of the items.
    """

    item: TaskCall | GraphCall
    over: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A branch of a conditional.

    Attributes:
        name: Of the branch, `then` or `elif-1`; a part of the paths inside it.
        when: The input, a boolean, that says whether it is taken.
        graph: What runs then.
    """

    name: str
    when: str
    graph: str


@dataclass(frozen=True, slots=True)
class BranchCall:
    """Runs the graph of the first case that holds, else the last one; without one the step is not taken."""

    cases: tuple[Case, ...]
    otherwise: GraphCall | None = None


Call: TypeAlias = TaskCall | GraphCall | MapCall | BranchCall
"""What a step does. To come: `RepeatCall`, `RunCall` (a child run) and `GateCall` (a person's answer)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One node of a graph.

    Attributes:
        name: Unique in its graph.
        call: What it does.
        inputs: A binding for each input; nothing takes a default any more.
        depends: The steps that must be finished first; those that the bindings read are among them.
        template: The compiled template that Argo's node has; empty where nothing is compiled.
    """

    name: str
    call: Call
    inputs: tuple[tuple[str, Binding], ...] = ()
    depends: tuple[str, ...] = ()
    template: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    """Steps in an order in which they could run, and where the outputs come from."""

    inputs: tuple[str, ...]
    steps: tuple[Step, ...]
    outputs: tuple[tuple[str, Binding], ...] = ()


@dataclass(frozen=True, slots=True)
class Input:
    """An input of the run; `default` and `fixed` are canonical JSON texts, None where there is none."""

    name: str
    type: Schema
    default: str | None = None
    fixed: str | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """What a key is made of: name in the cache key, version (None: not cached), interface digest, declared types.

    Attributes:
        environment: The digest of what the resource sets in the environment.
        entrypoint: The function; an entry that another one made is a miss.
    """

    key: str
    version: str | None
    interface: str
    inputs: Mapping[str, Schema]
    outputs: Mapping[str, Schema]
    environment: str = ""
    entrypoint: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The graphs of a run, and with a compiled one what `admit` needs beside them.

    Attributes:
        graphs: By name.
        entrypoint: The graph that a run begins with.
        tasks: By the name that a `TaskCall` has.
        inputs: Of the run.
        outputs: Of the run, with their types.
        template: The WorkflowTemplate that it was compiled to.
    """

    graphs: Mapping[str, Graph]
    entrypoint: str = names.MAIN
    tasks: Mapping[str, Task] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    outputs: tuple[tuple[str, Schema], ...] = ()
    template: str = ""


def called_graphs(call: Call) -> tuple[str, ...]:
    """Return the graphs that a call may run, in their order."""
    match call:
        case TaskCall():
            return ()
        case GraphCall(graph):
            return (graph,)
        case MapCall(item):
            return called_graphs(item)
        case BranchCall(cases, otherwise):
            return (*(case.graph for case in cases), *((otherwise.graph,) if otherwise else ()))
        case _:
            assert_never(call)


# Writing


def to_json(plan: Plan) -> dict[str, Any]:
    """Return the stored form."""
    return {
        "v": VERSION,
        "template": plan.template,
        "entrypoint": plan.entrypoint,
        "inputs": [_input_json(each) for each in plan.inputs],
        "outputs": _ports_json(dict(plan.outputs)),
        "tasks": {name: _task_json(task) for name, task in plan.tasks.items()},
        "graphs": {name: _graph_json(graph) for name, graph in plan.graphs.items()},
    }


def to_text(plan: Plan) -> str:
    """Return the stored form as compact JSON text."""
    return jsontext.dumps(to_json(plan))


def _input_json(given: Input) -> dict[str, Any]:
    texts = {"default": given.default, "fixed": given.fixed}
    return {"name": given.name, "type": given.type, **{name: text for name, text in texts.items() if text is not None}}


def _ports_json(ports: Mapping[str, Schema]) -> list[dict[str, Any]]:
    return [{"name": name, "type": schema} for name, schema in ports.items()]


def _task_json(task: Task) -> dict[str, Any]:
    return {
        "key": task.key,
        **({"version": task.version} if task.version is not None else {}),
        "interface": task.interface,
        **({"environment": task.environment} if task.environment else {}),
        **({"entrypoint": task.entrypoint} if task.entrypoint else {}),
        "inputs": _ports_json(task.inputs),
        "outputs": _ports_json(task.outputs),
    }


def _graph_json(graph: Graph) -> dict[str, Any]:
    return {
        "inputs": list(graph.inputs),
        "steps": [_step_json(step) for step in graph.steps],
        "outputs": _bound_json(graph.outputs),
    }


def _step_json(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        **({"template": step.template} if step.template else {}),
        **_call_json(step.call),
        "inputs": _bound_json(step.inputs),
        "depends": list(step.depends),
    }


def _bound_json(bound: tuple[tuple[str, Binding], ...]) -> dict[str, Any]:
    return {name: bindings.to_json(binding) for name, binding in bound}


def _call_json(call: Call) -> dict[str, Any]:
    match call:
        case TaskCall(task):
            return {"task": task}
        case GraphCall(graph):
            return {"graph": graph}
        case MapCall(item, over, outputs):
            return {"map": {**_call_json(item), "over": list(over), "outputs": list(outputs)}}
        case BranchCall(cases, otherwise):
            found: dict[str, Any] = {"cases": [{"name": c.name, "when": c.when, "graph": c.graph} for c in cases]}
            return {"branch": found | ({"otherwise": otherwise.graph} if otherwise else {})}
        case _:
            assert_never(call)


# Reading


def from_text(text: str) -> Plan:
    """Return the plan of its stored text; see `from_json`."""
    if len(text) > MAX_TEXT:
        raise BadPlan(f"the revision's plan has {len(text)} characters; at most {MAX_TEXT} are read")
    try:
        return from_json(jsontext.parse(text))
    except InvalidValue as error:
        raise BadPlan(f"the revision's plan is malformed: {error}") from error


def from_json(found: object) -> Plan:
    """Return the plan of its stored form.

    Steps stand in an order in which they could run, and name only what exists.

    Raises:
        BadPlan: with what is wrong.
    """
    try:
        plan = _plan(_map(found))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadPlan(f"the revision's plan is malformed: {type(error).__name__} {error}") from error
    if plan.entrypoint not in plan.graphs:
        raise BadPlan(f"the revision's plan has no graph {plan.entrypoint!r}")
    for name, graph in plan.graphs.items():
        _check(plan, name, graph)
    return plan


def _plan(found: dict[str, Any]) -> Plan:
    if found["v"] != VERSION or type(found["v"]) is not int:
        raise BadPlan(f"the revision's plan has version {found['v']!r:.40}; this version of alula knows {VERSION}")
    graphs = _map(found["graphs"])
    steps = sum(len(graph["steps"]) for graph in graphs.values())
    if len(graphs) > MAX_GRAPHS or steps > MAX_STEPS:
        most = f"at most {MAX_GRAPHS} graphs and {MAX_STEPS} steps are read"
        raise BadPlan(f"the revision's plan has {len(graphs)} graphs and {steps} steps; {most}")
    return Plan(
        {_text(name): _graph(graph) for name, graph in graphs.items()},
        _text(found["entrypoint"]),
        {_text(name): _task(task) for name, task in found["tasks"].items()},
        tuple(
            Input(_text(each["name"]), _map(each["type"]), _optional(each.get("default")), _optional(each.get("fixed")))
            for each in found["inputs"]
        ),
        tuple(_ports(found["outputs"]).items()),
        _text(found["template"]),
    )


def _task(found: Any) -> Task:
    return Task(
        _text(found["key"]),
        _optional(found.get("version")),
        _text(found["interface"]),
        _ports(found["inputs"]),
        _ports(found["outputs"]),
        _text(found.get("environment", "")),
        _text(found.get("entrypoint", "")),
    )


def _ports(found: Any) -> dict[str, Schema]:
    return {_text(each["name"]): _map(each["type"]) for each in found}


def _graph(found: Any) -> Graph:
    return Graph(_texts(found["inputs"]), tuple(map(_step, found["steps"])), _bound(found["outputs"]))


def _step(found: Any) -> Step:
    return Step(
        _text(found["name"]),
        _call(_map(found)),
        _bound(found["inputs"]),
        _texts(found["depends"]),
        _text(found.get("template", "")),
    )


def _call(found: dict[str, Any]) -> Call:
    kind, inner = _kind(found, ("task", "graph", "map", "branch"))
    if kind == "map":
        item, over = _one(*_kind(inner, ("task", "graph"))), _texts(inner["over"])
        if not over:
            raise ValueError("a map must have a list to go over")
        return MapCall(item, over, _texts(inner["outputs"]))
    if kind == "branch":
        cases = tuple(Case(_text(one["name"]), _text(one["when"]), _text(one["graph"])) for one in inner["cases"])
        return BranchCall(cases, GraphCall(_text(inner["otherwise"])) if "otherwise" in inner else None)
    return _one(kind, inner)


def _kind(found: Any, allowed: tuple[str, ...]) -> tuple[str, Any]:
    kinds = [kind for kind in allowed if kind in _map(found)]
    if len(kinds) != 1:
        raise ValueError(f"a step must have exactly one of {', '.join(allowed)}, not {' and '.join(kinds) or 'none'}")
    return kinds[0], found[kinds[0]]


def _one(kind: str, name: Any) -> TaskCall | GraphCall:
    return TaskCall(_text(name)) if kind == "task" else GraphCall(_text(name))


def _bound(found: Any) -> tuple[tuple[str, Binding], ...]:
    return tuple((_text(name), bindings.from_json(binding)) for name, binding in _map(found).items())


def _check(plan: Plan, name: str, graph: Graph) -> None:
    """Steps are in an order in which they could run and name what exists; a plan that is not so is not walked."""
    before: set[str] = set()
    for step in graph.steps:
        where = f"step {step.name!r} of graph {name!r}"
        call = step.call.item if isinstance(step.call, MapCall) else step.call
        if isinstance(call, TaskCall) and call.task not in plan.tasks:
            raise BadPlan(f"{where} calls the task {call.task!r}, which is not there")
        for called in called_graphs(call):
            if called not in plan.graphs:
                raise BadPlan(f"{where} calls the graph {called!r}, which is not there")
        if step.name in before or not before.issuperset(step.depends):
            raise BadPlan(f"{where} is out of order")
        if not _inputs_called(step.call).issubset(given for given, _ in step.inputs):
            raise BadPlan(f"{where} lacks an input that decides what it runs")
        _check_read(where, step.inputs, graph, set(step.depends))
        before.add(step.name)
    _check_read(f"an output of graph {name!r}", graph.outputs, graph, before)


def _inputs_called(call: Call) -> set[str]:
    if isinstance(call, MapCall):
        return set(call.over)
    return {case.when for case in call.cases} if isinstance(call, BranchCall) else set()


def _check_read(where: str, bound: tuple[tuple[str, Binding], ...], graph: Graph, nodes: set[str]) -> None:
    inputs = set(graph.inputs)
    for _, binding in bound:
        for leaf in bindings.leaves(binding):
            if isinstance(leaf, bindings.FromInput) and leaf.input not in inputs:
                raise BadPlan(f"{where} reads the input {leaf.input!r}, which is not there")
            if isinstance(leaf, bindings.FromNode) and leaf.node not in nodes:
                raise BadPlan(f"{where} reads {leaf.node!r}, which need not be finished before it")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.60} is not text")
    return value


def _texts(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise TypeError(f"{values!r:.60} is not a list")
    return tuple(map(_text, values))


def _optional(value: object) -> str | None:
    return None if value is None else _text(value)


def _map(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r:.60} is not an object")
    return value
