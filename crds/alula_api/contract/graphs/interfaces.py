"""What a call takes and gives: the one place that says it for every kind of call.

Asked by the compiler's checks, by what compares values with types, and by what binds the inputs of a node. A call of
something that is not there has no interface.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from alula_api.contract import families
from alula_api.contract.families import Schema
from alula_api.contract.graphs import calls
from alula_api.contract.graphs.calls import BranchCall, Call, GraphCall, MapCall, RepeatCall, TaskCall
from alula_api.contract.graphs.specs import GraphSpec, Port, TaskSpec


@dataclass(frozen=True)
class Interface:
    """Inputs and outputs by name."""

    inputs: Mapping[str, Port]
    outputs: Mapping[str, Schema]


class Interfaces:
    """Those of all calls of these tasks and graphs."""

    def __init__(self, tasks: Iterable[TaskSpec], graphs: Iterable[GraphSpec]) -> None:
        self._tasks = {task.name: _declared(task) for task in tasks}
        self._graphs = {graph.name: _declared(graph) for graph in graphs}

    def of(self, call: Call) -> Interface | None:
        """Return the interface of a call, or None when it runs a task or graph that is not there."""
        match call:
            case TaskCall(task):
                return self._tasks.get(task)
            case GraphCall(graph):
                return self._graphs.get(graph)
            case MapCall():
                return self._map(call)
            case BranchCall():
                return self._branch(call)
            case RepeatCall():
                return self._repeat(call)
            case _:
                assert_never(call)

    def _map(self, call: MapCall) -> Interface | None:
        """As of its item, with lists of what it goes over and of what it makes."""
        item = self.of(call.item)
        if item is None:
            return None
        inputs = {
            name: Port(name, list_of(port.type), description=port.description) if name in call.over else port
            for name, port in item.inputs.items()
        }
        made = {name: item.outputs[name] for name in call.outputs if name in item.outputs}
        if call.is_tolerant:
            made = {name: or_none(schema) for name, schema in made.items()}
        return Interface(inputs, {name: list_of(schema) for name, schema in made.items()})

    def _branch(self, call: BranchCall) -> Interface | None:
        """All that its branches and conditions need; the outputs are those of each of its branches."""
        branches = [self._graphs.get(graph) for graph in calls.graphs(call)]
        known = [each for each in branches if each is not None]
        if len(known) < len(branches) or not known:
            return None
        inputs = {name: Port(name, schema) for name, schema in call.reads}
        for branch in known:
            inputs |= {name: replace(port, default=None) for name, port in branch.inputs.items()}
        return Interface(inputs, agreed([branch.outputs for branch in known]))

    def _repeat(self, call: RepeatCall) -> Interface | None:
        """As of its step, and what only its condition reads."""
        step = self.of(call.step)
        if step is None:
            return None
        read = {each.name: Port(each.name, each.type) for each in call.watched if not each.output}
        made = {name: step.outputs[name] for name in call.outputs if name in step.outputs}
        return Interface({**read, **step.inputs}, made)


def agreed(branches: Iterable[Mapping[str, Schema]]) -> dict[str, Schema]:
    """Return the outputs of a conditional: those of its first branch, typed by the first one that can end."""
    first, *others = branches
    found = dict(first)
    for name, schema in first.items():
        if families.family(schema) == "never":
            ends = (each[name] for each in others if name in each and families.family(each[name]) != "never")
            found[name] = next(ends, schema)
    return found


def list_of(item: Schema) -> Schema:
    """Return the type of a list of such items; what they refer to stands at its root."""
    inner = {key: value for key, value in item.items() if key != "$defs"}
    return {"type": "array", "items": inner, **({"$defs": item["$defs"]} if "$defs" in item else {})}


def or_none(schema: Schema) -> Schema:
    """Return the type of a value of this one, or None."""
    inner = {key: value for key, value in schema.items() if key != "$defs"}
    variants = inner["anyOf"] if set(inner) == {"anyOf"} else [inner]
    if NULL in variants:
        return schema
    return {"anyOf": [*variants, NULL], **({"$defs": schema["$defs"]} if "$defs" in schema else {})}


NULL: Schema = {"type": "null"}
"""The type of None."""


def _declared(called: TaskSpec | GraphSpec) -> Interface:
    return Interface({port.name: port for port in called.inputs}, {each.name: each.type for each in called.outputs})
