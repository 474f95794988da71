"""The rounds of a repeat as a graph: what `walks` opens for one, and the names that its rounds have everywhere."""

from __future__ import annotations

import re
from collections.abc import Mapping

from alula_api.contract.graphs import bindings, calls, conditions
from alula_api.contract.graphs.bindings import FirstOf, FromInput, FromNode, MaybeValue, Scope
from alula_api.contract.graphs.calls import RepeatCall
from alula_api.contract.graphs.plans import Graph, Step

ANY = "round-(i)"
"""In an outline, what stands for the name of a round."""
_ROUND = re.compile(r"(?<=\.)round-[0-9]+(?=\.|$)")


def name(number: int) -> str:
    """Return what a round is called; the first one has the number 1."""
    return f"round-{number}"


def before(round_: str) -> str:
    """Return what the round before another one than the first is called."""
    return name(int(round_.rpartition("-")[2]) - 1)


def general(path: str) -> str:
    """Return a path with `ANY` in place of what may be a round."""
    return _ROUND.sub(ANY, path)


def graph(step: Step, call: RepeatCall) -> Graph:
    """Return the graph of a step's rounds: each waits for the one before, and the last that runs gives the outputs."""
    state, own = dict(call.state), call.own
    passed = [port for port, _ in step.inputs if port not in own]
    first = tuple((port, FromInput(port)) for port in passed)
    template = step.item or calls.name(call)
    steps = [Step(name(1), call.step, first, (), template)]
    for number in range(2, call.max + 1):
        last = name(number - 1)
        taken = tuple((port, FromNode(last, state[port]) if port in state else FromInput(port)) for port in passed)
        steps.append(Step(name(number), call.step, taken, (last,), template))
    outputs = ((each, FirstOf(tuple(FromNode(s.name, each) for s in reversed(steps)))) for each in call.outputs)
    return Graph(tuple(port for port, _ in step.inputs), tuple(steps), tuple(outputs))


def ended(call: RepeatCall, last: str, scope: Scope) -> bool | None:
    """Tell whether there is no other round after `last`; None where that hangs on what cannot be known here.

    Raises:
        InvalidValue: The condition cannot be asked of these values, or a path in one leads nowhere.
    """
    values: Mapping[str, MaybeValue] = {
        each.name: bindings.evaluate(
            FromNode(last, each.output, each.path) if each.output else FromInput(each.name), scope
        )
        for each in call.watched
    }
    return conditions.holds(call.until, values, {each.name: each.type for each in call.watched})
