"""Pods in real containers: the same workflows, with everything a kubelet adds."""

from __future__ import annotations

import json
import pathlib

import pytest

from e2e.cluster import clusters, images, nodes
from e2e.cluster.tests import runs


@pytest.fixture(scope="module")
def namespace(real_cluster: clusters.RealCluster) -> str:
    return real_cluster.namespace("real-pods")


def shell(name: str, script: str, **fields: object) -> runs.Object:
    container = {"image": images.BUSYBOX, "command": ["sh", "-c"], "args": [script]}
    return runs.template(name, "", container=container, **fields)


def test_a_parameter_passes_through_a_real_pod(real_cluster: clusters.RealCluster, namespace: str) -> None:
    script = "echo working; echo -n 'from a real pod' > /var/run/alula/said"
    step = shell("main", script, outputs=runs.outputs("said"))
    real_cluster.apply(runs.workflow("one-step", step), namespace)

    run = real_cluster.await_workflow(namespace, "one-step")

    assert run["status"]["phase"] == "Succeeded"
    assert runs.node(run, "one-step")["outputs"]["parameters"][0]["value"] == "from a real pod"
    (pod,) = real_cluster.pods.started("one-step")
    assert (pod.exit_code, pod.image) == (0, images.BUSYBOX)
    logs = real_cluster.kubectl("logs", pod.name, "-c", "main", "-n", namespace).stdout
    assert "working" in logs


def test_the_object_store_and_the_api_server_are_reachable_from_pods(
    real_cluster: clusters.RealCluster, namespace: str
) -> None:
    script = (
        f"wget -q -O - {real_cluster.s3.endpoint}/health && "
        "wget -q -O - --no-check-certificate https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/version"
    )
    real_cluster.apply(runs.workflow("reach", shell("main", script)), namespace)

    assert real_cluster.await_workflow(namespace, "reach")["status"]["phase"] == "Succeeded"


def test_a_killed_container_ends_with_137(real_cluster: clusters.RealCluster, namespace: str) -> None:
    real_cluster.apply(runs.workflow("killed", shell("main", "sleep 600")), namespace)

    real_cluster.pods.kill("killed")
    run = real_cluster.await_workflow(namespace, "killed")

    assert run["status"]["phase"] == "Failed"
    assert "exit code 137" in run["status"]["message"]


def test_memory_beyond_the_limit_is_an_out_of_memory_kill(real_cluster: clusters.RealCluster, namespace: str) -> None:
    greedy = shell("main", "x=12345678; while true; do x=$x$x; done")
    greedy["container"]["resources"] = {"limits": {"memory": "32Mi"}}
    real_cluster.apply(runs.workflow("greedy", greedy), namespace)

    run = real_cluster.await_workflow(namespace, "greedy")

    assert "OOMKilled (exit code 137)" in run["status"]["message"]


def test_a_pod_that_does_not_fit_beside_the_others_waits_for_room(
    real_cluster: clusters.RealCluster, namespace: str
) -> None:
    """Kubernetes' own scheduler places the pods: one more than the node's cores hold is left waiting."""
    cores = int(real_cluster.api.get("v1", "Node", nodes.NAME)["status"]["allocatable"]["cpu"])
    wide = shell("main", "sleep 600")
    wide["container"]["resources"] = {"requests": {"cpu": f"{cores * 600}m"}}
    real_cluster.apply(runs.workflow("wide", wide), namespace)
    real_cluster.pods.await_running("wide")
    real_cluster.apply(
        runs.workflow("second", {**wide, "container": {**wide["container"], "args": ["true"]}}), namespace
    )

    waiting = real_cluster.kubectl(
        *("wait", "pod", "-l", "workflows.argoproj.io/workflow=second", "-n", namespace, "--timeout=60s"),
        "--for=jsonpath={.status.conditions[?(@.type=='PodScheduled')].reason}=Unschedulable",
    )
    assert "condition met" in waiting.stdout
    real_cluster.argo("terminate", "wide", "-n", namespace)

    assert real_cluster.await_workflow(namespace, "second")["status"]["phase"] == "Succeeded"


@pytest.fixture(scope="module")
def restricted(real_cluster: clusters.RealCluster) -> str:
    """A namespace as a hardened installation has it."""
    enforced = {"pod-security.kubernetes.io/enforce": "restricted"}
    namespace = real_cluster.namespace("restricted", enforced)
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "cpu"}}
    real_cluster.apply({**quota, "spec": {"hard": {"requests.cpu": "1"}}}, namespace)
    return namespace


def test_a_restricted_namespace_refuses_plain_pods(real_cluster: clusters.RealCluster, restricted: str) -> None:
    spec = {"containers": [{"name": "main", "image": images.BUSYBOX}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "plain"}, "spec": spec}

    refused = real_cluster.kubectl("create", "-n", restricted, "-f", "-", input=json.dumps(pod), check=False)

    assert "violates PodSecurity" in refused.stderr


def test_a_restricted_namespace_with_a_quota_runs_hardened_pods(
    real_cluster: clusters.RealCluster, restricted: str
) -> None:
    hardened = {
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}},
    }
    patch = {
        "initContainers": [{"name": "init", **hardened}],
        "containers": [{"name": "wait", **hardened}, {"name": "main", **hardened}],
    }
    step = shell("main", "id -u > /var/run/alula/user", outputs=runs.outputs("user"))
    step["podSpecPatch"] = json.dumps(patch)
    real_cluster.apply(runs.workflow("hardened", step), restricted)

    run = real_cluster.await_workflow(restricted, "hardened")

    assert run["status"]["phase"] == "Succeeded", run["status"]
    assert runs.node(run, "hardened")["outputs"]["parameters"][0]["value"] == "65532"


def test_an_image_is_built_and_runs_as_its_user(
    building_cluster: clusters.RealCluster, namespace: str, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "hello.py").write_text("import os; print('hello from', os.getuid())")
    (tmp_path / "Dockerfile").write_text(
        "ARG BASE\nFROM ${BASE}\nARG ID\nCOPY hello.py /app/\nRUN python3 -m compileall -q /app\nUSER ${ID}\n"
    )
    arguments = {"BASE": images.PYTHON, "ID": "65532"}
    image = building_cluster.build_image(tmp_path, "localhost/hello:1", arguments=arguments)
    container = {"image": image, "command": ["python3", "/app/hello.py"], "args": []}
    hello = runs.template("main", "", container=container)

    building_cluster.apply(runs.workflow("hello", hello), namespace)
    run = building_cluster.await_workflow(namespace, "hello")

    assert run["status"]["phase"] == "Succeeded"
    (pod,) = building_cluster.pods.started("hello")
    assert "hello from 65532" in pod.output()
