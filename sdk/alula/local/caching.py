"""The cache of one local run: keys, lookups and entries, the same as a pod's. Called by `executing`.

It decides nothing about when a task runs, and keeps what the nodes' keys were made of for `histories`.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from alula.local import failures, histories, plans, reasons
from alula_api.contract import keys, values
from alula_data.errors import Damaged, NotFound, StoreError

if TYPE_CHECKING:
    from alula.declare.tasks import Task
    from alula.local.options import CacheUse
    from alula.local.reasons import Parts
    from alula_api.contract.schemas import Schema
    from alula_api.contract.values import Json
    from alula_data.caches import CacheIndex
    from alula_data.content import Content


class Cache:
    """Looks results up and keeps them.

    Args:
        index: The index of the local store.
        content: Its files and large values.
        use: Whether to look up, and whether to replace what is there.
        run: The run's id.
        limit: Bytes of a value that an entry holds itself.
        before: What the nodes' keys were made of the last time.
        warn: Takes what the user should know.
    """

    def __init__(
        self,
        *,
        index: CacheIndex,
        content: Content,
        use: CacheUse,
        run: str,
        limit: int,
        before: Mapping[str, Parts],
        warn: Callable[[str], None],
    ) -> None:
        self.index = index
        self.content = content
        self.use = use
        self.run = run
        self.limit = limit
        self.before = before
        self.seen: dict[str, Parts] = {}
        self.warn = warn

    def find(
        self, step: plans.Step, task: Task[..., Any], inputs: Mapping[str, Json], origins: Mapping[str, str]
    ) -> tuple[dict[str, Json] | None, str]:
        """The outputs of an earlier run of `task` on equal inputs, or None and why it has to run.

        Args:
            step: The node.
            task: Its task, which is cached.
            inputs: The wire value of each input.
            origins: The node that made an input, where one did.
        """
        parts = _parts(task, inputs, origins)
        self.seen[step.id] = parts
        before = self.before.get(step.id)
        if self.use == "overwrite":
            return None, "the cache is overwritten"
        found = self.index.find(parts.key, _types(task))
        if found.entry is None:
            return None, reasons.explain(parts, before, found.reason if found.broken else "")
        try:
            return {name: self.content.load_value(value) for name, value in found.entry.outputs.items()}, ""
        except (Damaged, NotFound, values.InvalidValue) as error:
            return None, reasons.explain(parts, parts, str(error))

    def keep(self, step: plans.Step, task: Task[..., Any], outputs: Mapping[str, Json]) -> dict[str, Json]:
        """Write the entry; returns the outputs that stand, which are those of whoever was first."""
        key = self.seen[step.id].key
        types = _types(task)
        try:
            saved = {
                name: self.content.save_value(
                    values.codec(types[name]).wire(value), keys.identity(value, types[name]), self.limit
                )
                for name, value in outputs.items()
            }
            created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            entry = keys.CacheEntry(key, task.key, saved, created, self.run, step.id)
            if self.use == "overwrite":
                self.index.evict(key)
            standing = self.index.settle(entry, types)
            if standing is entry:
                return dict(outputs)
            return {name: self.content.load_value(value) for name, value in standing.outputs.items()}
        except (StoreError, values.InvalidValue) as error:
            # The result is there; only the next run pays for it.
            self.warn(f"the result of {step.id} could not be kept in the cache: {error}")
            return dict(outputs)


def _parts(task: Task[..., Any], inputs: Mapping[str, Json], origins: Mapping[str, str]) -> Parts:
    types = {item.name: item.type.schema for item in task.interface.inputs}
    identities = {name: keys.identity(value, types[name]) for name, value in inputs.items()}
    interface = task.interface.digest
    return reasons.Parts(
        key=keys.cache_key(task.key, task.version, interface, identities),
        task=task.key,
        version=task.version,
        interface=interface,
        pinned=task.options.cache is not None and task.options.cache.version is not None,
        inputs=identities,
        shown={name: histories.shown(failures.short(value)) for name, value in inputs.items()},
        origins=dict(origins),
    )


def _types(task: Task[..., Any]) -> dict[str, Schema]:
    return {output.name: output.type.schema for output in task.interface.outputs}
