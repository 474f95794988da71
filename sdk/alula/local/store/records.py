"""The records that a run leaves in the store: what each node did, and each failure in full, as pods write them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from alula_api.contract import failures
from alula_data.errors import StoreError

if TYPE_CHECKING:
    from alula.progress.reports import RunResult
    from alula_data.stores.protocols import Store

VERSION = 1
MOST_OUTPUT = 4096
"""Characters of an output that the record holds; larger ones are left out."""


def write(store: Store, result: RunResult) -> None:
    """Write them; a store that refuses is no reason to lose the result."""
    document = {
        "v": VERSION,
        "run": result.run,
        "workflow": result.workflow,
        "ok": result.ok,
        "seconds": round(result.seconds, 3),
        "nodes": [
            {
                "id": node.id,
                "task": node.task,
                "state": node.state,
                "attempts": node.attempts,
                "seconds": round(node.seconds, 3),
                **({"why": node.why} if node.why else {}),
            }
            for node in result.nodes
        ],
        "outputs": {name: value for name, value in result.wire.items() if len(json.dumps(value)) <= MOST_OUTPUT},
    }
    try:
        store.put(f"runs/{result.run}/run.json", json.dumps(document, ensure_ascii=False).encode())
        for node in result.failures:
            if node.failure is not None:
                key = failures.path(result.run, node.id, node.failure.attempt)
                store.put(key, json.dumps(node.failure.to_json(), ensure_ascii=False).encode())
    except StoreError:
        return
