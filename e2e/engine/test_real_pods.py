"""Compiled pods on a real kubelet, where a namespace demands what hardened ones do."""

from __future__ import annotations

import json

import alula_compiler
from e2e.cluster import clusters, images
from e2e.engine import runs
from tests.compiler import compiled

USER = 65532  # the image's own user would be numeric and not root; busybox here has none


def test_a_restricted_namespace_with_a_quota_runs_compiled_pods(real_cluster: clusters.RealCluster) -> None:
    enforced = {"pod-security.kubernetes.io/enforce": "restricted"}
    namespace = real_cluster.namespace("engine-restricted", enforced)
    hard = dict.fromkeys(("requests.cpu", "limits.cpu"), "4") | {"requests.memory": "4Gi", "limits.memory": "4Gi"}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "all"}, "spec": {"hard": hard}}
    real_cluster.apply(quota, namespace)
    resources = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "128Mi"}}
    hop = {"x": compiled.TEXT}
    tasks = [compiled.task(name, hop, {"o0": compiled.TEXT}, resources=resources) for name in ("say", "hear")]
    text = "a$$b $(HOME) {{workflow.uid}} \"'\\ é"
    nodes = [
        {"id": "say", "task": "say", "inputs": {"x": {"value": json.dumps(text)}}},
        {"id": "hear", "task": "hear", "inputs": {"x": {"node": "say", "output": "o0"}}},
    ]
    workflow = compiled.workflow(
        code={"image": images.BUSYBOX, "runtime": 1}, tasks=tasks, graphs=[{"name": "main", "nodes": nodes}]
    )
    template = alula_compiler.compile(workflow, engine=runs.ENGINE).objects[0]
    runs.apply_strictly(real_cluster, namespace, _without_python(template))

    run = runs.run(real_cluster, namespace, "w", "restricted-1", timeout=300)

    assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
    assert runs.outputs(run, "hear") == {"o0": text}
    for pod in real_cluster.pods.started("restricted-1", namespace):
        seen = real_cluster.kubectl("logs", pod.name, "-c", "main", "-n", namespace).stdout
        assert "no token" in seen and "restricted-1." in seen


def _without_python(template: runs.Object) -> runs.Object:
    """The template with a shell in the runtime's place: it writes its first input as its output."""
    script = (
        'while [ "$1" != --input ]; do shift; done; echo "$ALULA_NODE $ALULA_ATTEMPT"; '
        "test -e /var/run/secrets/kubernetes.io/serviceaccount/token || echo no token; "
        'mkdir -p /var/run/alula/out; echo -n "$3" > /var/run/alula/out/o0'
    )
    for one in template["spec"]["templates"]:
        if "container" in one:
            one["container"]["command"] = ["sh", "-c", script, "runtime"]
    patch = json.loads(template["spec"]["podSpecPatch"])
    next(one for one in patch["containers"] if one["name"] == "main")["securityContext"]["runAsUser"] = USER
    template["spec"]["podSpecPatch"] = json.dumps(patch)
    return template
