"""On real pods: the run succeeds under PodSecurity `restricted` and a quota; the second run needs none."""

from __future__ import annotations

import json

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
    listed = road.place.cluster.api.list("v1", "Pod", road.place.namespace)
    runs = "workflows.argoproj.io/workflow"
    pods = [pod for pod in listed if pod["metadata"].get("labels", {}).get(runs, "").startswith("penguins-train-")]
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
    shown = road.place.cluster.kubectl("get", "workflows", "penguins-train", "-n", road.place.namespace).stdout
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


def _ground(road: Road) -> None:
    """What the settings of `settled.py` name: Secrets, a priority, an account with the rights of the usual one."""
    api, namespace = road.place.cluster, road.place.namespace
    core = {"apiVersion": "v1", "kind": "Secret"}
    api.apply({**core, "metadata": {"name": "db"}, "stringData": {"password": "pa$$word"}}, namespace)
    api.apply({**core, "metadata": {"name": "common"}, "stringData": {"token": "t"}}, namespace)
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"colour": "blue"}}
    api.apply(settings, namespace)
    api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "reader"}}, namespace)
    rbac = "rbac.authorization.k8s.io"
    (usual,) = (
        each
        for each in api.api.list(f"{rbac}/v1", "RoleBinding", namespace)
        if any(subject["name"] == "alula-task" for subject in each.get("subjects", []))
    )
    binding = {
        "apiVersion": f"{rbac}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "reader"},
        "roleRef": usual["roleRef"],
        "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": namespace}],
    }
    api.apply(binding, namespace)
    priority = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": "batch"},
        "value": 5,
    }
    api.kubectl("apply", "-f", "-", input=json.dumps(priority))
    shared = {
        "name": "shared",
        "priorityClass": "batch",
        "labels": {"team": "platform", "tier": "batch"},
        "mounts": [{"path": "/secrets/common", "secret": "common"}, {"path": "/secrets/db", "secret": "common"}],
    }
    spec = {
        "podTemplates": [shared],
        "taskDefaults": {"podTemplate": "shared"},
        "interruptible": {"nodeSelector": {"kubernetes.io/arch": "amd64"}},
    }
    patch = ("patch", "adom", "domain", "--type=merge", "-p", json.dumps({"spec": spec}))
    api.kubectl("-n", namespace, *patch)


def test_real_pods_have_their_settings_and_grow_after_a_real_kill_for_lack_of_memory(road: Road) -> None:
    _ground(road)
    road.register("--image", "localhost/penguins:e2e", "flows/penguins.py", "flows/following.py", "flows/settled.py")
    road.apply()
    road.place.ready("Workflow", "settled-settle", timeout=120)
    run, outputs = road.remote("flows/settled.py:settle")
    assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
    assert outputs == {"o0": ["pa$$word", "t", "blue", "32Mi"], "o1": "640Mi"}

    pods = {
        pod["metadata"]["annotations"]["workflows.argoproj.io/node-name"].partition(".")[2]: pod
        for pod in road.place.cluster.api.list("v1", "Pod", road.place.namespace)
        if pod["metadata"]["labels"].get("workflows.argoproj.io/workflow") == run["metadata"]["name"]
    }
    assert set(pods) == {"look(0)", "fill(0)", "fill(1)"}
    spec, metadata = pods["look(0)"]["spec"], pods["look(0)"]["metadata"]
    assert spec["nodeSelector"] == {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    assert (spec["priorityClassName"], spec["priority"], spec["serviceAccountName"]) == ("batch", 5, "reader")
    assert metadata["labels"].items() >= {"team": "birds", "tier": "batch"}.items()
    assert metadata["annotations"]["example.org/note"] == "a note with $(HOME) and {braces}"
    assert spec["affinity"]["podAntiAffinity"].keys() == {
        "requiredDuringSchedulingIgnoredDuringExecution",
        "preferredDuringSchedulingIgnoredDuringExecution",
    }
    (killed,) = (
        each["state"]["terminated"] for each in pods["fill(0)"]["status"]["containerStatuses"] if each["name"] == "main"
    )
    assert (killed["reason"], killed["exitCode"]) == ("OOMKilled", 137)
    assert killed["message"].endswith("(memory 192Mi)")
