"""A worker process: reads questions from one pipe, calls tasks, writes answers to another. Started by `worker_pool`.

Usage: `python -m alula.local.work.worker QUESTIONS ANSWERS` with the numbers of two open file descriptors. It ends
when the questions end, in the middle of a task too, so that nothing is left behind by a parent that was killed.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any


def main(argv: Sequence[str]) -> None:
    """Serve until the questions end."""
    questions: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(int(argv[0]), questions), daemon=True).start()
    setting = questions.get()
    sys.path[:] = setting["path"]
    from alula.local.work import worker_pool

    served = _Service(setting["prefix"])
    with os.fdopen(int(argv[1]), "wb") as answers:

        def ready() -> None:
            answers.write(worker_pool.READY)
            answers.flush()

        while True:
            text = json.dumps(served.answer(questions.get(), ready))
            sys.stdout.flush()
            sys.stderr.flush()
            answers.write(text.encode() + b"\n")
            answers.flush()


def _listen(descriptor: int, questions: queue.SimpleQueue[dict[str, Any]]) -> None:
    with os.fdopen(descriptor, "rb") as lines:
        for line in lines:
            questions.put(json.loads(line))
    os._exit(0)


class _Service:
    def __init__(self, prefix: str) -> None:
        from alula.local.store.place import DataRoot
        from alula.local.work import carriers

        self._place = DataRoot(prefix)
        self._carrier = carriers.StoreCarrier(self._place.content, carriers.FrameShelf())
        self._environment = dict(os.environ)

    def answer(self, question: dict[str, Any], ready: Callable[[], None]) -> dict[str, Any]:
        """The outputs of one attempt, or its failure."""
        from alula.attempt import invoke
        from alula.declare import tasks
        from alula.interfaces import callee
        from alula.local.work import failures

        os.environ.clear()
        os.environ.update(self._environment, **question["environment"])
        try:
            found = callee.find(question["entrypoint"])
            task = found if isinstance(found, tasks.Task) else callee.refuse(found, "run as an attempt")
        except BaseException as error:
            return {"failure": _unfound(error, question)}
        ready()
        context = failures.Context(**question["context"], inputs=question["inputs"], owns_store=self._place.owns)
        try:
            return {"outputs": invoke.invoke(task, question["inputs"], self._carrier, context)}
        except BaseException as error:
            return {"failure": failures.of_error(error, task, context).record.to_json()}


def _unfound(error: BaseException, question: dict[str, Any]) -> dict[str, Any]:
    from alula_api.contract import failures
    from alula_api.contract.codes import Code

    message = f"{question['entrypoint']} cannot be loaded in a process of its own: {error}"
    record = failures.FailureRecord(failures.USER, Code.BAD_SOURCE, message, retryable=False)
    return record.to_json()


if __name__ == "__main__":
    main(sys.argv[1:])
