"""Pods as local processes: what Argo sees of them is what it would see of real ones."""

from __future__ import annotations

import pathlib
import time

import pytest

from e2e.cluster import clusters
from e2e.cluster.tests import runs


@pytest.fixture(scope="module")
def namespace(cluster: clusters.Cluster) -> str:
    return cluster.namespace("process-pods")


def test_a_parameter_passes_from_one_step_to_the_next(cluster: clusters.Cluster, namespace: str) -> None:
    said = "héllo \"quoted\" 'single' \n two lines 🐦"
    hop = {"name": "said", "value": "{{tasks.say.outputs.parameters.said}}"}
    tasks = [
        {"name": "say", "template": "say"},
        {
            "name": "hear",
            "template": "hear",
            "depends": "say.Succeeded",
            "arguments": {"parameters": [hop]},
        },
    ]
    writer = f"open('/var/run/alula/said', 'w').write({said!r})"
    say = runs.template("say", writer, outputs=runs.outputs("said"))
    reader = "import sys; assert sys.argv[1] == sys.argv[2], sys.argv"
    hear = runs.template("hear", reader, "{{inputs.parameters.said}}", said)
    hear["inputs"] = {"parameters": [{"name": "said"}]}

    cluster.apply(runs.workflow("two-steps", {"name": "main", "dag": {"tasks": tasks}}, say, hear), namespace)
    run = cluster.await_workflow(namespace, "two-steps")

    assert run["status"]["phase"] == "Succeeded"
    assert runs.node(run, "say")["outputs"]["parameters"][0]["value"] == said
    started = cluster.pods.started("two-steps", namespace)
    assert [(pod.node, pod.exit_code) for pod in started] == [
        ("two-steps.say", 0),
        ("two-steps.hear", 0),
    ]
    assert not pathlib.Path("/var/run/alula").exists()


def test_the_termination_message_is_what_argo_shows(cluster: clusters.Cluster, namespace: str) -> None:
    program = "open('/dev/termination-log', 'w').write('no penguins left'); raise SystemExit(90)"
    cluster.apply(runs.workflow("message", runs.template("main", program)), namespace)

    run = cluster.await_workflow(namespace, "message")

    assert run["status"]["phase"] == "Failed"
    assert run["status"]["message"] == "main: Error (exit code 90): no penguins left"


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("Error", "main: Error (exit code 137)"),
        ("OOMKilled", "main: OOMKilled (exit code 137)"),
    ],
)
def test_a_pod_killed_by_a_test_ends_with_137(
    cluster: clusters.Cluster, namespace: str, reason: str, message: str
) -> None:
    name = f"killed-{reason.lower()}"
    sleeper = runs.template("main", "import time; time.sleep(600)")
    cluster.apply(runs.workflow(name, sleeper), namespace)

    cluster.pods.await_running(name)
    cluster.pods.kill(name, reason)
    run = cluster.await_workflow(namespace, name)

    assert run["status"]["phase"] == "Failed"
    assert run["status"]["message"] == message


def test_an_evicted_pod_has_a_message_and_no_exit_code(cluster: clusters.Cluster, namespace: str) -> None:
    sleeper = runs.template("main", "import time; time.sleep(600)")
    cluster.apply(runs.workflow("evicted", sleeper), namespace)

    cluster.pods.await_running("evicted")
    cluster.pods.evict("evicted")
    run = cluster.await_workflow(namespace, "evicted")

    assert run["status"]["phase"] == "Failed"
    assert "low on resource" in run["status"]["message"]


def test_a_missing_output_file_without_default_is_an_error(cluster: clusters.Cluster, namespace: str) -> None:
    quiet = runs.template("main", "pass", outputs=runs.outputs("x"))
    cluster.apply(runs.workflow("no-output", quiet), namespace)

    run = cluster.await_workflow(namespace, "no-output")

    assert run["status"]["phase"] == "Error"
    assert "/var/run/alula/x" in run["status"]["message"]


def test_a_deadline_of_the_pod_ends_it(cluster: clusters.Cluster, namespace: str) -> None:
    sleeper = runs.template("main", "import time; time.sleep(600)", activeDeadlineSeconds=2)
    cluster.apply(runs.workflow("late", sleeper), namespace)

    run = cluster.await_workflow(namespace, "late")

    assert run["status"]["phase"] == "Failed"
    assert "longer than the specified deadline" in run["status"]["message"]


def test_a_held_pod_starts_when_it_is_released(cluster: clusters.Cluster, namespace: str) -> None:
    cluster.pods.hold("held*")
    cluster.apply(runs.workflow("held", runs.template("main", "pass")), namespace)

    with pytest.raises(TimeoutError):
        cluster.pods.await_running("held", timeout=3)
    cluster.pods.release("held*")

    assert cluster.await_workflow(namespace, "held")["status"]["phase"] == "Succeeded"


