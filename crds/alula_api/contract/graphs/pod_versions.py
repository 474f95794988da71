"""Which version of the pod's contract a workflow needs: the first one that knows all that its graphs ask of pods.

The emitting SDK writes it into the resource, and the compiler refuses a resource that says less.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from alula_api.contract import pods
from alula_api.contract.graphs import bindings, calls
from alula_api.contract.graphs.bindings import FromInput
from alula_api.contract.graphs.specs import GraphSpec, NodeSpec

USES: Final = {
    pods.BATCHES: "it maps in batches",
    pods.EACH: "a mapped workflow decides by a part of its own item",
}
"""What of a workflow needs a version."""


def needed(graphs: Sequence[GraphSpec]) -> int:
    """Return the version that the graphs of a workflow need."""
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


def _readers(graph: GraphSpec) -> dict[str, list[tuple[NodeSpec, str]]]:
    """For each input of a graph the nodes that read it, each with its own input that does."""
    found: dict[str, list[tuple[NodeSpec, str]]] = {}
    for node in graph.nodes:
        for name, binding in node.inputs:
            for leaf in bindings.leaves(binding):
                if isinstance(leaf, FromInput):
                    found.setdefault(leaf.input, []).append((node, name))
    return found
