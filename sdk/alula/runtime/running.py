"""One attempt of a task, from the arguments of its process to the exit code.

Called by `alula.runtime.__main__`. The steps stand here in order; what each of them does is in a module of its own.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import io
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from alula.attempt import cache, errors, invoke, scratch
from alula.attempt.errors import Stop
from alula.attempt.invoke import Phase
from alula.runtime import attempts, inputs, loading, logs, outputs, signals, termination_message
from alula.runtime.attempts import Attempt
from alula_api.contract import exits, pods
from alula_api.contract.codes import Code

if TYPE_CHECKING:
    from alula.declare.tasks import Task
    from alula_api.contract.values import Json


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs the attempt that the arguments and the environment describe; returns the exit code."""
    _unbuffer()
    try:
        attempt = Attempt(attempts.read(environment))
    except ValueError as error:
        logs.line(f"{Code.BAD_ENGINE}: {error}")
        return exits.FATAL
    watch = signals.Watch(attempt.env.timeout, lambda error: os._exit(_concluded(attempt, error)))
    termination_message.leave(attempt.env, termination_message.unreported(attempt.env))
    try:
        watch.start()
        made = _perform(attempt, arguments)
        watch.stop()
        outputs.write(attempt.env.out, made)
        termination_message.leave(attempt.env, "")
        code = exits.OK
    except BaseException as error:
        watch.stop()
        code = _concluded(attempt, error)
    watch.leave()
    return code


def _perform(attempt: Attempt, arguments: Sequence[str]) -> Mapping[str, Json]:
    """What travels for each output: out of the cache, or made by the user's function."""
    call = attempt.call = _parsed(arguments)
    attempt.phase = Phase.LOADING
    task = attempt.task = _loaded(attempt, call)
    attempt.phase = Phase.INPUTS
    if attempt.env.attempt - 1 > call.system_retries:
        _check_losses(attempt, call)
    arrivals = inputs.read(call)
    schemas = {output.name: output.type.schema for output in task.interface.outputs}
    if not call.cache or not loading.holds_version(task, call.cache):
        made = _invoke(attempt, task, arrivals)
        travelling = _travelling(attempt, schemas, made)
        return {**travelling, **_parts(attempt, call, schemas, travelling, made.__getitem__)}
    from alula_data import caches

    identities = inputs.identities(arrivals, task, attempt.content.load_value)
    memory = cache.Memory(
        caches.CacheIndex(attempt.store),
        task=call.task,
        version=call.cache,
        interface=call.interface,
        environment=call.environment,
        entrypoint=call.entrypoint,
        identities=identities,
        schemas=schemas,
        run=attempt.env.run,
        node=attempt.env.node,
    )
    known = _recall(memory)
    if known is not None:
        attempt.phase = Phase.OUTPUTS
        return _remembered(attempt, call, schemas, known)
    made = _invoke(attempt, task, arrivals)
    travelling = _travelling(attempt, schemas, made)
    standing = _keep(memory, travelling)
    if standing is not travelling:
        return _remembered(attempt, call, schemas, standing)
    return {**travelling, **_parts(attempt, call, schemas, travelling, made.__getitem__)}


def _remembered(
    attempt: Attempt, call: pods.Call, schemas: Mapping[str, Any], known: Mapping[str, Json]
) -> Mapping[str, Json]:
    """What travels for outputs from the cache, and the parts that this workflow asks for."""
    travelling = _travelling(attempt, schemas, known, remembered=True)
    return {**travelling, **_parts(attempt, call, schemas, travelling, lambda name: _value(attempt, known[name]))}