def test_environment_comes_from_secrets_config_maps_and_fields(cluster: clusters.Cluster, namespace: str) -> None:
    store = {"kind": "Secret", "metadata": {"name": "store"}, "stringData": {"key": "s3cr3t"}}
    settings = {"kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"level": "high"}}
    cluster.apply([{"apiVersion": "v1", **item} for item in (store, settings)], namespace)
    env = [
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "store", "key": "key"}}},
        {"name": "LEVEL", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "level"}}},
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "BOTH", "value": "$(KEY)/$(LEVEL)/$$(KEY)/$(NONE)"},
    ]
    program = "import os; print(sorted(os.environ.items()))"
    print_all = runs.template("main", program, container={"env": env})
    cluster.apply(runs.workflow("environment", print_all), namespace)

    run = cluster.await_workflow(namespace, "environment")

    assert run["status"]["phase"] == "Succeeded"
    (pod,) = cluster.pods.started("environment")
    printed = pod.output()
    assert "('BOTH', 's3cr3t/high/$(KEY)/$(NONE)')" in printed
    assert f"('POD', '{pod.name}')" in printed
    assert "SSL_CERT_FILE" not in printed


def test_code_in_the_image_is_what_the_test_says(
    cluster: clusters.Cluster, namespace: str, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "flows.py").write_text("print('hello from the image')")
    cluster.pods.image("example.org/flows:1", {"PYTHONPATH": str(tmp_path)})
    image = {"image": "example.org/flows:1"}
    cluster.apply(runs.workflow("image", runs.template("main", "import flows", container=image)), namespace)

    cluster.await_workflow(namespace, "image")

    (pod,) = cluster.pods.started("image")
    assert pod.output() == "hello from the image\n"


def test_a_deleted_run_takes_its_processes_with_it(
    cluster: clusters.Cluster, namespace: str, tmp_path: pathlib.Path
) -> None:
    beat = tmp_path / "beat"
    program = f"import time\nwhile True: open({str(beat)!r}, 'a').write('.'); time.sleep(.1)"
    cluster.apply(runs.workflow("deleted", runs.template("main", program)), namespace)
    pod = cluster.pods.await_running("deleted")
    while not beat.exists():
        time.sleep(0.05)

    cluster.kubectl("delete", "wf", "deleted", "-n", namespace)
    cluster.kubectl("wait", "--for=delete", f"pod/{pod.name}", "-n", namespace, "--timeout=30s")

    def is_still() -> bool:
        before = beat.stat().st_size
        time.sleep(0.5)
        return beat.stat().st_size == before

    assert any(is_still() for _ in range(10))


def test_a_terminated_run_ends_its_processes(cluster: clusters.Cluster, namespace: str, tmp_path: pathlib.Path) -> None:
    note = tmp_path / "note"
    program = (
        "import signal, sys, time\n"
        f"def stop(*_): open({str(note)!r}, 'w').write('asked'); sys.exit(7)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)"
    )
    cluster.apply(runs.workflow("terminated", runs.template("main", program)), namespace)
    cluster.pods.await_running("terminated")
    while "ready" not in cluster.pods.started("terminated")[0].output():
        time.sleep(0.1)

    cluster.argo("terminate", "terminated", "-n", namespace)
    run = cluster.await_workflow(namespace, "terminated")

    assert run["status"]["phase"] == "Failed"
    deadline = time.monotonic() + 20
    while cluster.pods.started("terminated")[0].exit_code is None:
        assert time.monotonic() < deadline, "the process outlived its run"
        time.sleep(0.1)
    assert cluster.pods.started("terminated")[0].exit_code == 7
    assert note.read_text() == "asked"


def test_a_deadline_of_the_run_ends_its_processes(cluster: clusters.Cluster, namespace: str) -> None:
    sleeper = runs.template("main", "import time; time.sleep(600)")
    cluster.apply(runs.workflow("overdue", sleeper, activeDeadlineSeconds=4), namespace)

    run = cluster.await_workflow(namespace, "overdue")

    assert run["status"]["phase"] == "Failed"
    deadline = time.monotonic() + 20
    while cluster.pods.started("overdue")[0].exit_code is None:
        assert time.monotonic() < deadline, "the process outlived its run"
        time.sleep(0.1)
    assert cluster.pods.started("overdue")[0].exit_code == 128 + 15


def test_long_arguments_arrive_by_file(cluster: clusters.Cluster, namespace: str) -> None:
    reader = "import sys; print(sys.argv[1], len(open(sys.argv[2][1:]).read()))"
    long = runs.template("main", reader, "$$(A)", "x" * 140_000)
    cluster.apply(runs.workflow("long", long), namespace)

    run = cluster.await_workflow(namespace, "long")

    (pod,) = cluster.pods.started("long")
    assert (run["status"]["phase"], pod.output()) == ("Succeeded", "$$(A) 140000\n")


def test_logs_are_read_as_those_of_any_pod(cluster: clusters.Cluster, namespace: str) -> None:
    talker = runs.template("main", "for i in range(5): print('line', i)")
    cluster.apply(runs.workflow("talker", talker), namespace)
    cluster.await_workflow(namespace, "talker")

    (pod,) = cluster.pods.started("talker")
    logs = cluster.kubectl("logs", pod.name, "-c", "main", "-n", namespace, "--tail=2").stdout
    assert logs == "line 3\nline 4\n"
    assert "line 0" in cluster.argo("logs", "talker", "-n", namespace).stdout
