"""Takes times: CPU seconds of whole processes, and of calls inside this one. Several counted runs after a warm-up."""

from __future__ import annotations

import gc
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

RUNS = 5


@dataclass(frozen=True)
class Figure:
    """Seconds of CPU: the median of the counted runs, and their extremes."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Figure:
        """The figure of several runs."""
        return cls(statistics.median(seconds), min(seconds), max(seconds))

    def text(self, unit: float, name: str) -> str:
        """`12.3 [11.9..13.0] ms`."""
        return f"{self.median / unit:.3g} [{self.least / unit:.3g}..{self.most / unit:.3g}] {name}"


Command = tuple[Sequence[str], Mapping[str, str]]
"""Arguments of the interpreter, and variables besides the environment's own."""

COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}
"""Modules are compiled once, in the warm-up, as they are in an image."""


def processes(*commands: Command, runs: int = RUNS) -> list[Figure]:
    """CPU time, user and system, of whole Python processes taken in turn: A B C, A B C, ...

    The first argument may be another interpreter's path; else they are this interpreter's.
    """
    rounds = [[_process(*command) for command in commands] for _ in range(runs + 1)][1:]
    return [Figure.of([each[index] for each in rounds]) for index in range(len(commands))]


def _process(argv: Sequence[str], environment: Mapping[str, str]) -> float:
    interpreter = [] if argv[0].startswith("/") else [sys.executable]
    child = subprocess.Popen(
        [*interpreter, *argv],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, **COMPILED, **environment},
    )
    assert child.stderr is not None
    told = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    child.stderr.close()
    if child.returncode:
        raise RuntimeError(f"{' '.join(argv)} exited with {child.returncode}: {told.decode()[-2000:]}")
    return usage.ru_utime + usage.ru_stime


def calls(*functions: Callable[[], object], runs: int = RUNS) -> list[Figure]:
    """CPU time of one call of each function, its child processes included, taken in turn in this process."""
    rounds = [[_call(function) for function in functions] for _ in range(runs + 1)][1:]
    return [Figure.of([each[index] for each in rounds]) for index in range(len(functions))]


def _call(function: Callable[[], object]) -> float:
    gc.collect()
    start, children = time.process_time(), resource.getrusage(resource.RUSAGE_CHILDREN)
    function()
    spent, after = time.process_time() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent + after.ru_utime - children.ru_utime + after.ru_stime - children.ru_stime
