"""The inputs and the exact words with which tasks of a run on the cluster failed, and the items that failed in pods of
several, from the records that its pods left in the store.

Called by the command line for users who may read the domain's store: a pod's message has no room for inputs and items,
nor has it control characters or template tags. What cannot be read is left out, and nothing waits for a store that does
not answer.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from alula_api.contract import failures, jsontext
from alula_api.contract.problems import InvalidValue
from alula_data.errors import NotFound, StoreError
from alula_data.retries import Policy

if TYPE_CHECKING:
    from alula.progress.reports import NodeReport, RunResult
    from alula.remote.status import RunState
    from alula_data.stores.protocols import Store

MOST: Final = 10
"""At most so many nodes; of a map of which all items failed the first ones tell the others."""
MAX_BYTES: Final = 1024 * 1024
"""Of an object; all code that runs in the domain can write there."""
PATIENCE: Final = Policy(attempts=1, seconds=3.0)


def with_records(result: RunResult, state: RunState, store: Store) -> RunResult:
    """The result: the first failures with their own words and inputs, the first pods with the items that failed."""
    known: dict[str, NodeReport] = {}
    try:
        for node in [*result.failures[:MOST], *[node for node in result.nodes if node.failed][:MOST]]:
            task = state.tasks.get(node.id)
            if task is not None and task.name and state.uid:
                known[node.id] = _with_record(node, state.uid, task.name, store)
    except (StoreError, OSError):
        pass
    return dataclasses.replace(result, nodes=tuple(known.get(node.id, node) for node in result.nodes))


def _with_record(node: NodeReport, run: str, name: str, store: Store) -> NodeReport:
    """The node, where there is no record of it as it was."""
    try:
        if node.failure is None:
            found = _read(store, failures.items_path(run, name, node.attempts))
            return dataclasses.replace(node, failed_items=failures.items_from_json(found))
        record = failures.FailureRecord.from_json(_read(store, failures.path(run, name, node.failure.attempt)))
        whole = record.traceback or node.failure.traceback
        told = dataclasses.replace(node.failure, message=record.message, inputs=record.inputs, traceback=whole)
        return dataclasses.replace(node, failure=told)
    except (NotFound, InvalidValue, ValueError):
        return node


def _read(store: Store, key: str) -> jsontext.Json:
    head = store.head(key)
    if head is None or head.size > MAX_BYTES:
        raise ValueError(f"{key} is not there, or too large")
    return jsontext.parse(store.get(key).decode())
