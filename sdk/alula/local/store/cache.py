"""The cache of one local run: keys, lookups and entries, the same as a pod's. Called by `executor`.

It decides nothing about when a task runs, and keeps what the nodes' keys were made of for `history`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from alula.attempt import redact
from alula.attempt.cache import Memory, travelling
from alula.local.store import explain, history
from alula_api.contract import keys, values
from alula_data.errors import Damaged, NotFound, StoreError

if TYPE_CHECKING:
    from alula.declare.tasks import Task
    from alula.local.options import CacheUse
    from alula.local.store.place import DataRoot
    from alula.progress.reports import NodeReport
    from alula_api.contract.schemas import Schema
    from alula_api.contract.values import Json
    from alula_data.caches import CacheIndex


class Cache:
    """Looks results up and keeps them; opens the store with the first look.

    Args:
        place: Where the run keeps its data.
        use: Whether to look up, and whether to replace what is there.
        run: The run's id.
        workflow: Its name, under which the history is kept.
        limit: Bytes of a value that an entry holds itself.
        warn: Takes what the user should know.
    """

    def __init__(
        self, place: DataRoot, *, use: CacheUse, run: str, workflow: str, limit: int, warn: Callable[[str], None]
    ) -> None:
        self._place = place
        self._use = use
        self._run = run
        self._workflow = workflow
        self._limit = limit
        self._warn = warn
        self._before: history.History | None = None
        self._opening = threading.Lock()
        self._changed: dict[str, explain.Parts] = {}  # nodes whose key is not that of the last time, or had no result
        self._memories: dict[str, Memory] = {}
        self._identities: dict[Task[..., Any], _Identity] = {}

    def find(
        self,
        node: str,
        task: Task[..., Any],
        inputs: Mapping[str, Json],
        origins: Callable[[], Mapping[str, str]],
    ) -> tuple[dict[str, Json] | None, str]:
        """The outputs of an earlier run of a task on equal inputs, or None and why it has to run.

        Args:
            node: Its id.
            task: Of the node; it is cached.
            inputs: The wire value of each input.
            origins: Names the node behind each input that one made.
        """
        past, identity = self._before or self._open(), self._identity(task)
        digests = identity.of(inputs)
        memory = self._memories[node] = identity.memory(self._place.index(), digests, self._run, node)
        key = memory.key
        before = past.key(node)
        if before != key or past.failed(node):
            self._changed[node] = identity.parts(key, digests, inputs, origins())
        if self._use == "overwrite":
            return None, "the cache is overwritten"
        missing = ""
        found = memory.recall()
        if found.entry is not None:
            try:
                return self._load(found.entry.outputs), ""
            except (Damaged, NotFound, values.InvalidValue) as error:
                missing = str(error)
        elif found.broken:
            missing = found.reason
        parts = self._changed.setdefault(node, identity.parts(key, digests, inputs, origins()))
        if before != key:
            return None, explain.explain(parts, past.parts(node))
        return None, explain.FAILED if past.failed(node) else explain.gone(missing)

    def keep(self, node: str, task: Task[..., Any], outputs: Mapping[str, Json]) -> dict[str, Json]:
        """Write the entry; returns the outputs that stand, which are those of the first run."""
        try:
            saved = travelling(outputs, self._identity(task).outputs, self._place.content, self._limit)
            standing = self._memories[node].keep(saved, instead=self._use == "overwrite")
            return dict(outputs) if standing is saved else self._load(standing)
        except (StoreError, values.InvalidValue) as error:
            # The result is there; only the next run pays for it.
            self._warn(f"the result of {node} could not be kept in the cache: {error}")
            return dict(outputs)

    def close(self, nodes: Iterable[NodeReport]) -> None:
        """Keep what the keys were made of for the next run; `nodes` are all of this one."""
        if self._before is not None and self._changed:
            failed = {report.id for report in nodes if report.state not in ("done", "cached")}
            history.write(self._place.store(), self._workflow, self._before.updated(self._changed, failed))

    def _open(self) -> history.History:
        with self._opening:  # the first tasks of a run may ask at the same time
            if self._before is None:
                self._before = history.read(self._place.store(), self._workflow)
            return self._before

    def _load(self, outputs: Mapping[str, Json]) -> dict[str, Json]:
        content = self._place.content()
        return {name: content.load_value(value) for name, value in outputs.items()}

    def _identity(self, task: Task[..., Any]) -> _Identity:
        found = self._identities.get(task)
        if found is None:  # two threads may both work it out, which is harmless
            found = self._identities[task] = _Identity(task)
        return found


class _Identity:
    """What of a task goes into its keys: worked out once a run."""

    def __init__(self, task: Task[..., Any]) -> None:
        self.task = task.key
        self.version = task.version
        self.interface = task.interface.digest
        self.environment = keys.environment_digest(task.options.environment.items(), task.options.secrets)
        self.entrypoint = task.entrypoint
        self.pinned = task.options.cache is not None and task.options.cache.version is not None
        self.outputs: dict[str, Schema] = {output.name: output.type.schema for output in task.interface.outputs}
        self._codecs = {item.name: values.codec(item.type.schema) for item in task.interface.inputs}

    def of(self, inputs: Mapping[str, Json]) -> dict[str, str]:
        """The identity of each input."""
        codecs = self._codecs
        return {name: codecs[name].identity(value) for name, value in inputs.items()}

    def memory(self, index: CacheIndex, digests: Mapping[str, str], run: str, node: str) -> Memory:
        """What the cache knows of the task on inputs with these identities."""
        key = keys.cache_key(self.task, self.version, self.interface, digests, self.environment)
        return Memory(index, key, task=self.task, entrypoint=self.entrypoint, schemas=self.outputs, run=run, node=node)

    def parts(
        self, key: str, digests: Mapping[str, str], inputs: Mapping[str, Json], origins: Mapping[str, str]
    ) -> explain.Parts:
        """What the key is made of, for people."""
        return explain.Parts(
            key=key,
            task=self.task,
            version=self.version,
            interface=self.interface,
            environment=self.environment,
            pinned=self.pinned,
            inputs=digests,
            shown={name: history.shown(redact.short(value)) for name, value in inputs.items()},
            origins=origins,
        )
