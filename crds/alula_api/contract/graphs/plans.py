"""The plan of a revision: the graphs of a workflow as they were compiled, and what is needed to check and look up runs.

The compiler makes it, a `WorkflowRevision` keeps it for years, and the controller walks it for every run; the local
runner and the outline of a remote run make plans of their own and store them nowhere. Both halves of its stored form
are here, pinned by the golden vectors. What is read may be of anybody's making: whatever is malformed is a `BadPlan`.

Version 1 binds every input of every step. Version 2, written where it says something, keeps a task's defaults with the
task, and leaves them out of the steps: a default of 60 KB that 1,000 steps take is written once. Version 3, written
where a map is in batches, knows these: to a reader who did not, a batch would be an item. Version 4 knows what is
published of a part of each item, and version 5 lists of maps that are items of lists. Each version reads
those before it, for as long as a revision that has one can be admitted or recovered; it may add kinds of calls and
members, and members that it does not write any more keep their meaning.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast, get_args

from alula_api.contract import jsontext, lists, names
from alula_api.contract.events import Event
from alula_api.contract.families import Schema
from alula_api.contract.graphs import bindings, calls, json_fields
from alula_api.contract.graphs.bindings import Binding
from alula_api.contract.graphs.calls import Call
from alula_api.contract.graphs.comparables import Form, Part
from alula_api.contract.problems import InvalidValue

VERSION: Final = 5
MAX_TEXT: Final = 1 << 20
"""Characters of a stored plan; etcd takes no object larger than that."""
MAX_GRAPHS: Final = 10_000
MAX_STEPS: Final = 20_000
"""Steps of all graphs together."""
MAX_INPUTS: Final = 200_000
"""Inputs of all steps together."""


class BadPlan(Exception):
    """The stored plan is not one that this version understands; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Step:
    """One node of a graph.

    Attributes:
        name: Unique in its graph.
        call: What it does.
        inputs: A binding for each input; nothing takes a default any more.
        depends: The steps that must be finished first; those that the bindings read are among them.
        template: The compiled template that Argo's node has; empty where nothing is compiled.
        item: Likewise of an item of a map, where that is not called like the task or graph that it runs.
    """

    name: str
    call: Call
    inputs: tuple[tuple[str, Binding], ...] = ()
    depends: tuple[str, ...] = ()
    template: str = ""
    item: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    """Steps in an order in which they could run, and where the outputs come from.

    Attributes:
        template: The compiled template, where that is not called like the graph.
    """

    inputs: tuple[str, ...]
    steps: tuple[Step, ...]
    outputs: tuple[tuple[str, Binding], ...] = ()
    template: str = ""


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
        defaults: Canonical JSON texts of inputs that steps may leave out. In memory every step has them.
        parts: What it publishes beside its outputs.
    """

    key: str
    version: str | None
    interface: str
    inputs: Mapping[str, Schema]
    outputs: Mapping[str, Schema]
    environment: str = ""
    entrypoint: str = ""
    defaults: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()


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
        parts: What `admit` publishes beside the inputs.
        event: What a run that an event started gets of it; None where none does.
    """

    graphs: Mapping[str, Graph]
    entrypoint: str = names.MAIN
    tasks: Mapping[str, Task] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    outputs: tuple[tuple[str, Schema], ...] = ()
    template: str = ""
    parts: tuple[Part, ...] = ()
    event: Event | None = None


# Writing


def to_json(plan: Plan) -> dict[str, Any]:
    """Return the stored form."""
    return {
        "v": _version(plan),
        "template": plan.template,
        "entrypoint": plan.entrypoint,
        "inputs": [_input_json(each) for each in plan.inputs],
        **_parts_json(plan.parts),
        **({"event": json_fields.to_json(plan.event)} if plan.event else {}),
        "outputs": _ports_json(dict(plan.outputs)),
        "tasks": {name: _task_json(task) for name, task in plan.tasks.items()},
        "graphs": {name: _graph_json(graph, plan.tasks) for name, graph in plan.graphs.items()},
    }


