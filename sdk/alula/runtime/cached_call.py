"""One call of a task in a pod: out of the cache, or made by the user's function and kept there.

Called by `running` for a pod's own call, and by `items` for each item of a batch. What is published of the result is
its caller's.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from alula.attempt import cache, invoke
from alula.attempt.invoke import Phase
from alula.runtime import inputs, loading, logs
from alula_api.contract import keys, pods

if TYPE_CHECKING:
    from alula.declare.tasks import Task
    from alula.runtime.attempts import Attempt
    from alula_api.contract.values import Json

Schemas = Mapping[str, "dict[str, Any]"]


class Made(NamedTuple):
    """What a call gave.

    Attributes:
        travelling: What travels for each output.
        value: The value of an output.
        cached: Whether the cache knew it.
        memory: What the cache knows of it; None without a cache.
    """

    travelling: Mapping[str, Json]
    value: Callable[[str], Json]
    cached: bool = False
    memory: cache.Memory | None = None


def schemas_of(task: Task[..., Any]) -> dict[str, dict[str, Any]]:
    """The types of a task's outputs, by name."""
    return {output.name: output.type.schema for output in task.interface.outputs}


def made(attempt: Attempt, call: pods.Call, task: Task[..., Any], arrivals: tuple[inputs.Arrival, ...]) -> Made:
    """What the call gives; raises what goes wrong, whatever that is."""
    schemas = schemas_of(task)
    if not call.cache or not loading.holds_version(task, call.cache):
        result = _invoke(attempt, task, arrivals)
        return Made(_travelling(attempt, schemas, result), result.__getitem__)
    memory = memory_of(attempt, call, inputs.identities(arrivals, task, attempt.content.load_value), schemas)
    known = recall(memory)
    if known is not None:
        attempt.phase = Phase.OUTPUTS
        return _remembered(attempt, schemas, known)._replace(memory=memory)
    result = _invoke(attempt, task, arrivals)
    travelling = _travelling(attempt, schemas, result)
    standing = keep(memory, travelling)
    if standing is not travelling:
        return _remembered(attempt, schemas, standing)._replace(memory=memory)
    return Made(travelling, result.__getitem__, memory=memory)


def memory_of(
    attempt: Attempt, call: pods.Call, identities: Mapping[str, str], schemas: Schemas, over: tuple[str, ...] = ()
) -> cache.Memory:
    """What the cache knows of a call, or of a batch of calls `over` lists; the outputs of a batch are lists, too."""
    from alula_data import caches

    return cache.Memory(
        caches.CacheIndex(attempt.store),
        keys.cache_key(call.task, call.cache, call.interface, identities, call.environment, over=over),
        task=call.task,
        entrypoint=call.entrypoint,
        schemas=schemas,
        run=attempt.env.run,
        node=attempt.env.node,
    )


def recall(memory: cache.Memory) -> Mapping[str, Json] | None:
    """The outputs that the cache knows: this look-up is the truth, whatever the controller filled in before."""
    found = memory.recall()
    if found.entry is not None:
        logs.line(f"cached: the result of {found.entry.node or 'a local run'} in {found.entry.run or 'no run'}")
        return found.entry.outputs
    if found.broken:
        logs.line(f"not cached: {found.reason}")
    return None


def keep(memory: cache.Memory, outputs: Mapping[str, Json]) -> Mapping[str, Json]:
    """The outputs that stand; if only the entry cannot be written, the next run pays and not this one."""
    from alula_api.contract.problems import InvalidValue
    from alula_data.errors import StoreError

    try:
        standing = memory.keep(outputs)
    except (StoreError, InvalidValue) as error:
        logs.line(f"the result could not be kept in the cache: {error}")
        return outputs
    if standing != outputs:
        logs.line("another run was first: its result is handed on")
        return standing
    return outputs


def keep_lists(made: Made, published: Mapping[str, Json]) -> None:
    """Keep what maps go over beside the result in the cache, so that they are known without reading that."""
    if made.memory is None or not published:
        return
    from alula_data.errors import StoreError

    try:
        made.memory.enrich(published)
    except StoreError as error:
        logs.line(f"the lists that maps go over could not be kept in the cache: {error}")


def _remembered(attempt: Attempt, schemas: Schemas, known: Mapping[str, Json]) -> Made:
    """What outputs from the cache give."""
    travelling = cache.travelling(known, schemas, lambda: attempt.content, attempt.env.inline_limit, remembered=True)
    return Made(travelling, lambda name: _value(attempt, known[name]), cached=True)


def _invoke(attempt: Attempt, task: Task[..., Any], arrivals: tuple[inputs.Arrival, ...]) -> dict[str, Json]:
    attempt.phase = Phase.INPUTS
    attempt.inputs = inputs.load(arrivals, lambda value: _value(attempt, value))
    gc.enable()
    return invoke.invoke(task, attempt.inputs, attempt, attempt)


def _travelling(attempt: Attempt, schemas: Schemas, outputs: Mapping[str, Json]) -> dict[str, Json]:
    return cache.travelling(outputs, schemas, lambda: attempt.content, attempt.env.inline_limit)


def _value(attempt: Attempt, value: Json) -> Json:
    """The value behind an envelope; the store is opened for nothing else."""
    from alula_api.contract import references

    return attempt.content.load_value(value) if references.is_envelope(value) else value
