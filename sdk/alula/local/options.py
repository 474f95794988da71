"""How a local run is done; the same fields as the options of `alula run`."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Literal

from alula.progress.clocks import Clock, SystemClock

CacheUse = Literal["use", "off", "overwrite"]


def default_workers() -> int:
    """As many as this process may use processors, but at least 2, so that waiting overlaps."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(2, available)


@dataclass(frozen=True, slots=True)
class Options:
    """How to run.

    Attributes:
        workers: Tasks at a time, each attempt in a process of its own; 1 runs them in the caller's own thread, where a
            debugger stops. 0 means as many as there are processors.
        processes: Give every attempt a process of its own with `workers=1` too, and refuse to run without.
        threads: Run tasks in threads of this process. Like those of `workers=1` they share its seeds, globals and
            working directory, so neither way writes to the cache.
        strict: Hand over every frame through the store, as pods do.
        cache: `use` it, leave it `off`, or `overwrite` what it holds.
        store, project, domain: In place of those of the project's settings.
        show: Report progress and summary on stderr.
        records: Write what happened below `runs/<run>` of the store.
        clock: Another time, for tests.
    """

    workers: int = 0
    processes: bool = False
    threads: bool = False
    strict: bool = False
    cache: CacheUse = "use"
    store: str = ""
    project: str = ""
    domain: str = ""
    show: bool = False
    records: bool = True
    clock: Clock = field(default_factory=SystemClock, repr=False, compare=False)

    @property
    def apart(self) -> bool:
        """Whether attempts should have processes of their own."""
        return not (self.threads or self.debuggable)

    @property
    def debuggable(self) -> bool:
        """Whether tasks run in the caller's own thread."""
        return self.workers == 1 and not self.processes

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise ValueError(f"workers must be 0 (as many as there are processors) or more, not {self.workers}")
        if self.processes and self.threads:
            raise ValueError("processes and threads exclude each other")
        if self.cache not in ("use", "off", "overwrite"):
            raise ValueError(f"cache must be 'use', 'off' or 'overwrite', not {self.cache!r}")
