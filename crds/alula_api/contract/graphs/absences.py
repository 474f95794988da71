"""Which nodes of a graph need not be taken, so that no output may hang on them. Asked by the SDK and the compiler."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from alula_api.contract.graphs import calls
from alula_api.contract.graphs.bindings import Binding, FromNode, leaves
from alula_api.contract.graphs.calls import Call

Nodes: TypeAlias = Iterable[tuple[str, Call, Iterable[str]]]


def because(nodes: Nodes) -> dict[str, str]:
    """Return the ids of the nodes that need not be taken, each with that of the conditional because of which.

    Args:
        nodes: The id of each, what it does, and the ids of those that it depends on; in an order in which they could
            run.
    """
    absent: dict[str, str] = {}
    for id, call, depends in nodes:
        before = next((absent[name] for name in depends if name in absent), "")
        if before or calls.is_optional(call):
            absent[id] = before or id
    return absent


def problems(nodes: Nodes, outputs: Iterable[tuple[str, Binding]]) -> Iterator[tuple[str, str, str]]:
    """Yield each output of a graph that need not be there, the node that makes it, and why.

    Args:
        nodes: As `because` takes them.
        outputs: The name of each, and its binding.
    """
    absent = because(nodes)
    for name, binding in outputs:
        for leaf in leaves(binding):
            if isinstance(leaf, FromNode) and leaf.node in absent:
                why = f"`{leaf.node}` need not be taken, because `{absent[leaf.node]}` has no last branch"
                yield name, leaf.node, why
