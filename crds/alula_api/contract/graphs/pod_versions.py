"""Which version of the pod's contract a workflow needs: the first one that knows all that its graphs ask of pods.

The emitting SDK writes it into the resource, and the compiler refuses a resource that says less.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from alula_api.contract import pods
from alula_api.contract.graphs import bindings, calls
from alula_api.contract.graphs.bindings import Binding, FromInput, FromNode
from alula_api.contract.graphs.specs import GraphSpec, NodeSpec

USES: Final = {
    pods.BATCHES: "it maps in batches",
    pods.EACH: "a mapped workflow decides by a part of its own item",
    pods.NESTED: "a mapped workflow returns the list of a map in it",
}
"""What of a workflow needs a version."""


def needed(graphs: Sequence[GraphSpec]) -> int:
    """Return the version that the graphs of a workflow need."""
    if _return_lists(graphs):
        return pods.NESTED
    if _decide_by_items(graphs):
        return pods.EACH
    batched = any(calls.is_batched(node.call) for graph in graphs for node in graph.nodes)
    return pods.BATCHES if batched else pods.VERSION


def _decide_by_items(graphs: Sequence[GraphSpec]) -> bool:
    """Whether a condition, a map or a repeat in a mapped graph reads the graph's own item, or a part of it."""
    mapped = [
        (item, name)
        for graph in graphs
        for node in graph.nodes
        for item in calls.graphs(node.call)
        for name in calls.over(node.call)
    ]
    readers = {graph.name: _readers(graph) for graph in graphs if mapped and graph.inputs}
    own: set[tuple[str, str]] = set()
    while mapped:
        place = mapped.pop()
        if place in own:
            continue
        own.add(place)
        graph, item = place
        for node, name in readers.get(graph, {}).get(item, ()):
            if name in calls.deciding(node.call):
                return True
            mapped += ((called, name) for called in calls.graphs(node.call))
    return False


def _return_lists(graphs: Sequence[GraphSpec]) -> bool:
    """Whether a mapped graph returns a list that a map makes: in it, in what it runs, or in what passes it on."""
    mapped: list[tuple[str, str]] = [
        (item, output)
        for graph in graphs
        for node in graph.nodes
        for item in calls.graphs(node.call)
        for output in calls.listed(node.call)
    ]
    if not mapped:
        return False
    bound = {(graph.name, each.name): each.binding for graph in graphs for each in graph.outputs}
    nodes = {(graph.name, node.id): node.call for graph in graphs for node in graph.nodes}
    passed: dict[tuple[str, str], list[tuple[str, Binding]]] = {}
    for graph in graphs:
        for node in graph.nodes:
            for called in calls.graphs(node.call):
                for name, given in node.inputs:
                    passed.setdefault((called, name), []).append((graph.name, given))
    found = [(graph, bound[graph, output]) for graph, output in mapped if (graph, output) in bound]
    seen: set[tuple[str, Binding]] = set()
    while found:
        place = graph_name, binding = found.pop()
        if place in seen or bindings.path_of(binding):
            continue
        seen.add(place)
        if isinstance(binding, FromInput):
            found += passed.get((graph_name, binding.input), ())
        elif isinstance(binding, FromNode) and (graph_name, binding.node) in nodes:
            call = nodes[graph_name, binding.node]
            if binding.output in calls.listed(call):
                return True
            found += (
                (called, bound[called, binding.output])
                for called in calls.graphs(call)
                if (called, binding.output) in bound
            )
    return False


def _readers(graph: GraphSpec) -> dict[str, list[tuple[NodeSpec, str]]]:
    """For each input of a graph the nodes that read it, each with its own input that does."""
    found: dict[str, list[tuple[NodeSpec, str]]] = {}
    for node in graph.nodes:
        for name, binding in node.inputs:
            for leaf in bindings.leaves(binding):
                if isinstance(leaf, FromInput):
                    found.setdefault(leaf.input, []).append((node, name))
    return found
