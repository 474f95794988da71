"""A replica that stood by while runs came and went takes over: how soon is the first new run worked on, and what did
standing by cost? Called by `bench.controller`; needs no cluster.

The floor is the same number of entries in a bare dictionary, put in and taken out.
"""

from __future__ import annotations

import asyncio
import resource
import time
from dataclasses import dataclass
from typing import Any

from alula_api.contract import labels
from alula_controller.cluster.queue import QueueKey
from alula_controller.cluster.watches import Seen
from alula_controller.process import Controller
from alula_controller.runs.reconcile import RUN
from alula_controller.settings import Settings

NAMESPACES = 20


@dataclass(frozen=True)
class Takeover:
    """Seconds from the takeover until a new run was worked on, keys that waited then, MiB that standing by took."""

    seconds: float
    keys: int
    mebibytes: float
    floor_seconds: float
    standby_seconds: float


def measure(past: int, waiting: int) -> Takeover:
    """Take over after `past` runs came and went, while `waiting` runs wait."""
    return asyncio.run(_measure(past, waiting))


async def _measure(past: int, waiting: int) -> Takeover:
    controller = Controller(Settings(identity="standby"), _Nothing())  # type: ignore[arg-type]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    for number in range(past):
        for seen, gone in _life(number):
            controller._run_changed(seen, gone)
    stood = time.perf_counter() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    known = controller.started[0].known
    for number in range(waiting):
        seen = _seen(past + number)
        known.setdefault(seen.namespace, {})[seen.name] = seen
    handled = asyncio.Event()

    async def handle(key: QueueKey) -> None:
        if key.name == "new":
            handled.set()

    controller.runs._handle = handle
    worker = asyncio.create_task(controller.runs.run())
    controller.leadership._until = float("inf")
    began = time.perf_counter()
    controller._acting_changed(True)
    keys = len(controller.runs)
    controller._run_changed(Seen("space-new", "new", "uid-new", "1", "", {labels.REVISION: "r"}), False)
    await handled.wait()
    taken = time.perf_counter() - began
    worker.cancel()
    return Takeover(taken, keys, grown, _floor(past), stood)


def _life(number: int) -> list[tuple[Seen, bool]]:
    """A run as a watch tells it: it waits, is let go, is gone."""
    seen = _seen(number)
    marks = {**seen.labels, labels.ADMITTED: seen.uid}
    let_go = Seen(seen.namespace, seen.name, seen.uid, "2", "", marks)
    return [(seen, False), (let_go, False), (let_go, True)]


def _seen(number: int) -> Seen:
    return Seen(f"space-{number % NAMESPACES}", f"run-{number}", f"uid-{number}", "1", "", {labels.REVISION: "r"})


def _floor(count: int) -> float:
    began = time.perf_counter()
    entries: dict[Any, Any] = {}
    for number in range(count):
        for seen, gone in _life(number):
            key = QueueKey(seen.namespace, seen.name, RUN)
            if gone:
                entries.pop(key, None)
            else:
                entries[key] = seen
    return time.perf_counter() - began


class _Nothing:
    """A cluster that is never asked."""

    credentials = None
