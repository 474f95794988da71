"""What a run takes at its peak, estimated from its graph, and the pools that it needs: what the domain's queue counts.

Nodes that lie equally deep are counted as running together; of a map as many items as may run at one time (one, where
it does not say), and of a conditional the dearest branch, resource by resource. An estimate, never a guarantee. Called
by `argo.objects`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from alula_api.contract import names, quantities
from alula_api.contract.graphs import calls
from alula_api.contract.graphs.calls import Call
from alula_api.contract.graphs.specs import GraphSpec, TaskSpec
from alula_compiler import graph_calls, order
from alula_compiler.program import Program

Need = dict[str, int]
"""Amounts by the name of the resource, in `quantities.ONE`s."""


def peak(program: Program) -> dict[str, str]:
    """Return what a run requests at its peak, as quantities; empty where no task requests anything."""
    needs = {task.name: _requests(task) for task in program.tasks}
    graphs = {graph.name: graph for graph in program.graphs}
    found: dict[str, Need] = {}
    for name in graph_calls.order(graph_calls.between(program.graphs)):
        found[name] = _graph(graphs[name], needs, found)
    return {name: quantities.text(name, amount) for name, amount in sorted(found[names.MAIN].items()) if amount}


def pools(program: Program) -> tuple[str, ...]:
    """Return the pools that some task of a run takes a place in."""
    return tuple(sorted({task.pool for task in program.tasks if task.pool}))


def _requests(task: TaskSpec) -> Need:
    """The most that an attempt asks for. A limit stands for a request that is absent, as in Kubernetes."""
    most = task.most
    asked = {**most.limits, **most.requests}
    return {name: quantities.amount(text) or 0 for name, text in asked.items()}


def _graph(graph: GraphSpec, tasks: Mapping[str, Need], graphs: Mapping[str, Need]) -> Need:
    ordered = order.ordered(graph.nodes)
    depths = order.levels(order.dependencies(ordered))
    together: dict[int, Counter[str]] = {}
    for node in ordered:
        together.setdefault(depths[node.id], Counter()).update(_call(node.call, tasks, graphs))
    return _most(together.values())


def _call(call: Call, tasks: Mapping[str, Need], graphs: Mapping[str, Need]) -> Need:
    sides = [tasks[part.task] if isinstance(part, calls.TaskCall) else graphs[part.graph] for part in calls.parts(call)]
    return {name: amount * calls.at_once(call) for name, amount in _most(sides).items()}


def _most(needs: Iterable[Mapping[str, int]]) -> Need:
    found: Need = {}
    for need in needs:
        for name, amount in need.items():
            found[name] = max(amount, found.get(name, 0))
    return found
