"""What the nodes' keys were made of in the last run of a workflow, so that the next one can say what changed.

Kept in the store under `last/<workflow>.json`, in a form that is read in a few microseconds a node. It is a
convenience: what cannot be read counts as never written, and nothing that matters is decided by it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from alula.local.store.explain import Parts
from alula_data.errors import StoreError

if TYPE_CHECKING:
    from alula_data.stores.protocols import Store

VERSION = 1
MOST_SHOWN = 40
"""Characters of an input that are kept."""


def path(workflow: str) -> str:
    """Where the record of a workflow lies below the prefix."""
    return f"last/{workflow}.json"


class History:
    """The last runs of one workflow."""

    def __init__(self, tasks: list[list[Any]], nodes: dict[str, list[Any]]) -> None:
        self._tasks = tasks
        self._nodes = nodes

    def key(self, node: str) -> str:
        """The key that `node` had; empty when it was never seen."""
        found = self._nodes.get(node)
        return "" if found is None else found[1]

    def failed(self, node: str) -> bool:
        """Whether `node` had no result the last time."""
        found = self._nodes.get(node)
        return found is not None and found[3:] == [False]

    def parts(self, node: str) -> Parts | None:
        """What that key was made of."""
        try:
            task, key, inputs, _ = self._nodes[node]
            name, version, interface, environment, pinned = self._tasks[task]
            return Parts(
                key=key,
                task=name,
                version=version,
                interface=interface,
                environment=environment,
                pinned=pinned,
                inputs={name: part[0] for name, part in inputs.items()},
                shown={name: part[1] for name, part in inputs.items()},
                origins={name: part[2] for name, part in inputs.items() if part[2]},
            )
        except (KeyError, ValueError, IndexError, TypeError, AttributeError):
            return None

    def updated(self, now: Mapping[str, Parts], failed: Collection[str] = ()) -> History:
        """With what a run has seen; what earlier ones saw of nodes that it did not reach stays.

        Args:
            now: The parts of the nodes' keys.
            failed: Those of the nodes that have no result.
        """
        tasks = [*self._tasks]
        places = {json.dumps(task): place for place, task in enumerate(tasks)}
        nodes = dict(self._nodes)
        for node, parts in now.items():
            task = [parts.task, parts.version, parts.interface, parts.environment, parts.pinned]
            place = places.setdefault(json.dumps(task), len(tasks))
            if place == len(tasks):
                tasks.append(task)
            inputs = {
                name: [identity, parts.shown.get(name, ""), parts.origins.get(name, "")]
                for name, identity in parts.inputs.items()
            }
            nodes[node] = [place, parts.key, inputs, node not in failed]
        used = sorted({node[0] for node in nodes.values()})
        moved = {place: index for index, place in enumerate(used)}
        return History([tasks[place] for place in used], {id: [moved[n[0]], *n[1:]] for id, n in nodes.items()})

    def to_text(self) -> str:
        """The text that is stored."""
        return json.dumps({"v": VERSION, "tasks": self._tasks, "nodes": self._nodes}, ensure_ascii=False)


def read(store: Store, workflow: str) -> History:
    """The history of a workflow; an empty one when there is none that can be read."""
    try:
        found = json.loads(store.get(path(workflow)))
        tasks, nodes = found["tasks"], found["nodes"]
        if found["v"] == VERSION and all(node[0] < len(tasks) and isinstance(node[1], str) for node in nodes.values()):
            return History(tasks, nodes)
    except (StoreError, ValueError, LookupError, TypeError, AttributeError):
        pass
    return History([], {})


def write(store: Store, workflow: str, history: History) -> None:
    """Keep it; a store that refuses is no reason to fail."""
    try:
        store.put(path(workflow), history.to_text().encode())
    except StoreError:
        return


def shown(text: str) -> str:
    """A short form of an input as it is kept."""
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"
