"""The nodes that are being recorded: of the workflow, and of each part of it that is written in place.

Nodes of a part have internal ids that begin with the part's prefix, `deploy/then/fit`, so that two parts may have nodes
of one name; `bodies` takes the prefix away when the part becomes a graph of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from alula.graph import nodes, order
from alula_api.contract import names

if TYPE_CHECKING:
    from alula.graph.bodies import Lifting
    from alula.graph.nodes import Draft, Node
    from alula.graph.trace import Trace


class Composite(Protocol):
    """What has graphs of its own, which are written in place: a conditional."""

    def end(self) -> None:
        """All that belongs to the graph of this node is written, so the node is complete."""
        ...


class Scope:
    """The nodes of one graph.

    Args:
        prefix: With which their internal ids begin.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.ids = names.NodeIds()
        self.drafts: dict[str, Draft] = {}
        self.composites: list[Composite] = []

    def nodes(self, trace: Trace, lifting: Lifting | None = None) -> tuple[Node, ...] | None:
        """The nodes, in an order in which they could run; None for a circle, which is then among the problems.

        Args:
            trace: Of the workflow.
            lifting: Of a part: what its nodes read, as the part has it.
        """
        drafts = order.sort(trace, self.drafts)
        if drafts is None:
            return None
        return tuple(
            nodes.Node(
                id=draft.id.removeprefix(self.prefix),
                call=draft.call,
                called=draft.called,
                bindings={
                    name: lifting.binding(binding) if lifting is not None else binding
                    for name, binding in draft.bindings.items()
                },
                after=tuple(name.removeprefix(self.prefix) for name in trace.after.get(draft.id, ())),
                source=trace.source(draft.place),
            )
            for draft in drafts
        )
