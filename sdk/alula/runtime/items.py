"""One attempt at an item of a batch, in a process of its own.

Asked by `batches`, of a fork of the pod's process, or of an interpreter (`python -m alula.runtime.items FILE WRITER`)
that loads the user's code again. Nothing is published or recorded here: the answer is the item's outputs, or its
failure.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from alula.attempt import scratch, seeds
from alula.attempt.invoke import Phase
from alula.runtime import attempts, cached_call, children, failure_report, inputs, loading, logs, signals
from alula.runtime.attempts import Attempt
from alula_api.contract import pods

if TYPE_CHECKING:
    from alula.declare.tasks import Task
    from alula_api.contract.values import Json


class Question(NamedTuple):
    """What is tried.

    Attributes:
        call: Of the pod.
        row: The item's own inputs.
        number: Of the attempt, from 1.
        folder: Where it starts.
    """

    call: pods.Call
    row: dict[str, Json]
    number: int
    folder: str


def tried(pod: Attempt, question: Question, task: Task[..., Any] | None = None) -> dict[str, Json]:
    """The outputs of the item, or the record of its failure; without a `task` the user's code is loaded first."""
    call, row = question.call, question.row
    env = pod.env._replace(attempt=question.number)
    if not call.cache:
        env = env._replace(inline_limit=pods.MAX_INLINE)  # only this pod gets what it makes
    attempt = Attempt(env)
    attempt.call, attempt.task, attempt.root, attempt.inputs = call, task, pod.root, row
    watch = signals.Watch(env.timeout, lambda error: os._exit(children.OVERDUE))
    try:
        watch.start()
        scratch.enter(question.folder, home=True)
        if task is None:
            attempt.phase = Phase.LOADING
            task = attempt.task = loading.load(call.entrypoint, call.interface)
        seeds.reseed()
        bound = tuple(each for each in inputs.read(call) if each.name not in call.over)
        own = tuple(inputs.Arrival(name, value) for name, value in row.items())
        made = cached_call.made(attempt, call, task, (*bound, *own))
        outputs = {name: made.value(name) for name in made.travelling}
        watch.stop()
    except BaseException as error:
        watch.stop()
        return {"failure": failure_report.recorded(attempt, error).to_json()}
    return {"outputs": outputs, "cached": made.cached}


def command(pod: Attempt, question: Question) -> list[str]:
    """The words by which an interpreter of its own tries the item; what it has to know is left in a file."""
    file = f"{question.folder}.json"
    asked = {**question._asdict(), "call": pods.argv(question.call), "root": pod.root}
    with open(file, "w", encoding="utf-8") as opened:  # noqa: PTH123 (pathlib is not loaded in pods)
        json.dump(asked, opened)
    return [sys.executable, "-m", "alula.runtime.items", file]


def main(arguments: Sequence[str]) -> None:
    """Be that interpreter."""
    logs.unbuffer()
    with open(arguments[0], encoding="utf-8") as opened:  # noqa: PTH123
        asked = json.load(opened)
    os.unlink(arguments[0])  # noqa: PTH108
    pod = Attempt(attempts.read(os.environ))
    pod.root = asked.pop("root")
    call = pods.parse_argv(asked.pop("call"))
    loading.search_in(pod.root)
    sys.argv = [call.entrypoint]
    children.answer(lambda: tried(pod, Question(call, **asked)), int(arguments[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