def _parts(
    attempt: Attempt,
    call: pods.Call,
    schemas: Mapping[str, Any],
    travelling: Mapping[str, Json],
    value: Callable[[str], Json],
) -> dict[str, Json]:
    """What conditions compare of the outputs, and what maps go over and collect, published beside them."""
    if not call.parts:
        return {}
    from alula.attempt import parts
    from alula_api.contract.problems import InvalidValue

    try:
        return parts.publish(call.parts, value, travelling, schemas, lambda: attempt.content)
    except InvalidValue as error:
        problem = error.problems[0]
        if problem.code == Code.TOO_LARGE:
            raise Stop(errors.USER, problem.code, f"the list that a map goes over {problem.message}") from error
        message = f"a condition or a map reads a part of the result: {problem.message}"
        raise Stop(errors.USER, Code.BAD_VALUE, message) from error


def _parsed(arguments: Sequence[str]) -> pods.Call:
    try:
        return pods.parse_argv(arguments)
    except ValueError as error:
        raise Stop(errors.SYSTEM, Code.INTERNAL, f"the pod's arguments cannot be read: {error}") from error


def _loaded(attempt: Attempt, call: pods.Call) -> Task[..., Any]:
    # Without a bundle, the image's working directory is where its code lies.
    attempt.root = loading.unpack(attempt.env) if attempt.env.bundle else os.getcwd()  # noqa: PTH109
    loading.search_in(attempt.root)
    scratch.enter(f"{os.path.abspath(attempt.env.work)}/{pods.SCRATCH}", home=True)  # noqa: PTH100
    sys.argv = [call.entrypoint]  # what stands there now is ours, and users' modules look at it
    return loading.load(call.entrypoint, call.interface)


def _check_losses(attempt: Attempt, call: pods.Call) -> None:
    """Refuse to run user code again after more losses than are forgiven: Argo's one counter cannot know."""
    from alula.runtime import failure_records

    env, earlier = attempt.env, attempt.env.attempt - 1
    user = failure_records.of_user(attempt.store, env.run_uid, env.node, earlier)
    if not call.budget.allows(user, earlier - user):
        message = (
            f"{earlier - user} of {earlier} attempts before this one ended without a failure of the task's own code,"
            f" and system_retries is {call.system_retries}; the task was not started again"
        )
        raise Stop(errors.SYSTEM, Code.TASK_KILLED, message)


def _invoke(attempt: Attempt, task: Task[..., Any], arrivals: tuple[inputs.Arrival, ...]) -> dict[str, Json]:
    attempt.phase = Phase.INPUTS
    attempt.inputs = inputs.load(arrivals, lambda value: _value(attempt, value))
    gc.enable()
    return invoke.invoke(task, attempt.inputs, attempt, attempt)


def _travelling(
    attempt: Attempt, schemas: Mapping[str, Any], outputs: Mapping[str, Json], *, remembered: bool = False
) -> dict[str, Json]:
    limit = attempt.env.inline_limit
    return cache.travelling(outputs, schemas, lambda: attempt.content, limit, remembered=remembered)


def _recall(memory: cache.Memory) -> Mapping[str, Json] | None:
    """The outputs that the cache knows: this look-up is the truth, whatever the controller filled in before."""
    found = memory.recall()
    if found.entry is not None:
        logs.line(f"cached: the result of {found.entry.node or 'a local run'} in {found.entry.run or 'no run'}")
        return found.entry.outputs
    if found.broken:
        logs.line(f"not cached: {found.reason}")
    return None


def _keep(memory: cache.Memory, outputs: Mapping[str, Json]) -> Mapping[str, Json]:
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


def _value(attempt: Attempt, value: Json) -> Json:
    """The value behind an envelope; the store is opened for nothing else."""
    from alula_api.contract import references

    return attempt.content.load_value(value) if references.is_envelope(value) else value


def _concluded(attempt: Attempt, error: BaseException) -> int:
    from alula.runtime import failure_report

    code = failure_report.conclude(attempt, error)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    return code


def _unbuffer() -> None:
    """What a task prints is seen when it is printed, and a crash in native code says where it was."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True, write_through=True)
    with contextlib.suppress(ValueError, io.UnsupportedOperation):
        faulthandler.enable()
