"""What a plan means, computed the plain way: every graph from its first step to its last, by recursion.

A task makes a number of what it gets, so that any other order of values gives another result. It serves as the measure
for the walk and for everything that is built on it.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from alula_api.contract import jsontext
from alula_api.contract.graphs import bindings, conditions, plans
from alula_api.contract.graphs.bindings import UNKNOWN, FirstOf, FromNode
from alula_api.contract.graphs.calls import BranchCall, GraphCall, MapCall, RepeatCall, TaskCall

DONE, FAILED, NOT_TAKEN, SKIPPED = "done", "failed", "not taken", "skipped"


def made(task: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs of a task."""
    return {"o0": zlib.crc32(jsontext.dumps_sorted([task, dict(inputs)]).encode())}


@dataclass
class Meaning:
    """What each task gets, the state of each step, and the outputs of the run where it is done."""

    inputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    state: str = ""


def interpret(plan: plans.Plan, inputs: Mapping[str, Any], failing: Collection[str] = ()) -> Meaning:
    """The meaning of a plan whose tasks at the paths `failing` fail, where everything else still runs."""
    reader = _Reader(plan, failing)
    reader.meaning.state, reader.meaning.outputs = reader.graph(plan.entrypoint, inputs, "")
    return reader.meaning


@dataclass
class _Scope:
    inputs: Mapping[str, Any]
    outputs: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def input(self, name: str) -> Any:
        return self.inputs.get(name, UNKNOWN)

    def output(self, node: str, output: str) -> Any:
        return self.outputs.get(node, {}).get(output, UNKNOWN)


class _Reader:
    def __init__(self, plan: plans.Plan, failing: Collection[str]) -> None:
        self.plan, self.failing, self.meaning = plan, failing, Meaning()

    def graph(self, name: str, inputs: Mapping[str, Any], prefix: str) -> tuple[str, dict[str, Any]]:
        graph, scope, states = self.plan.graphs[name], _Scope(inputs), dict[str, str]()
        for step in graph.steps:
            path = prefix + step.name
            states[step.name], scope.outputs[step.name] = self._step(step, path, scope, states)
            self.meaning.states[path] = states[step.name]
        for bad in (FAILED, SKIPPED):
            if bad in states.values():
                return bad, {}
        found = {port: bindings.evaluate(binding, scope) for port, binding in graph.outputs}
        return DONE, {port: value for port, value in found.items() if value is not UNKNOWN}

    def _step(
        self, step: plans.Step, path: str, scope: _Scope, states: Mapping[str, str]
    ) -> tuple[str, Mapping[str, Any]]:
        if any(states[name] in (FAILED, SKIPPED) for name in step.depends):
            return SKIPPED, {}
        inputs = {name: bindings.evaluate(binding, scope) for name, binding in step.inputs}
        several = [leaf for _, binding in step.inputs if isinstance(binding, FirstOf) for leaf in binding.leaves]
        choices = {leaf.node for leaf in several if isinstance(leaf, FromNode)}
        needed = any(states[name] == NOT_TAKEN and name not in choices for name in step.depends)
        if needed or UNKNOWN in inputs.values():
            return NOT_TAKEN, {}
        match step.call:
            case MapCall(item, over, outputs):
                lists = [inputs[name] for name in over]
                each = [
                    self._run(item, {**inputs, **dict(zip(over, items, strict=True))}, f"{path}({i})")
                    for i, items in enumerate(zip(*lists, strict=True))
                ]
                bad = [state for state, _ in each if state != DONE]
                if bad:
                    return FAILED if FAILED in bad else SKIPPED, {}
                return DONE, {name: [made.get(name) for _, made in each] for name in outputs}
            case RepeatCall(item, until, most, state, outputs, watched):
                (read,) = watched  # of these plans one output, compared with a constant
                given = {name: value for name, value in inputs.items() if name not in step.call.own}
                for number in range(1, most + 1):
                    ended, made = self._run(item, given, f"{path}.round-{number}")
                    self.meaning.states[f"{path}.round-{number}"] = ended
                    found = {read.name: made.get(read.output, UNKNOWN)}
                    if ended != DONE or conditions.holds(until, found, {read.name: read.type}):
                        break
                    given = {**given, **{name: made[output] for name, output in state}}
                for later in range(number + 1, most + 1):
                    self.meaning.states[f"{path}.round-{later}"] = NOT_TAKEN if ended == DONE else SKIPPED
                return ended, {name: made[name] for name in outputs if name in made}
            case BranchCall(cases, otherwise):
                for case in cases:
                    if inputs[conditions.text(case.when)] is True:  # of these plans a name alone
                        return self.graph(case.graph, inputs, f"{path}.{case.name}.")
                return self.graph(otherwise.graph, inputs, f"{path}.else.") if otherwise else (NOT_TAKEN, {})
            case TaskCall() | GraphCall():
                return self._run(step.call, inputs, path)

    def _run(self, call: TaskCall | GraphCall, inputs: Mapping[str, Any], path: str) -> tuple[str, dict[str, Any]]:
        if isinstance(call, GraphCall):
            return self.graph(call.graph, inputs, f"{path}.")
        self.meaning.inputs[path] = dict(inputs)
        return (FAILED, {}) if path in self.failing else (DONE, made(call.task, inputs))
