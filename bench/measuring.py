"""Takes times: CPU seconds of whole processes, and of calls inside this one. Several counted runs after a warm-up."""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

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


def process(*argv: str, cwd: Path | None = None, env: dict[str, str] | None = None, runs: int = RUNS) -> Figure:
    """CPU time, user and system, of a whole Python process."""
    return Figure.of([_one_process(argv, cwd, env) for _ in range(runs + 1)][1:])


def pair(first: Sequence[str], second: Sequence[str], **options: object) -> tuple[Figure, Figure, float]:
    """Two processes in turn, A B A B, and the median ratio A/B pair by pair."""
    pairs = [(_one_process(first), _one_process(second)) for _ in range(RUNS + 1)][1:]
    ratio = statistics.median(a / b for a, b in pairs)
    return Figure.of([a for a, _ in pairs]), Figure.of([b for _, b in pairs]), ratio


def _one_process(argv: Sequence[str], cwd: Path | None = None, env: dict[str, str] | None = None) -> float:
    child = subprocess.Popen(
        [sys.executable, *argv], cwd=cwd, env={**os.environ, **(env or {})}, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{argv} exited with {child.returncode}")
    return usage.ru_utime + usage.ru_stime


def call(function: Callable[[], object], runs: int = RUNS) -> Figure:
    """CPU time of one call in this process."""
    seconds = []
    for _ in range(runs + 1):
        gc.collect()
        start = time.process_time()
        function()
        seconds.append(time.process_time() - start)
    return Figure.of(seconds[1:])
