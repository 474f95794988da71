"""A map of a thousand items, each in a pod of its own: as many as one map takes; and of ten times as many in batches.

It takes as long as a thousand pods do, so it runs where `ALULA_LARGE` is set (`make large`); its number of items can be
made smaller there, and with `ALULA_LARGE_BATCH` (`make large BATCH=20 ITEMS=10000`) that many share a pod.
"""

from __future__ import annotations

import os
import time

import pytest

from e2e import installing
from e2e.main_road.conftest import registered

ITEMS = int(os.environ.get("ALULA_LARGE") or "0")
BATCH = int(os.environ.get("ALULA_LARGE_BATCH") or "0")
SOURCE = """
from alula import map_task, task, workflow

@task
def numbers(n: int) -> list[int]:
    return list(range(n))

@task
def double(x: int) -> int:
    return 2 * x

@task
def total(xs: list[int]) -> int:
    return sum(xs)

@workflow
def doubled(n: int) -> int:
    return total(map_task(double, concurrency=50, batch=BATCH)(numbers(n)))
"""


@pytest.mark.skipif(not ITEMS, reason="a thousand pods take minutes: make large")
def test_a_map_of_a_thousand_items_completes_with_a_pod_for_each_or_for_each_batch(
    installation: installing.Installation, tmp_path_factory: pytest.TempPathFactory
) -> None:
    files = {"items.py": SOURCE.replace("BATCH", str(BATCH or None))}
    road = registered(installation, tmp_path_factory.mktemp("items"), "items", files)
    road.place.ready("Workflow", "items-doubled")
    began = time.monotonic()
    run = road.place.ended(road.place.run("items-doubled", {"n": str(ITEMS)}), 3 * ITEMS + 300)
    nodes = installing.nodes(run)
    assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
    (made,) = nodes[run["metadata"]["name"]]["outputs"]["parameters"]
    assert made["value"] == str(ITEMS * (ITEMS - 1))
    pods = road.place.cluster.pods.started(workflow=run["metadata"]["name"], namespace=road.place.namespace)
    assert len(pods) == -(-ITEMS // (BATCH or 1)) + 2
    packed = len(run["status"].get("compressedNodes", ""))
    in_pods = f"{ITEMS} items in {len(pods) - 2} pods"
    print(f"{in_pods}: {time.monotonic() - began:.0f} s, {len(nodes)} nodes, {packed:,} bytes packed")
