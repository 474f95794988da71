"""The environment variables that tasks declare, during a run in this process. Called by `run` and `executor`.

One process has one environment, so tasks that want different values of one variable cannot run side by side in threads;
the user is warned. One after the other each has its own, as where attempts have processes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alula.declare.tasks import Task


@contextmanager
def declared(tasks: Iterable[Task[..., Any]], warn: Callable[[str], None], *, shared: bool) -> Iterator[None]:
    """Set what the tasks of a run declare, where they share it, and put everything back afterwards.

    Args:
        tasks: The tasks of the run.
        warn: Takes what the user should know.
        shared: Attempts run side by side in this process; otherwise each has its variables set for itself.
    """
    wanted: dict[str, str] = {}
    for task in tasks:
        for secret in task.options.secrets:
            if secret.name not in os.environ:
                warn(f"{task.subject} gets {secret.name} from the Secret {secret.secret}; here it is not set")
        for name, value in (task.options.environment if shared else {}).items():
            if wanted.setdefault(name, value) != value:
                warn(f"tasks want different values of {name}, and share one here: leave out --threads")
    with put(wanted):
        yield


@contextmanager
def put(wanted: Mapping[str, str]) -> Iterator[None]:
    """Set variables, and put everything back afterwards."""
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, old in before.items():
            if old is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = old