def _version(plan: Plan) -> int:
    found = [step.call for graph in plan.graphs.values() for step in graph.steps]
    if any(map(calls.makes_lists_of_lists, found)):
        return 5
    if any(map(calls.hands_out_parts, found)):
        return 4
    if any(map(calls.is_batched, found)):
        return 3
    return 2 if any(task.defaults for task in plan.tasks.values()) else 1


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
        **({"defaults": dict(task.defaults)} if task.defaults else {}),
        **_parts_json(task.parts),
    }


def _parts_json(parts: tuple[Part, ...]) -> dict[str, Any]:
    return {"parts": [_part_json(part) for part in parts]} if parts else {}


def _part_json(part: Part) -> dict[str, Any]:
    form = {"form": part.form} if part.form != "scalar" else {}
    size = {"size": part.size} if part.form == "batches" else {}
    each = {"each": [list(path) for path in part.each]} if part.each else {}
    return {"name": part.name, "of": part.source, "path": list(part.path), **form, **size, **each}


def _graph_json(graph: Graph, tasks: Mapping[str, Task]) -> dict[str, Any]:
    return {
        "inputs": list(graph.inputs),
        "steps": [_step_json(step, _defaults(step.call, tasks)) for step in graph.steps],
        "outputs": _bound_json(graph.outputs),
        **({"template": graph.template} if graph.template else {}),
    }


def _defaults(call: Call, tasks: Mapping[str, Task]) -> Mapping[str, str]:
    """The defaults that a step may leave out: those of the task that it runs."""
    return {port: text for name in calls.tasks(call) if name in tasks for port, text in tasks[name].defaults.items()}


def _step_json(step: Step, defaults: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": step.name,
        **({"template": step.template} if step.template else {}),
        **({"item": step.item} if step.item else {}),
        **calls.to_json(step.call, lambda schema: schema),
        "inputs": {
            name: bindings.to_json(binding)
            for name, binding in step.inputs
            if not (isinstance(binding, bindings.Constant) and binding.text == defaults.get(name))
        },
        "depends": list(step.depends),
    }


def _bound_json(bound: tuple[tuple[str, Binding], ...]) -> dict[str, Any]:
    return {name: bindings.to_json(binding) for name, binding in bound}


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
    if type(found["v"]) is not int or not 1 <= found["v"] <= VERSION:
        raise BadPlan(f"the revision's plan has version {found['v']!r:.40}; this version of alula knows 1 to {VERSION}")
    graphs = _map(found["graphs"])
    steps = sum(len(graph["steps"]) for graph in graphs.values())
    if len(graphs) > MAX_GRAPHS or steps > MAX_STEPS:
        most = f"at most {MAX_GRAPHS} graphs and {MAX_STEPS} steps are read"
        raise BadPlan(f"the revision's plan has {len(graphs)} graphs and {steps} steps; {most}")
    tasks = {_text(name): _task(task) for name, task in found["tasks"].items()}
    filler = _Filler(tasks)
    return Plan(
        {_text(name): _graph(graph, filler) for name, graph in graphs.items()},
        _text(found["entrypoint"]),
        tasks,
        tuple(
            Input(_text(each["name"]), _map(each["type"]), _optional(each.get("default")), _optional(each.get("fixed")))
            for each in found["inputs"]
        ),
        tuple(_ports(found["outputs"]).items()),
        _text(found["template"]),
        _parts(found, {each["name"] for each in found["inputs"]}),
        json_fields.from_json(Event, found["event"]) if "event" in found else None,
    )


def _parts(found: dict[str, Any], sources: Collection[str]) -> tuple[Part, ...]:
    parts = tuple(
        Part(
            _text(each["name"]),
            _text(each["of"]),
            _texts(each["path"]),
            _form(each.get("form", "scalar")),
            _size(each.get("size", lists.AUTO)),
            tuple(map(_texts, each.get("each", ()))),
        )
        for each in found.get("parts", ())
    )
    for part in parts:
        if part.source not in sources:
            raise ValueError(f"{part.name!r} is a part of {part.source!r}, which is not there")
    return parts


