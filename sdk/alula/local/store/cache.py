"""The cache of one local run: keys, lookups and entries, the same as a pod's. Called by `executor`.

It decides nothing about when a task runs, and keeps what the nodes' keys were made of for `history`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from alula.attempt import redact
from alula.attempt.cache import Memory, travelling
from alula.local.store import explain, history
from alula_api.contract import values
from alula_data.errors import Damaged, NotFound, StoreError

if TYPE_CHECKING:
    from alula.declare.tasks import Task
    from alula.local.options import CacheUse
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
        before: history.History,
        warn: Callable[[str], None],
    ) -> None:
        self.index = index
        self.content = content
        self.use = use
        self.run = run
        self.limit = limit
        self.before = before
        self.changed: dict[str, explain.Parts] = {}
        """The nodes whose key is another than the last time, or whose result was not there."""
        self.warn = warn
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
        identity = self._identity(task)
        digests = identity.of(inputs)
        memory = self._memories[node] = identity.memory(self.index, digests, self.run, node)
        key = memory.key
        before = self.before.key(node)
        if before != key or self.before.failed(node):
            self.changed[node] = identity.parts(key, digests, inputs, origins())
        if self.use == "overwrite":
            return None, "the cache is overwritten"
        missing = ""
        found = memory.recall()
        if found.entry is not None:
            try:
                return {name: self.content.load_value(value) for name, value in found.entry.outputs.items()}, ""
            except (Damaged, NotFound, values.InvalidValue) as error:
                missing = str(error)
        elif found.broken:
            missing = found.reason
        parts = self.changed.setdefault(node, identity.parts(key, digests, inputs, origins()))
        if before != key:
            return None, explain.explain(parts, self.before.parts(node))
        return None, explain.FAILED if self.before.failed(node) else explain.gone(missing)

    def keep(self, node: str, task: Task[..., Any], outputs: Mapping[str, Json]) -> dict[str, Json]:
        """Write the entry; returns the outputs that stand, which are those of whoever was first."""
        try:
            saved = travelling(outputs, self._identity(task).outputs, lambda: self.content, self.limit)
            standing = self._memories[node].keep(saved, instead=self.use == "overwrite")
            if standing is saved:
                return dict(outputs)
            return {name: self.content.load_value(value) for name, value in standing.items()}
        except (StoreError, values.InvalidValue) as error:
            # The result is there; only the next run pays for it.
            self.warn(f"the result of {node} could not be kept in the cache: {error}")
            return dict(outputs)

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
        self.pinned = task.options.cache is not None and task.options.cache.version is not None
        self.outputs: dict[str, Schema] = {output.name: output.type.schema for output in task.interface.outputs}
        self._codecs = {item.name: values.codec(item.type.schema) for item in task.interface.inputs}

    def of(self, inputs: Mapping[str, Json]) -> dict[str, str]:
        """The identity of each input."""
        codecs = self._codecs
        return {name: codecs[name].identity(value) for name, value in inputs.items()}

    def memory(self, index: CacheIndex, digests: Mapping[str, str], run: str, node: str) -> Memory:
        """What the cache knows of the task on inputs with these identities."""
        return Memory(
            index, task=self.task, version=self.version, interface=self.interface, identities=digests,
            schemas=self.outputs, run=run, node=node,
        )  # fmt: skip

    def parts(
        self, key: str, digests: Mapping[str, str], inputs: Mapping[str, Json], origins: Mapping[str, str]
    ) -> explain.Parts:
        """What the key is made of, for people."""
        return explain.Parts(
            key=key,
            task=self.task,
            version=self.version,
            interface=self.interface,
            pinned=self.pinned,
            inputs=digests,
            shown={name: history.shown(redact.short(value)) for name, value in inputs.items()},
            origins=origins,
        )
