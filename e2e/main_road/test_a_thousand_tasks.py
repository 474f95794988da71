"""A chain of a thousand cached tasks ends without a pod; for a second run its keys are looked up side by side."""

from __future__ import annotations

import json

import pytest

from alula_controller.admission import cache_lookup
from e2e import installing
from e2e.controller.conftest import metrics
from e2e.main_road.conftest import Road, registered

TASKS = 1000
SOURCE = f"""
from alula import task, workflow

@task(cache=True)
def inc(x: int) -> int:
    return x + 1

@workflow
def chain(x: int = 0) -> int:
    for _ in range({TASKS}):
        x = inc(x)
    return x
"""


@pytest.fixture
def thousand(installation: installing.Installation, tmp_path_factory: pytest.TempPathFactory) -> Road:
    """The chain, registered and applied."""
    road = registered(installation, tmp_path_factory.mktemp("thousand"), "thousand", {"long.py": SOURCE})
    road.place.ready("Workflow", "long-chain")
    return road


def test_it_ends_without_a_pod(thousand: Road) -> None:
    place = thousand.place
    # The same keys and the same format here as in a pod: what was computed here answers the cluster.
    root = ["--store", place.bucket.url, "--project", place.project, "--domain", place.domain]
    environment = place.bucket.environment()
    argv = ["run", "--quiet", "--json", *root, "long.py:chain"]
    here = installing.alula(place.cluster, *argv, cwd=thousand.project, env=environment)
    run, outputs = thousand.remote("long.py:chain")
    assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
    assert outputs == {"o0": TASKS}
    assert json.loads(here.stdout)["outputs"] == outputs
    assert place.cluster.pods.started(workflow=run["metadata"]["name"], namespace=place.namespace) == []
    found = [node for node in installing.nodes(run).values() if node.get("memoizationStatus", {}).get("hit")]
    assert len(found) == TASKS

    before = metrics()["alula_lookups_ahead_total"]
    second, again = thousand.remote("long.py:chain")
    assert again == outputs
    # On a busy machine the time for it ends before all are there; the others are looked up one by one.
    assert before < metrics()["alula_lookups_ahead_total"] <= before + TASKS - cache_lookup.DEEP
    keys = [
        {node.get("memoizationStatus", {}).get("key") for node in installing.nodes(each).values()}
        for each in (run, second)
    ]
    assert keys[0] == keys[1]
    assert place.cluster.pods.started(workflow=second["metadata"]["name"], namespace=place.namespace) == []
