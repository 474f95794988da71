"""Places side by side, on virtual time: those that hang cost themselves, and others nothing."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from alula_api.contract.notices import Choice, Notice
from alula_controller.cluster.access import Access
from alula_controller.cluster.queue import QueueKey, WorkQueue
from alula_controller.domains.gather import Domains
from alula_controller.notices.delivery import Deliveries
from alula_controller.notices.failures import NotTaken
from alula_controller.notices.hosts import Allowed
from alula_controller.notices.outbox import Outbox, Owed
from alula_controller.process import PLACES_AT_ONCE
from alula_controller.settings import Settings
from tests.controller import scenes, virtual_time
from tests.controller.fake_cluster import FakeCluster
from tests.controller.notices.test_reconcile import NOON, run

DEAD = 14
ALL = [f"dead-{number}" for number in range(DEAD)] + ["living"]


class Servers:
    """All hang but one."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, str]] = []
        self.open = 0
        self.most = 0

    async def post(self, request: Any) -> None:
        host = request.target.host
        self.asked.append((asyncio.get_running_loop().time(), host))
        if host == "living.acme.org":
            return
        self.open += 1
        self.most = max(self.most, self.open)
        await asyncio.sleep(10)
        self.open -= 1
        raise NotTaken(f"{host} did not answer within 10 s")

    async def close(self) -> None:
        pass


async def told(seconds: float) -> tuple[Servers, FakeCluster]:
    api = FakeCluster()
    unsigned = {"signature": "Absent"}
    places = [{"name": name, "webhook": {"url": f"https://{name}.acme.org/a", **unsigned}} for name in ALL]
    for body in (scenes.namespace(), scenes.domain(notifications=places), scenes.launch_plan("nightly")):
        api.put(body)
    for number in range(30):
        api.put(run(f"r{number}", "Succeeded", number))
    settings = Settings(roots=scenes.SETTINGS.roots, default_root="main", notice_hosts=(Allowed("*.acme.org"),))
    clock, servers = asyncio.get_running_loop().time, Servers()
    choice = Choice(tuple(Notice(name) for name in ALL))
    outbox = Outbox(lambda key: queue.add(key), clock, lambda: 0.5)
    deliveries = Deliveries(
        Access(api, lambda event: None),  # type: ignore[arg-type]
        settings,
        Domains(api, settings, clock=clock),  # type: ignore[arg-type]
        outbox,
        choice=lambda namespace, plan: ("sums", choice),
        told=lambda namespace: None,
        now=lambda: NOON,
        poster=servers,  # type: ignore[arg-type]
    )
    queue: WorkQueue[QueueKey] = WorkQueue(
        "deliveries", deliveries.handle, lane=lambda key: key, workers=PLACES_AT_ONCE, per_lane=1, per_second=1000
    )
    for number in range(30):
        for name in ALL:
            outbox.add(scenes.SPACE, Owed("Recovered", name, "nightly", "sums", f"uid-of-r{number}", f"r{number}"))
    worker = asyncio.create_task(queue.run())
    await asyncio.sleep(seconds)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    return servers, api


def test_places_that_hang_delay_no_other_are_asked_one_at_a_time_and_less_and_less() -> None:
    servers, _ = virtual_time.run(told(600))
    began = servers.asked[0][0]
    living = [moment - began for moment, host in servers.asked if host == "living.acme.org"]
    assert len(living) == 30 and living[9] < 1 and living[-1] < 25, "ten at once, then one a second"
    assert servers.most == DEAD
    dead = [moment - began for moment, host in servers.asked if host == "dead-0.acme.org"]
    pauses = [later - earlier for earlier, later in itertools.pairwise(dead)]
    assert pauses == sorted(pauses) and pauses[-1] > 100 and len(dead) < 12