def _form(found: object) -> Form:
    if found not in get_args(Form):
        raise ValueError(f"{found!r:.60} is no form of a part")
    return cast("Form", found)


def _size(found: object) -> int:
    if type(found) is not int or not lists.AUTO <= found <= lists.MAX_BATCH:
        raise ValueError(f"{found!r:.60} is no size of a batch")
    return found


def _task(found: Any) -> Task:
    return Task(
        _text(found["key"]),
        _optional(found.get("version")),
        _text(found["interface"]),
        _ports(found["inputs"]),
        _ports(found["outputs"]),
        _text(found.get("environment", "")),
        _text(found.get("entrypoint", "")),
        {_text(name): _text(text) for name, text in _map(found.get("defaults", {})).items()},
        _parts(found, {each["name"] for each in found["outputs"]}),
    )


class _Filler:
    """Gives steps the defaults that they leave out, and counts what they have then: the text bounds it no more."""

    def __init__(self, tasks: Mapping[str, Task]) -> None:
        self._tasks = tasks
        self._constants = {
            name: {port: bindings.Constant(text) for port, text in task.defaults.items()}
            for name, task in tasks.items()
        }
        self._count = 0

    def filled(self, call: Call, given: tuple[tuple[str, Binding], ...]) -> tuple[tuple[str, Binding], ...]:
        """Return the inputs of a step: those given, and the defaults of the others."""
        for task in calls.tasks(call):
            given_names = {name for name, _ in given}
            defaults = self._constants.get(task, {}).items()
            given = (*given, *((name, constant) for name, constant in defaults if name not in given_names))
        self._count += len(given)
        if self._count > MAX_INPUTS:
            raise BadPlan(f"the revision's plan has steps with more than {MAX_INPUTS} inputs together")
        return given


def _ports(found: Any) -> dict[str, Schema]:
    return {_text(each["name"]): _map(each["type"]) for each in found}


def _graph(found: Any, filler: _Filler) -> Graph:
    steps = tuple(_step(step, filler) for step in found["steps"])
    return Graph(_texts(found["inputs"]), steps, _bound(found["outputs"]), _text(found.get("template", "")))


def _step(found: Any, filler: _Filler) -> Step:
    call = calls.from_json(_map(found), _map)
    return Step(
        _text(found["name"]),
        call,
        filler.filled(call, _bound(found["inputs"])),
        _texts(found["depends"]),
        _text(found.get("template", "")),
        _text(found.get("item", "")),
    )


def _bound(found: Any) -> tuple[tuple[str, Binding], ...]:
    return tuple((_text(name), bindings.from_json(binding)) for name, binding in _map(found).items())


def _check(plan: Plan, name: str, graph: Graph) -> None:
    """Steps are in an order in which they could run and name what exists; a plan that is not so is not walked."""
    before: set[str] = set()
    for step in graph.steps:
        where = f"step {step.name!r} of graph {name!r}"
        for task in calls.tasks(step.call):
            if task not in plan.tasks:
                raise BadPlan(f"{where} calls the task {task!r}, which is not there")
        for called in calls.graphs(step.call):
            if called not in plan.graphs:
                raise BadPlan(f"{where} calls the graph {called!r}, which is not there")
        if step.name in before or not before.issuperset(step.depends):
            raise BadPlan(f"{where} is out of order")
        if not set(calls.deciding(step.call)).issubset(given for given, _ in step.inputs):
            raise BadPlan(f"{where} lacks an input that decides what it runs")
        _check_read(where, step.inputs, graph, set(step.depends))
        before.add(step.name)
    _check_read(f"an output of graph {name!r}", graph.outputs, graph, before)


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
