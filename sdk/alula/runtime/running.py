"""One attempt of a task, from the arguments of its process to the exit code.

Called by `alula.runtime.__main__`. The steps stand here in order; what each of them does is in a module of its own.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from alula.attempt import errors, scratch
from alula.attempt.errors import Stop
from alula.attempt.invoke import Phase
from alula.runtime import attempts, cached_call, inputs, loading, logs, outputs, signals, termination_message
from alula.runtime.attempts import Attempt
from alula_api.contract import exits, pods
from alula_api.contract.codes import Code

if TYPE_CHECKING:
    from alula.declare.tasks import Task
    from alula_api.contract.values import Json


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs the attempt that the arguments and the environment describe; returns the exit code."""
    logs.unbuffer()
    try:
        attempt = Attempt(attempts.read(environment))
    except ValueError as error:
        logs.line(f"{Code.BAD_ENGINE}: {error}")
        return exits.FATAL
    is_batch = pods.is_batch(arguments)  # whose calls have the time that a single one has
    watch = signals.Watch(0 if is_batch else attempt.env.timeout, lambda error: os._exit(_concluded(attempt, error)))
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
    if call.over:
        from alula.runtime import batches

        return batches.perform(attempt, call, task, check_losses)
    if attempt.env.attempt - 1 > call.system_retries:
        check_losses(attempt, call)
    made = cached_call.made(attempt, call, task, inputs.read(call))
    return {**made.travelling, **_parts(attempt, call, cached_call.schemas_of(task), made)}


def _parts(attempt: Attempt, call: pods.Call, schemas: Mapping[str, Any], made: cached_call.Made) -> dict[str, Json]:
    """What conditions compare of the outputs, and what maps go over and collect, published beside them."""
    if not (call.parts or call.batches or call.each):
        return {}
    from alula.attempt import parts
    from alula_api.contract.problems import InvalidValue

    try:
        found = parts.publish(call.parts, made.value, made.travelling, schemas, lambda: attempt.content)
        found |= parts.batches(made.value, call.batches, schemas, lambda: attempt.content)
        found |= parts.each(made.value, call.each, schemas, lambda: attempt.content)
        listed = [(name, output) for name, output, _, form in call.parts if form == "items"]
        listed += [(name, output) for name, output, _, _ in call.batches]
        listed += [(part.name, part.output) for part in call.each]
        cached_call.keep_lists(made, {name: found[name] for name, output in listed if _is_stored(made, output)})
        return found
    except InvalidValue as error:
        problem = error.problems[0]
        if problem.code == Code.TOO_LARGE:
            raise Stop(errors.USER, problem.code, f"the list that a map goes over {problem.message}") from error
        message = f"a condition or a map reads a part of the result: {problem.message}"
        raise Stop(errors.USER, Code.BAD_VALUE, message) from error


def _is_stored(made: cached_call.Made, output: str) -> bool:
    """Whether an output travels as an envelope: then the controller, which reads none, cannot know a list in it."""
    from alula_api.contract import references

    return references.is_envelope(made.travelling[output])


def _parsed(arguments: Sequence[str]) -> pods.Call:
    try:
        return pods.parse_argv(arguments)
    except ValueError as error:
        raise Stop(errors.SYSTEM, Code.INTERNAL, f"the pod's arguments cannot be read: {error}") from error


def _loaded(attempt: Attempt, call: pods.Call) -> Task[..., Any]:
    # Without a bundle, the image's working directory is where its code lies.
    attempt.root = _unpacked(attempt, call) if attempt.env.bundle else os.getcwd()  # noqa: PTH109
    loading.search_in(attempt.root)
    scratch.enter(f"{os.path.abspath(attempt.env.work)}/{pods.SCRATCH}", home=True)  # noqa: PTH100
    sys.argv = [call.entrypoint]  # what stands there now is ours, and users' modules look at it
    return loading.load(call.entrypoint, call.interface)


def _unpacked(attempt: Attempt, call: pods.Call) -> str:
    if not call.over:
        return loading.unpack(attempt.env)
    from alula.runtime import batches

    return batches.unpacked(attempt)


def check_losses(attempt: Attempt, call: pods.Call) -> None:
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


def _concluded(attempt: Attempt, error: BaseException) -> int:
    from alula.runtime import failure_report

    code = failure_report.conclude(attempt, error)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    return code
