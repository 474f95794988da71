"""The cache of a task in its pod: this lookup is the truth, whatever the controller filled in before.

Called by `running` for tasks with a cache version. The version and the interface come from the resource, not from the
decorator, because a domain's patch may have changed them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from alula.runtime import inputs, logs
from alula_api.contract import keys, values
from alula_data import caches, errors

if TYPE_CHECKING:
    from alula.declare.tasks import Task
    from alula.runtime.attempts import Attempt
    from alula_api.contract.pods import Call
    from alula_api.contract.values import Json


class Memory:
    """What the cache knows of one call.

    Args:
        attempt: knows the store.
        task: its interface says what an entry must hold.
        call: has the cache version.
        arrivals: the inputs.
    """

    def __init__(
        self, attempt: Attempt, task: Task[..., Any], call: Call, arrivals: tuple[inputs.Arrival, ...]
    ) -> None:
        identities = inputs.identities(arrivals, task, attempt.content.load_value)
        self.key = keys.cache_key(call.task, call.cache, call.interface, identities)
        self._task = call.task
        self._place = attempt.place
        self._index = caches.CacheIndex(attempt.store)
        self._schemas = {output.name: output.type.schema for output in task.interface.outputs}

    def recall(self) -> Mapping[str, Json] | None:
        """The outputs that the cache knows; raises StoreError when the store gives no answer."""
        found = self._index.find(self.key, self._schemas)
        if found.entry is not None:
            logs.line(f"cached: the result of {found.entry.node or 'a local run'} in {found.entry.run or 'no run'}")
            return found.entry.outputs
        if found.broken:
            logs.line(f"not cached: {found.reason}")
        return None

    def keep(self, outputs: Mapping[str, Json]) -> Mapping[str, Json]:
        """Records the outputs; returns those that stand, which are another run's if that was first.

        The function has done its work: if only the entry cannot be written, the next run pays and not this one.
        """
        created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        entry = keys.CacheEntry(self.key, self._task, outputs, created, self._place.run, self._place.node)
        try:
            standing = self._index.settle(entry, self._schemas)
        except (errors.StoreError, values.InvalidValue) as error:
            logs.line(f"the result could not be kept in the cache: {error}")
            return outputs
        if standing.outputs != outputs:
            logs.line(f"another run was first: its result is handed on, that of {standing.node} in {standing.run}")
        return standing.outputs
