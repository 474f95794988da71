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
    nodes = {graph.name: graph.nodes for graph in graphs}
    mapped = [
        (item, name)
        for graph in graphs
        for node in graph.nodes
        for item in calls.graphs(node.call)
        for name in calls.over(node.call)
    ]
    own: set[tuple[str, str]] = set()
    while mapped:
        place = mapped.pop()
        if place in own:
            continue
        own.add(place)
        graph, item = place
        for node in nodes.get(graph, ()):
            reading = _reading(node, item)
            if reading.intersection(calls.deciding(node.call)):
                return True
            mapped += ((called, name) for called in calls.graphs(node.call) for name in reading)
    return False


def _reading(node: NodeSpec, item: str) -> set[str]:
    """The inputs of a node that read an input of its graph."""
    return {
        name
        for name, binding in node.inputs
        if any(isinstance(leaf, FromInput) and leaf.input == item for leaf in bindings.leaves(binding))
    }
