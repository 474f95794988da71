"""How soon a run of a chain is admitted of which the cache answers all, where each request to the store takes its time.

Called by `bench.controller`; needs no cluster. The store is an S3 server of this process behind a delay, the API server
a dictionary: what is measured are the lookups, the walk and the nodes that are filled in.
"""

from __future__ import annotations

import asyncio
import copy
import os
import time
from dataclasses import dataclass
from typing import Any

from alula_api.argo import nodes, runs
from alula_controller.admission import cache_lookup
from alula_controller.admission.cache_walk import CacheWalk
from alula_controller.admission.reconcile import Admission
from alula_controller.cluster.access import Access
from alula_controller.domains.gather import Domains
from alula_data import caches
from alula_data.stores import opening
from alula_data.stores.memory import MemoryStore
from tests.controller import scenes
from tests.controller.admission import test_cache_walk, test_earlier_run
from tests.controller.fake_cluster import FakeCluster
from tests.data import fake_s3

ACCOUNT = {"AWS_ACCESS_KEY_ID": "x" * 16, "AWS_SECRET_ACCESS_KEY": "x" * 16, "AWS_REGION": "us-east-1"}


@dataclass(frozen=True)
class Admitted:
    """Seconds and filled-in tasks of the first run, which nothing is known of, and of a second one with its inputs."""

    first: float
    first_filled: int
    second: float
    second_filled: int


def measure(length: int, delay: float) -> Admitted:
    """Admit two runs of a chain of `length` tasks with `delay` seconds a request."""
    os.environ.update(ACCOUNT)
    body = test_earlier_run.chain(length)
    with fake_s3.serving() as server:
        store = opening.open_store("s3://bench", endpoint=server.endpoint, policy=cache_lookup.POLICY)
        server.objects.update(_entries(body))
        server.delay = delay
        return asyncio.run(_measure(body, store))


async def _measure(body: dict[str, Any], store: Any) -> Admitted:
    api = FakeCluster()
    for each in (scenes.namespace(), scenes.revision(body)):
        api.put(each)
    access = Access(api, lambda _: None)  # type: ignore[arg-type]
    lookups = cache_lookup.Lookups(60.0, 2000, opened=lambda place: store)
    admission = Admission(access, Domains(access.api, scenes.SETTINGS), lookups)
    figures: list[Any] = []
    for name in ("first", "second"):
        api.put(scenes.held_run(name, body=body))
        held = copy.deepcopy(api.all("Workflow")[name])
        began = time.perf_counter()
        await admission.handle(held)
        figures.append(time.perf_counter() - began)
        admitted = copy.deepcopy(api.all("Workflow")[name])
        figures.append(sum("memoizationStatus" in node for node in nodes.read(admitted["status"]).values()))
        admitted["metadata"]["labels"] |= {runs.PHASE_LABEL: "Succeeded", runs.COMPLETED_LABEL: "true"}
        api.put(admitted | {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow"})
    return Admitted(*figures)


def _entries(body: dict[str, Any]) -> dict[str, bytes]:
    """What the store holds when everything is cached."""
    store = MemoryStore()
    index = caches.CacheIndex(store)
    walk = CacheWalk(scenes.plan(body), test_cache_walk.INPUTS)
    while wanted := walk.wanted():
        found = {each.key: test_earlier_run.answer(each).entry for each in wanted}
        entries = {key: entry for key, entry in found.items() if entry is not None}
        for each in wanted:
            types = {name: dict(schema) for name, schema in each.outputs.items()}
            index.record(entries[each.key]._replace(entrypoint=each.entrypoint), types)
        walk.answer({key: entry.outputs for key, entry in entries.items()})
    return {head.key: store.get(head.key) for head in store.list()}
