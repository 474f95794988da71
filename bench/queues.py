"""A domain's queue with a thousand runs that wait: what one decision costs, however little there is to decide.

Called by `bench.controller`.
"""

from __future__ import annotations

import time

from alula_api.contract import quantities, queue
from alula_api.contract.queue import LabelLimit, Quota, Run, Terms

QUOTA = Quota(
    running=5,
    limits=(LabelLimit("team", 2),),
    aging_seconds=60.0,
    pools={"warehouse": 1},
    resources={"cpu": 3 * quantities.ONE},
)
TIMES = 5


def measure(count: int) -> float:
    """CPU seconds of one decision for `count` waiting runs, with every kind of limit in force."""
    runs = [_run(number) for number in range(count)]
    began = time.process_time()
    for _ in range(TIMES):
        queue.choose(runs, (), QUOTA, 2.0 * count)
    return (time.process_time() - began) / TIMES


def _run(number: int) -> Run:
    name = f"run-{number:05d}"
    terms = Terms(priority=number % 3, weight=1 + number % 2)
    pools = ("warehouse",) if number % 5 == 0 else ()
    labels = {"team": f"team-{number % 11}"}
    needs = {"cpu": quantities.ONE}
    plan = f"plan-{number % 7}"
    return Run(name, name, float(number), plan, labels=labels, terms=terms, pools=pools, needs=needs)
