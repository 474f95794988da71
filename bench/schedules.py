"""Ten thousand schedules of a controller that has nothing to do: what does waiting for them cost, and what do they cost
when a replica takes over? Called by `bench.controller`; needs no cluster.

The agenda is asked once a second, as `process` asks it. The floor is the same number of moments in a bare heap, of
which the first is looked at.
"""

from __future__ import annotations

import heapq
import random
import resource
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from alula_api.contract.ticks import Timetable
from alula_controller.cluster.queue import QueueKey
from alula_controller.schedules import decide, reconcile
from alula_controller.schedules.agenda import Agenda
from alula_controller.schedules.decide import Decided, Plan

LOOKS = 1_000
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")


@dataclass(frozen=True)
class Schedules:
    """CPU seconds of one look at rest, of a look at a bare heap, of deciding all plans once; MiB that they take."""

    look: float
    floor: float
    deciding: float
    mebibytes: float


def measure(plans: int) -> Schedules:
    """As many plans, each with a daily time of its own in one of four zones, on an afternoon without a tick."""
    chance = random.Random(1)
    now = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    agenda: Agenda[QueueKey] = Agenda()
    moments = []
    for number in range(plans):
        timetable = Timetable((f"{chance.randrange(60)} {chance.randrange(24)} * * *",), chance.choice(ZONES))
        plan = Plan(str(number), timetable, decided=Decided(now, timetable.digest()))
        following = decide.decide(plan, now).next
        assert following is not None
        moment = following + timedelta(hours=1)
        agenda.put(QueueKey(f"space-{number % 20}", f"plan-{number}", reconcile.KIND), moment)
        moments.append(moment)
    deciding = time.process_time() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    began = time.process_time()
    for _ in range(LOOKS):
        assert not list(agenda.due(now))
    look = (time.process_time() - began) / LOOKS
    heapq.heapify(moments)
    began = time.process_time()
    for _ in range(LOOKS):
        assert moments[0] > now
    floor = (time.process_time() - began) / LOOKS
    return Schedules(look, floor, deciding, grown)
