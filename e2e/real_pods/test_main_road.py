"""On real pods: the run succeeds under PodSecurity `restricted` and a quota; the second run needs none."""

from __future__ import annotations

from e2e import installing
from e2e.main_road.conftest import Road
from e2e.main_road.test_penguins import TASKS, memoized, pods_of


def test_the_controller_runs_as_a_deployment_of_the_overlay(road: Road) -> None:
    cluster = road.place.cluster
    cluster.kubectl("rollout", "status", "deployment/alula-controller", "-n", "alula-system", "--timeout=180s")
    (pod,) = cluster.api.list("v1", "Pod", "alula-system")
    assert pod["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True


def test_real_pods_do_the_work_and_the_second_run_is_cached_throughout(road: Road) -> None:
    road.register("--image", "localhost/penguins:e2e", "flows/penguins.py")
    road.apply()
    road.place.ready("Workflow", "penguins-train", timeout=120)
    first, outputs = road.remote("flows/penguins.py:train")
    assert first["status"]["phase"] == "Succeeded", first["status"].get("message")
    assert pods_of(road, first) == len(TASKS)
    assert 0.9 < outputs["scores"]["accuracy"] <= 1

    second, again = road.remote("flows/penguins.py:train")
    assert second["status"]["phase"] == "Succeeded", second["status"].get("message")
    assert again == outputs
    assert pods_of(road, second) == 0
    assert memoized(second) == TASKS


def test_the_pods_are_non_root_hold_no_token_and_fit_the_quota(road: Road) -> None:
    pods = [
        pod
        for pod in road.place.cluster.api.list("v1", "Pod", road.place.namespace)
        if "workflows.argoproj.io/workflow" in pod["metadata"].get("labels", {})
    ]
    assert len(pods) == len(TASKS)
    for pod in pods:
        (main,) = [each for each in pod["spec"]["containers"] if each["name"] == "main"]
        assert not any("serviceaccount" in mount["mountPath"] for mount in main["volumeMounts"])
        assert main["securityContext"]["runAsNonRoot"] is True
        assert pod["spec"]["automountServiceAccountToken"] is False


def test_kubectl_shows_name_version_readiness_and_age(road: Road) -> None:
    shown = road.place.cluster.kubectl("get", "workflows", "-n", road.place.namespace).stdout
    header, row = shown.strip().splitlines()
    assert header.split() == ["NAME", "VERSION", "READY", "AGE"]
    assert row.split()[0] == "penguins-train" and row.split()[2] == "True"
    assert installing.ALULA.startswith("alula.dev")
