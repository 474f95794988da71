"""The records that a run leaves in the store: what each node did, and each failure in full, as pods write them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from alula.progress import run_record
from alula_api.contract import failures
from alula_data.errors import StoreError

if TYPE_CHECKING:
    from alula.progress.reports import RunResult
    from alula_data.stores.protocols import Store

MOST_OUTPUT = 4096
"""Characters of an output that the record holds; larger ones are left out."""


def write(store: Store, result: RunResult) -> None:
    """Write them; a store that refuses is no reason to lose the result."""
    outputs = {name: value for name, value in result.wire.items() if len(json.dumps(value)) <= MOST_OUTPUT}
    document = run_record.of(result, outputs)
    try:
        store.put(f"runs/{result.run}/run.json", json.dumps(document, ensure_ascii=False).encode())
        for node in result.failures:
            if node.failure is not None:
                key = failures.path(result.run, node.id, node.failure.attempt)
                store.put(key, json.dumps(node.failure.to_json(), ensure_ascii=False).encode())
    except StoreError:
        return
