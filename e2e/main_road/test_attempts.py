"""What an attempt has in Argo that the one before had not: memory after a kill for lack of it, a node after a loss.

The pods are local processes that the test kills and evicts; their specs are what Argo made of the templates.
"""

from __future__ import annotations

import datetime
import json
import time

import pytest

from alula_api.argo import nodes as argo
from e2e import installing
from e2e.main_road.conftest import Road, engine, registered

SPOT = {"cloud.example.org/spot": "true"}


@pytest.fixture(scope="module")
def road(installation: installing.Installation, tmp_path_factory: pytest.TempPathFactory) -> Road:
    """The workflows in a domain that names interruptible nodes, with their code "in the image"."""
    found = registered(installation, tmp_path_factory.mktemp("attempts"), "attempts", engine("attempts.py"))
    noted = found.place.ready("Workflow", "attempts-attempts")["status"]["conditions"][0]["message"]
    assert "the Domain names no nodes for interruptible tasks, so these run as all others: interrupted" in noted
    spot = {"nodeSelector": SPOT, "tolerations": [{"key": "cloud.example.org/spot", "effect": "NoSchedule"}]}
    found.place.cluster.kubectl(
        *("-n", found.place.namespace, "patch", "adom", "domain", "--type=merge"),
        *("-p", json.dumps({"spec": {"interruptible": spot}})),
    )
    return found


@pytest.fixture(scope="module")
def runs(road: Road) -> dict[str, str]:
    """One of each, with the attempts ended that wait for it."""
    api, namespace, pods = road.place.cluster.api, road.place.namespace, road.place.cluster.pods
    deadline = time.monotonic() + 60
    while "cloud.example.org/spot" not in json.dumps(  # the change of the Domain has not arrived
        api.get(installing.ARGO, "WorkflowTemplate", "attempts-attempts", namespace)["spec"]
    ):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    names = ("attempts", "starving", "anew")
    for name in names:
        road.place.ready("Workflow", f"attempts-{name}")
    started = {name: road.place.run(f"attempts-{name}", {"n": "1"}) for name in names}
    one, other = started["attempts"], started["starving"]
    _await_waiting(road, f"{one}.interrupted(0)")
    pods.evict(f"{one}.interrupted(0)")
    for node in (f"{one}.hungry(0)", f"{other}.insatiable(0)", f"{other}.insatiable(1)", f"{one}.hungry(2)"):
        _await_waiting(road, node)
        pods.kill(node, "OOMKilled")
    _await_waiting(road, f"{one}.hungry(3)")
    pods.evict(f"{one}.hungry(3)")
    return started


def _await_waiting(road: Road, node: str) -> None:
    """Wait until an attempt's own code is at work."""
    pod, deadline = road.place.cluster.pods.await_running(node), time.monotonic() + 60
    while "waiting to be ended" not in pod.output():
        assert time.monotonic() < deadline, pod.output()
        time.sleep(0.1)


def _attempts(road: Road, run: str, task: str) -> list[installing.Object]:
    """The pods of a task's attempts, in their order."""
    labels = f"workflows.argoproj.io/workflow={run},alula.dev/task={task}"
    found = road.place.cluster.api.list("v1", "Pod", road.place.namespace, labels=labels)
    return sorted(found, key=lambda pod: pod["metadata"]["annotations"]["workflows.argoproj.io/node-name"])


def _memory(pod: installing.Object) -> tuple[str, str, str]:
    main = next(each for each in pod["spec"]["containers"] if each["name"] == "main")
    variables = {each["name"]: each.get("value", "") for each in main["env"]}
    sides = main["resources"]
    return sides["requests"]["memory"], sides["limits"]["memory"], variables["ALULA_MEMORY"]


def test_memory_grows_after_a_kill_for_lack_of_it_and_never_falls_back(road: Road, runs: dict[str, str]) -> None:
    run = road.place.ended(runs["attempts"], 120)
    nodes = {node["name"]: node for node in argo.read(run["status"]).values()}
    shown = {name: (node["phase"], node.get("message", "")[:200]) for name, node in nodes.items()}
    assert run["status"]["phase"] == "Succeeded", shown
    assert [_memory(pod) for pod in _attempts(road, runs["attempts"], "hungry")] == [
        ("100Mi", "150Mi", "150Mi"),
        ("150Mi", "225Mi", "225Mi"),  # after a kill
        ("150Mi", "225Mi", "225Mi"),  # after a failure of the code
        ("225Mi", "300Mi", "300Mi"),  # after another kill
        ("225Mi", "300Mi", "300Mi"),  # after an eviction, which leaves no message of the pod's
    ]
    killed = nodes[f"{runs['attempts']}.hungry(0)"]["message"]
    assert killed.startswith("main: OOMKilled (exit code 137)") and killed.endswith("(memory 150Mi)")
    assert ", attempt 2, memory 225Mi)" in nodes[f"{runs['attempts']}.hungry(1)"]["message"]
    assert json.loads(nodes[runs["attempts"]]["outputs"]["parameters"][0]["value"]) == "300Mi"


def test_no_attempt_follows_a_kill_with_the_most_memory(road: Road, runs: dict[str, str]) -> None:
    run = road.place.ended(runs["starving"], 120)
    assert run["status"]["phase"] == "Failed"
    assert [_memory(pod) for pod in _attempts(road, runs["starving"], "insatiable")] == [
        ("1Gi", "1Gi", "1Gi"),
        ("2Gi", "2Gi", "2Gi"),
    ]


def test_a_backoff_is_waited_for_between_two_attempts(road: Road, runs: dict[str, str]) -> None:
    run = road.place.ended(runs["starving"], 120)
    nodes = {node["name"]: node for node in argo.read(run["status"]).values()}
    first, second = (nodes[f"{runs['starving']}.insatiable({attempt})"] for attempt in (0, 1))
    waited = _moment(second["startedAt"]) - _moment(first["finishedAt"])
    assert waited.total_seconds() >= 3


def _moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def test_a_call_without_the_cache_runs_where_another_finds_what_is_there(road: Road, runs: dict[str, str]) -> None:
    run = road.place.ended(runs["anew"], 120)
    root = next(node for node in argo.read(run["status"]).values() if node["name"] == runs["anew"])
    assert json.loads(root["outputs"]["parameters"][0]["value"]) == [True, False]


def test_an_interruptible_task_is_on_such_a_node_while_its_loss_is_forgiven(road: Road, runs: dict[str, str]) -> None:
    road.place.ended(runs["attempts"], 120)
    first, last = (pod["spec"] for pod in _attempts(road, runs["attempts"], "interrupted"))
    tolerated = {"key": "cloud.example.org/spot", "operator": "Exists", "effect": "NoSchedule"}
    assert first["nodeSelector"] == SPOT and not first.get("affinity")
    assert tolerated in first["tolerations"] and tolerated not in last["tolerations"]
    assert "nodeSelector" not in last
    term = {"matchExpressions": [{"key": "cloud.example.org/spot", "operator": "NotIn", "values": ["true"]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    assert last["affinity"] == {"nodeAffinity": required}
    assert {each["name"] for each in last["containers"]} == {"wait", "main"}, "the patch of all pods is there too"
    assert last["automountServiceAccountToken"] is False
