"""Two replicas: one acts, the other takes over; and both have exactly the rights of the base."""

from __future__ import annotations

import json
import re
import sys
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
import yaml

from alula_api.contract import labels
from e2e import installing
from e2e.cluster import api, users
from e2e.controller import definitions
from e2e.controller.conftest import Scene, until

ADMITTED_SECONDS = 5.0  # after a takeover
DENIED = re.compile(
    r'(?:"(?P<name>[^"]+)" )?is forbidden: User "[^"]+" cannot (?P<verb>\w+) resource "(?P<resource>[^"]+)" '
    r'in API group "(?P<group>[^"]*)"(?: in the namespace "(?P<space>[^"]+)")?'
)


def test_a_second_replica_stands_by_and_takes_over(restarted: Scene) -> None:
    scene = restarted
    second = scene.installation.spawn(
        "alula-second", ALULA_PORT="8081", ALULA_IDENTITY="second", ALULA_LOG_FORMAT="json"
    )
    try:
        until(lambda: answers("http://127.0.0.1:8081/readyz"), 30)
        assert "alula_leader 0.0" in read("http://127.0.0.1:8081/metrics")
        scene.define(definitions.workflow("handover"))
        time.sleep(2)  # Argo's own view of templates is a moment behind
        scene.installation.kill()
        waits = scene.place.run("handover", {"x": "1099"})  # it comes while none leads
        until(lambda: "alula_leader 1.0" in read("http://127.0.0.1:8081/metrics"), 20)
        until(lambda: admitted(scene, waits), ADMITTED_SECONDS)
        run = scene.run("handover", x="1100")
        assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
        assert second.terminate(30) == 0, second.tail()
        assert json.loads(second.tail(1))["message"] == "stopped"
        scene.installation.start()
        scene.define(definitions.workflow("handover", version="v2"))
        for line in second.log.read_text(encoding="utf-8").splitlines():
            assert json.loads(line)["message"]
    finally:
        if second.poll() is None:
            second.kill()


def admitted(scene: Scene, run: str) -> bool:
    metadata = scene.api.get(installing.ARGO, "Workflow", run, scene.space)["metadata"]
    return bool(metadata.get("labels", {}).get(labels.ADMITTED))


NARROW = "alula-narrow"


def rights(folder: str, space: str) -> list[dict[str, Any]]:
    """The Roles of a folder of kustomize and their bindings, in a namespace and for an account of its own."""
    found = []
    for body in yaml.safe_load_all((installing.ROOT / "kustomize" / folder / "roles.yaml").read_text()):
        if body["kind"] not in ("Role", "RoleBinding"):
            continue
        body["metadata"] = {"name": f"{body['metadata']['name']}-narrow", "namespace": space}
        if body["kind"] == "RoleBinding":
            body["roleRef"]["name"] += "-narrow"
            body["subjects"][0]["name"] = NARROW
        found.append(body)
    return found


def test_an_installation_for_some_namespaces_needs_no_right_on_the_cluster(restarted: Scene) -> None:
    scene = restarted
    cluster = scene.place.cluster
    scene.installation.kill()
    space = cluster.namespace("only-here", {"alula.dev/project": "only", "alula.dev/domain": "here"})
    cluster.apply(users.account(NARROW, "alula-system"))
    cluster.apply(rights("base", "alula-system"))
    cluster.apply(rights("components/domain-rights", space))
    user = cluster.login("alula-system", NARROW)
    account = scene.api.acting_as(f"system:serviceaccount:alula-system:{NARROW}")
    with pytest.raises(api.ApiError, match="at the cluster scope"):
        account.list("alula.dev/v1alpha1", "Workflow")
    with pytest.raises(api.ApiError, match="forbidden"):
        account.list("alula.dev/v1alpha1", "Workflow", scene.space)
    environment = {
        **cluster.s3.as_root(scene.place.bucket).environment(),
        "KUBECONFIG": str(user.kubeconfig),
        "ALULA_ROOTS": scene.place.bucket.url,
        "ALULA_NAMESPACES": space,
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


def test_nothing_was_denied_but_by_an_api_server_that_had_just_started(scene: Scene) -> None:
    logs = [path.read_text(encoding="utf-8") for path in scene.place.cluster.logs_dir.glob("alula-*")]
    assert logs
    for text in logs:
        assert "Traceback" not in text
    for denied in {each.groups(default="") for text in logs for each in DENIED.finditer(text)}:
        name, verb, resource, group, space = denied
        asked = f"{resource}.{group}".rstrip(".") + (f"/{name}" if name else "")
        where = ("-n", space) if space else ("-A",)
        account = "--as=system:serviceaccount:alula-system:alula-controller"
        found = scene.place.cluster.kubectl("auth", "can-i", verb, asked, *where, account, check=False)
        assert found.stdout.strip() == "yes", denied


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as response:
        return str(response.read().decode())


def answers(url: str) -> bool:
    try:
        return read(url) == "ok\n"
    except (urllib.error.URLError, ConnectionError):
        return False
