"""How far the maps of a run are: their items, counted by map. Kept by what shows a run, at O(1) an event."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from alula.progress.reports import NodeReport

MOST: Final = 10
"""Items of a map that are shown one by one."""
_INDEX = re.compile(r"\(\d+\)")
_LAST = re.compile(r"\(\d+\)[^()]*$")


@dataclass
class Group:
    """The items of a map, or one task in each of them.

    Attributes:
        name: `score`, or `station(i).measure` for a task of a workflow that is mapped.
        over: How many have come to their end.
        cached: How many of those the cache answered.
        failed: How many failed.
        running: Those that run now, by id.
        nodes: All that have begun.
    """

    name: str
    over: int = 0
    cached: int = 0
    failed: int = 0
    running: dict[str, NodeReport] = field(default_factory=dict)
    nodes: dict[str, NodeReport] = field(default_factory=dict)
    _items: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many there are; of maps inside a map those of the ones that have begun."""
        return sum(self._items.values())

    @property
    def folds(self) -> bool:
        """Whether they are shown in one line."""
        return self.total > MOST

    @property
    def progress(self) -> str:
        """`17/200`."""
        return f"{self.over}/{self.total}"

    def see(self, node: NodeReport) -> None:
        """Take note of one of them."""
        self.nodes[node.id] = node
        self._items[map_of(node.id)] = node.items


def map_of(id: str) -> str:
    """The id of the innermost map in which a node lies; its own outside of maps."""
    return _LAST.sub("", id)


class Items:
    """The groups of a run, by name."""

    def __init__(self) -> None:
        self.groups: dict[str, Group] = {}

    def started(self, node: NodeReport) -> Group | None:
        """An attempt at a node starts; returns its group, None where it is in no map."""
        group = self._group(node)
        if group is not None:
            group.running[node.id] = node
        return group

    def finished(self, node: NodeReport) -> Group | None:
        """A node has come to its end; returns its group likewise."""
        group = self._group(node)
        if group is not None:
            group.running.pop(node.id, None)
            group.over += node.stands_for
            group.cached += node.stands_for * (node.state == "cached")
            group.failed += node.failed or node.state == "failed"
        return group

    def _group(self, node: NodeReport) -> Group | None:
        if not node.items:
            return None
        name = _INDEX.sub("(i)", node.id).removesuffix("(i)")
        group = self.groups.get(name)
        if group is None:
            group = self.groups[name] = Group(name)
        group.see(node)
        return group
