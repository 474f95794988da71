"""The inputs with which tasks of a run on the cluster failed, from the records that its pods left in the store.

Called by the command line for whoever may read the domain's store: a pod's message has no room for them. What cannot be
read is left out, and nobody waits for a store that does not answer.
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
MAX_BYTES: Final = 256 * 1024
"""Of a record; whoever runs code in the domain can write there."""
PATIENCE: Final = Policy(attempts=1, seconds=3.0)


def with_inputs(result: RunResult, state: RunState, store: Store) -> RunResult:
    """The result, in which the first failures have their inputs."""
    known: dict[str, NodeReport] = {}
    try:
        for node in result.failures[:MOST]:
            record = _record(node, state, store)
            if record is not None and node.failure is not None:
                known[node.id] = dataclasses.replace(
                    node, failure=dataclasses.replace(node.failure, inputs=record.inputs)
                )
    except (StoreError, OSError):
        pass
    return dataclasses.replace(result, nodes=tuple(known.get(node.id, node) for node in result.nodes))


def _record(node: NodeReport, state: RunState, store: Store) -> failures.FailureRecord | None:
    task = state.tasks.get(node.id)
    if task is None or node.failure is None or not (task.name and state.uid):
        return None
    try:
        key = failures.path(state.uid, task.name, node.failure.attempt)
        head = store.head(key)
        if head is None or head.size > MAX_BYTES:
            return None
        return failures.FailureRecord.from_json(jsontext.parse(store.get(key).decode()))
    except (NotFound, InvalidValue, ValueError):
        return None
