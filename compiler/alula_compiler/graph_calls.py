"""Which graphs call which, and how much that makes in a whole run. Without recursion; the callers say when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from alula_api.contract import names
from alula_api.contract.graphs import calls
from alula_api.contract.graphs.specs import GraphSpec


def between(graphs: Sequence[GraphSpec]) -> dict[str, tuple[str, ...]]:
    """Return, for each graph, the graphs that its nodes call, each once."""
    known = {graph.name for graph in graphs}
    return {graph.name: tuple(dict.fromkeys(name for name in _called(graph) if name in known)) for graph in graphs}


def order(called: Mapping[str, Sequence[str]], start: str = names.MAIN) -> list[str]:
    """Return the graphs that `start` reaches, each after those it calls. There must be no circle."""
    found: dict[str, None] = {}
    stack = [(start, iter(called[start]))]
    while stack:
        name, rest = stack[-1]
        following = next((one for one in rest if one not in found), None)
        if following is None:
            found[name] = None
            stack.pop()
        else:
            stack.append((following, iter(called[following])))
    return list(found)


def nodes_in_run(graphs: Mapping[str, GraphSpec], in_order: Sequence[str]) -> dict[str, int]:
    """Return how many calls one call of each graph makes at most, those of inner graphs and of rounds each time."""
    counts: dict[str, int] = {}
    for name in in_order:
        counts[name] = len(graphs[name].nodes)
        for node in graphs[name].nodes:
            rounds = calls.most_rounds(node.call)
            counts[name] += rounds * sum(counts[called] for called in calls.graphs(node.call))
            counts[name] += rounds if rounds > 1 else 0
    return counts


def missing(graphs: Sequence[GraphSpec]) -> bool:
    """Tell whether some node calls a graph that is not there."""
    known = {graph.name for graph in graphs}
    return any(name not in known for graph in graphs for name in _called(graph))


def depths(called: Mapping[str, Sequence[str]], in_order: Sequence[str]) -> dict[str, int]:
    """Return how many levels of graphs lie in each graph, itself included."""
    found: dict[str, int] = {}
    for name in in_order:
        found[name] = 1 + max((found[one] for one in called[name]), default=0)
    return found


def _called(graph: GraphSpec) -> Iterator[str]:
    return (name for node in graph.nodes for name in calls.graphs(node.call))
