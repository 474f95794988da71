"""Tasks that change the state of the process that they run in, and look at what others have left there."""

from __future__ import annotations

import os
import random
import sys
import time

import numpy as np

from alula import task, workflow

seen: list[int] = []


@task
def disturb(n: int, folder: str) -> list[str]:
    """What of the process's state was not as a new process has it."""
    found = [name for name in ("LEFT",) if name in os.environ]
    found += ["globals"] if seen else []
    found += ["cwd"] if os.getcwd() == folder else []
    found += ["path"] if folder in sys.path else []
    found += ["numpy"] if np.geterr()["divide"] != "warn" else []
    seen.append(n)
    os.environ["LEFT"] = str(n)
    os.chdir(folder)
    sys.path.append(folder)
    np.seterr(divide="ignore")
    time.sleep(0.01)
    return found


@task
def seeded(seed: int) -> tuple[float, float]:
    np.random.seed(seed)
    random.seed(seed)
    totals = [0.0, 0.0]
    for _ in range(50):
        totals[0] += float(np.random.rand(500).sum())
        totals[1] += sum(random.random() for _ in range(50))
    return round(totals[0], 6), round(totals[1], 6)


@task
def drawn() -> tuple[float, float]:
    return float(np.random.rand()), random.random()


@task
def gather(xs: list[list[str]]) -> list[list[str]]:
    return xs


@task
def distinct(xs: list[float]) -> int:
    return len(set(xs))


@workflow
def disturbing(folder: str) -> list[list[str]]:
    return gather([disturb(n, folder) for n in range(6)])


@workflow
def seeding(seed: int = 7) -> tuple[int, int]:
    pairs = [seeded(seed) for _ in range(6)]
    return distinct([pair[0] for pair in pairs]), distinct([pair[1] for pair in pairs])


@workflow
def drawing() -> tuple[int, int]:
    pairs = [drawn() for _ in range(6)]
    return distinct([pair[0] for pair in pairs]), distinct([pair[1] for pair in pairs])
