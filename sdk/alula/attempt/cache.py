"""A task's results in the cache: the key, the look-up, the entry, and what of a result travels inline.

Called by the pod and the local runner, whose entries must be equal to the byte. It does not decide whether a task is
cached, and raises what goes wrong with the store: its callers decide what that costs a function that has done its work.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from alula_api.contract import keys, references, values

if TYPE_CHECKING:
    from alula_api.contract.schemas import Schema
    from alula_api.contract.values import Json
    from alula_data.caches import CacheIndex, Lookup
    from alula_data.content import Content

ENTRY_ROOM = 60_000
"""Bytes that all outputs together may take in an entry."""


def travelling(
    outputs: Mapping[str, Json],
    schemas: Mapping[str, Schema],
    content: Callable[[], Content],
    limit: int,
    *,
    remembered: bool = False,
) -> dict[str, Json]:
    """What travels for each output: itself while it is small, else an envelope of what was put into the store.

    Args:
        outputs: the values, in normal form.
        schemas: the outputs' types, in declared order.
        content: opens the store, when something has to go there.
        limit: bytes of one output that travel inline; all of them also share the room of an entry.
        remembered: the values come from a cache entry, where envelopes are envelopes; from the user's function the
            same shape is a value of theirs.
    """
    limit = min(limit, ENTRY_ROOM // max(1, len(schemas)))
    found: dict[str, Json] = {}
    for name, schema in schemas.items():
        value = outputs[name]
        envelope = references.is_envelope(value)
        if (remembered and envelope) or not (envelope or len(values.argo_safe(values.dumps(value))) > limit):
            found[name] = value
            continue
        found[name] = content().save_value(values.dumps(value), values.codec(schema).digest(value), 0)
    return found


class Memory:
    """What the cache knows of one call.

    Args:
        index: the domain's.
        key: the call's.
        task: the task's name in the key, recorded in the entry.
        entrypoint: the task's function, recorded in the entry; one that another function made is a miss.
        schemas: the outputs' types, which say what an entry must hold.
        run: recorded in the entry.
        node: recorded in the entry.
    """

    def __init__(
        self,
        index: CacheIndex,
        key: str,
        *,
        task: str,
        entrypoint: str,
        schemas: Mapping[str, Schema],
        run: str,
        node: str,
    ) -> None:
        self.key = key
        self._index = index
        self._task = task
        self._entrypoint = entrypoint
        self._schemas = schemas
        self._run = run
        self._node = node

    def recall(self) -> Lookup:
        """The entry that counts, or why there is none; raises StoreError when the store gives no answer."""
        return self._index.find(self.key, self._schemas, self._entrypoint)

    def enrich(self, parts: Mapping[str, Json]) -> None:
        """Adds lists that maps go over to the entry; raises StoreError when that cannot be done."""
        self._index.enrich(self.key, self._schemas, self._entrypoint, parts)

    def keep(self, outputs: Mapping[str, Json], *, instead: bool = False) -> Mapping[str, Json]:
        """Records what travels for the outputs; returns what stands, which is another run's if that was first.

        Args:
            outputs: what `travelling` returned.
            instead: an entry that is there goes first.

        Raises:
            StoreError: The entry cannot be written.
            InvalidValue: It is too large.
        """
        created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        entry = keys.CacheEntry(self.key, self._task, outputs, created, self._run, self._node, self._entrypoint)
        if instead:
            self._index.evict(self.key)
        return self._index.settle(entry, self._schemas).outputs
