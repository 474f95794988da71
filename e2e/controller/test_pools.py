"""Pools and estimated resources of a domain on the real servers."""

from __future__ import annotations

import pathlib
import time
from typing import Any

import pytest

from alula_api.argo.runs import FINISHED
from alula_api.contract import labels, queue
from alula_api.kinds import domains, guards
from alula_api.kinds import reading as kinds
from e2e import installing
from e2e.controller import definitions
from e2e.controller.conftest import Scene, condition, until
from e2e.controller.test_queue import running_pods
from e2e.controller.test_stop import RESTING

LIMIT = 1
SPEC: dict[str, Any] = {"pools": [{"name": "warehouse", "limit": LIMIT}], "resources": {"cpu": "1"}}


@pytest.fixture(scope="module")
def own(scene: Scene) -> Scene:
    """A domain with a pool, whose ConfigMap is the one that `alula domain render` writes."""
    place = scene.installation.place("pools", "dev", "off")
    place.cluster.api.patch(installing.ALULA, "Domain", "domain", place.namespace, {"spec": SPEC})
    body = {"apiVersion": installing.ALULA, "kind": "Domain", "metadata": {"name": "domain"}, "spec": SPEC}
    domain, _ = kinds.read(domains.Domain, body)
    assert domain is not None
    rendered = guards.render(domain, "pools", "dev", place.namespace)
    place.cluster.apply([each for each in rendered if each["kind"] == "ConfigMap"])
    return Scene(place, scene.installation)


def workflow(name: str, **options: Any) -> dict[str, Any]:
    chain = [definitions.node("rest", "rest", seconds={"input": "x"})]
    inputs = [{"name": "x", "type": "int", "default": "2"}]
    return definitions.workflow(name, chain, inputs=inputs, tasks=[{**RESTING, **options}])


def test_tasks_of_many_runs_share_a_pool_and_the_queue_keeps_the_others(own: Scene, tmp_path: pathlib.Path) -> None:
    own.define(workflow("pooled", pool="warehouse"))
    time.sleep(2)  # Argo's own view of templates is a moment behind
    runs = [own.place.run("pooled") for _ in range(5)]
    options = ("--namespace", own.space)
    lock = "pools-dev/ConfigMap/alula-pools/warehouse"
    until(lambda: any(lock in text for text in messages(own, runs)))
    shown = installing.alula(own.place.cluster, "queue", *options, cwd=tmp_path).stdout
    assert f"{LIMIT + queue.POOL_RESERVE} runs are running with tasks in the pool warehouse" in shown
    most = 0
    while not all(finished(own, run) for run in runs):
        most = max(most, sum(len(running_pods(own.place, run)) for run in runs))
        time.sleep(0.2)
    assert most == LIMIT
    assert {own.place.ended(run)["status"]["phase"] for run in runs} == {"Succeeded"}


def messages(own: Scene, runs: list[str]) -> list[str]:
    found = [own.api.get(installing.ARGO, "Workflow", run, own.space) for run in runs]
    begun = [run for run in found if run.get("status")]
    return [str(node.get("message")) for run in begun for node in installing.nodes(run).values()]


def finished(own: Scene, run: str) -> bool:
    return own.api.get(installing.ARGO, "Workflow", run, own.space)["status"].get("phase") in FINISHED


def test_a_pool_that_the_domain_does_not_have_is_a_condition_of_the_workflow(own: Scene) -> None:
    own.apply(workflow("astray", pool="warehose"))
    found = own.place.condition("Workflow", "astray", "Ready", "False")
    assert "the domain has no pool `warehose`" in condition(found, "Ready")["message"]


def test_a_run_waits_until_its_estimated_resources_are_free_and_one_that_never_fits_fails_at_once(
    own: Scene, tmp_path: pathlib.Path
) -> None:
    own.define(workflow("half", resources={"requests": {"cpu": "600m"}}))
    own.define(workflow("twice", resources={"requests": {"cpu": "1200m"}}))
    time.sleep(2)  # Argo's own view of templates is a moment behind
    first = own.place.run("half", {"x": "300"})
    until(lambda: running_pods(own.place, first))
    second, never = own.place.run("half", {"x": "0"}), own.place.run("twice")
    message = own.place.ended(never)["status"]["message"]
    assert message.startswith("it can never start: its estimated peak is 1200m of cpu")
    options = ("--namespace", own.space)
    until(lambda: second in installing.alula(own.place.cluster, "queue", *options, cwd=tmp_path).stdout)
    shown = installing.alula(own.place.cluster, "queue", *options, cwd=tmp_path).stdout
    assert "it needs 600m of cpu, and runs have 600m of the domain's 1" in shown
    stop = {"metadata": {"annotations": {labels.STOP: "enough"}}}
    own.api.patch(installing.ARGO, "Workflow", first, own.space, stop)
    ended = own.place.ended(second)
    assert ended["status"]["phase"] == "Succeeded"
    assert ended["metadata"]["annotations"][labels.ESTIMATE] == '{"cpu":"600m"}'


def test_a_pod_that_the_quota_has_no_room_for_waits_with_the_name_of_the_quota(own: Scene) -> None:
    hard = {"hard": {"pods": "1"}}
    own.apply({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": guards.QUOTA}, "spec": hard})
    try:
        body = workflow("crowded")
        body["spec"]["graphs"][0]["nodes"].append(definitions.node("beside", "rest", seconds={"input": "x"}))
        own.define(body)
        time.sleep(2)  # Argo's own view of templates is a moment behind
        run = own.place.run("crowded", {"x": "8"})
        until(lambda: any(f"exceeded quota: {guards.QUOTA}" in text for text in messages(own, [run])))
        assert own.place.ended(run)["status"]["phase"] == "Succeeded"
    finally:
        own.api.delete("v1", "ResourceQuota", guards.QUOTA, own.space)
