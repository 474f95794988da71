"""Which tasks of a local run a node of Argo's stands for."""

from __future__ import annotations

from collections.abc import Collection

from alula.remote import outline as outlines


def tasks(outline: outlines.Outline, path: str, known: Collection[str]) -> set[str]:
    """The tasks, as a local run calls them, of the node at a path: those of a batch are one node.

    Args:
        outline: Of the Workflow.
        path: Of the node, below the run's name, without the number of an attempt.
        known: All tasks that ran, which say how long a map's list is.
    """
    found = outline.id(path)
    group = found.rpartition("(")[0]
    first, count = outline.items_of(found, sum(each.rpartition("(")[0] == group for each in known))
    return {found} if first is None else {f"{group}({number})" for number in range(first, first + count)}


def is_batch(outline: outlines.Outline, path: str) -> bool:
    """Whether the node at a path is a batch of items."""
    return outline.items_of(outline.id(path), 1)[0] is not None
