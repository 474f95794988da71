"""What the nodes' keys were made of in the last run of a workflow, so that the next one can say what changed.

Kept in the store under `last/<workflow>.json`. It is a convenience: what cannot be read counts as never written, and
nothing that matters is decided by it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING

from alula.local.reasons import Parts
from alula_data.errors import StoreError

if TYPE_CHECKING:
    from alula_data.stores.protocols import Store

VERSION = 1
MOST_SHOWN = 40
"""Characters of an input that are kept."""


def path(workflow: str) -> str:
    """Where the record of a workflow lies below the prefix."""
    return f"last/{workflow}.json"


def read(store: Store, workflow: str) -> dict[str, Parts]:
    """The parts of each node's key in the last run that had the node; empty when there is none."""
    try:
        found = json.loads(store.get(path(workflow)))
        if found["v"] != VERSION:
            return {}
        return {node: Parts(**parts) for node, parts in found["nodes"].items() if _is_whole(parts)}
    except (StoreError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def write(store: Store, workflow: str, before: Mapping[str, Parts], now: Mapping[str, Parts]) -> None:
    """Keep what this run saw, and what earlier ones saw of nodes that it did not reach."""
    nodes = {**before, **now}
    if nodes == dict(before):
        return
    text = json.dumps({"v": VERSION, "nodes": {node: asdict(parts) for node, parts in nodes.items()}})
    try:
        store.put(path(workflow), text.encode())
    except StoreError:
        return


def shown(text: str) -> str:
    """A short form of an input as it is kept."""
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"


def _is_whole(parts: object) -> bool:
    return isinstance(parts, dict) and parts.keys() == {field.name for field in fields(Parts)}
