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


def test_the_pods_are_restricted_hold_no_token_and_fit_the_quota(road: Road) -> None:
    pods = [
        pod
        for pod in road.place.cluster.api.list("v1", "Pod", road.place.namespace)
        if "workflows.argoproj.io/workflow" in pod["metadata"].get("labels", {})
    ]
    assert len(pods) == len(TASKS)
    namespace = road.place.cluster.api.get("v1", "Namespace", road.place.namespace)
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for pod in pods:
        spec = pod["spec"]
        containers = {each["name"]: each for each in (*spec["initContainers"], *spec["containers"])}
        assert set(containers) == {"init", "wait", "main"}
        for container in containers.values():
            security = container["securityContext"]
            assert security["runAsNonRoot"] is True
            assert security["readOnlyRootFilesystem"] is True
            assert security["allowPrivilegeEscalation"] is False
            assert security["capabilities"]["drop"] == ["ALL"]
        assert not any("serviceaccount" in mount["mountPath"] for mount in containers["main"]["volumeMounts"])
        assert spec["automountServiceAccountToken"] is False
        assert {each["state"]["terminated"]["exitCode"] for each in pod["status"]["containerStatuses"]} == {0}


def test_kubectl_shows_name_version_readiness_and_age(road: Road) -> None:
    shown = road.place.cluster.kubectl("get", "workflows", "-n", road.place.namespace).stdout
    header, row = shown.strip().splitlines()
    assert header.split() == ["NAME", "VERSION", "READY", "AGE"]
    assert row.split()[0] == "penguins-train" and row.split()[2] == "True"
    assert installing.ALULA.startswith("alula.dev")


def test_twenty_items_of_a_map_and_a_branch_on_what_they_give_run_in_real_pods(road: Road) -> None:
    road.register("--image", "localhost/penguins:e2e", "flows/penguins.py", "flows/following.py")
    road.apply()
    road.place.ready("Workflow", "following-follow", timeout=120)
    first, outputs = road.remote("flows/following.py:follow")
    assert first["status"]["phase"] == "Succeeded", first["status"].get("message")
    assert outputs == {"o0": "2470 is large"}
    assert pods_of(road, first) == 23, "the numbers, twenty squares, their sum, and one side of the branch"

    second, again = road.remote("flows/following.py:follow")
    assert again == outputs
    assert pods_of(road, second) == 1, "the side of the branch, which is not cached"
