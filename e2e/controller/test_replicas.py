"""Two replicas: one acts, the other takes over; and both have exactly the rights of the base."""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request

from alula_controller.cluster import permissions
from e2e.controller import definitions
from e2e.controller.conftest import Scene, until


def test_a_second_replica_stands_by_and_takes_over(restarted: Scene) -> None:
    scene = restarted
    cluster = scene.place.cluster
    controller = scene.installation.controller
    assert controller is not None
    environment = {
        **cluster.s3.as_root(scene.place.bucket).environment(),
        "KUBECONFIG": str(scene.installation._account.kubeconfig),
        "ALULA_ROOTS": json.dumps(
            {f"root-{n}": {"url": b.url, "endpoint": b.endpoint} for n, b in enumerate(scene.installation._buckets)}
        ),
        "ALULA_DEFAULT_ROOT": "root-0",
        "ALULA_PORT": "8081",
        "ALULA_LEASE_SECONDS": "3",
        "ALULA_IDENTITY": "second",
        "ALULA_LOG_FORMAT": "json",
    }
    second = cluster.spawn("alula-second", [sys.executable, "-m", "alula_controller"], environment)
    try:
        until(lambda: answers("http://127.0.0.1:8081/readyz"), 30)
        assert "alula_leader 0.0" in read("http://127.0.0.1:8081/metrics")
        scene.define(definitions.workflow("handover"))
        scene.installation.kill()
        until(lambda: "alula_leader 1.0" in read("http://127.0.0.1:8081/metrics"), 20)
        run = scene.run("handover", x="1100")
        assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
        second.terminate(30)
        scene.installation.start()
        scene.define(definitions.workflow("handover", version="v2"))
        for line in second.log.read_text(encoding="utf-8").splitlines():
            assert json.loads(line)["message"]
    finally:
        if second.poll() is None:
            second.kill()


def test_an_installation_for_some_namespaces_needs_rights_in_those_only(restarted: Scene) -> None:
    scene = restarted
    cluster = scene.place.cluster
    scene.installation.kill()
    space = cluster.namespace("only-here", {"alula.dev/project": "only", "alula.dev/domain": "here"})
    own = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create", "get", "update"]}
    name = {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}
    rules = [
        {"apiGroups": [rule.resource.group], "resources": [rule.target], "verbs": list(rule.verbs)}
        for rule in permissions.SERVED
    ]
    user = cluster.user("narrow", [own, name, *rules], space)
    environment = {
        **cluster.s3.as_root(scene.place.bucket).environment(),
        "KUBECONFIG": str(user.kubeconfig),
        "ALULA_ROOTS": scene.place.bucket.url,
        "ALULA_NAMESPACES": space,
        "ALULA_NAMESPACE": space,
        "ALULA_PORT": "8082",
        "ALULA_LOG_FORMAT": "text",
    }
    narrow = cluster.spawn("alula-narrow", [sys.executable, "-m", "alula_controller"], environment)
    try:
        until(lambda: answers("http://127.0.0.1:8082/readyz"), 30)
        cluster.apply(definitions.workflow("narrow"), space)
        until(lambda: ready(scene, space, "narrow"), 30)
        cluster.apply(definitions.workflow("elsewhere"), scene.space)
        body = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"name": "narrow-1"},
            "spec": {
                "workflowTemplateRef": {"name": "narrow"},
                "arguments": {"parameters": [{"name": "x", "value": "six"}]},
            },
        }
        time.sleep(2)  # Argo's own view of templates is a moment behind
        cluster.api.create(body, space)
        assert "does not fit" in cluster.await_workflow(space, "narrow-1")["status"]["message"]
        assert not ready(scene, scene.space, "elsewhere")
    finally:
        narrow.terminate(30)


def ready(scene: Scene, space: str, name: str) -> bool:
    found = scene.api.get("alula.dev/v1alpha1", "Workflow", name, space).get("status") or {}
    return any((each["type"], each["status"]) == ("Ready", "True") for each in found.get("conditions", []))


def test_nothing_was_ever_denied(scene: Scene) -> None:
    logs = [path.read_text(encoding="utf-8") for path in scene.place.cluster.logs_dir.glob("alula-*")]
    assert logs
    for text in logs:
        assert "orbidden" not in text
        assert "Traceback" not in text


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as response:
        return str(response.read().decode())


def answers(url: str) -> bool:
    try:
        return read(url) == "ok\n"
    except (urllib.error.URLError, ConnectionError):
        return False
