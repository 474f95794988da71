"""`alula run --remote` on the real servers when things do not go smoothly: what people see, and what becomes of it."""

from __future__ import annotations

import json
import pathlib
import re
import signal
import sys
import time
from collections.abc import Callable

import pytest

from e2e import installing
from e2e.cluster import processes
from e2e.main_road.conftest import Road, registered

SOURCE = '''
import time
from alula import Backoff, File, ImperativeWorkflow, NonRecoverable, Retries, conditional, map_task, task, workflow


class NoPenguins(Exception):
    """Says what is missing."""


@task(retries=Retries(1, Backoff("1s")))
def fail(times: int) -> int:
    raise NoPenguins(f"none of {times} left\\nsend more")


@task(retries=3)
def give_up(times: int) -> int:
    raise NonRecoverable("no use")


@task
def count(table: File["csv"]) -> int:
    return len(table.read_text().splitlines())


@task
def inflate(size: int) -> str:
    return "x" * size


@task
def rest(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


@workflow
def inner(times: int) -> int:
    return fail(times)


@workflow
def failing(times: int = 3) -> int:
    return inner(times)


@workflow
def hopeless(times: int = 3) -> int:
    return give_up(times)


@workflow
def counting(table: File["csv"]) -> int:
    return count(table)


@workflow
def inflating(size: int = 10_000) -> str:
    return inflate(size)


@workflow
def resting(seconds: float = 0.0) -> float:
    return rest(seconds)


@task
def half(n: int) -> float:
    return n / 2


def halving(city: str, *more: int) -> ImperativeWorkflow:
    """The workflow of a city, by a program."""
    wf = ImperativeWorkflow(f"halve-{city}", description=f"Halves of {city}.")
    n = wf.add_input("n", int, default=3)
    first = wf.add(half.named(f"half-of-{city}"), n)
    wf.add_output("all", wf.add(map_task(half), [n, *more]), list[float])
    with wf:
        wf.add_output("said", conditional("large").if_(first > 2).then("large").else_().then("small"), str)
    return wf


OSLO, LIMA = halving("oslo", 8), halving("lima")
'''


@pytest.fixture(scope="module")
def road(installation: installing.Installation, tmp_path_factory: pytest.TempPathFactory) -> Road:
    """A project of workflows that go wrong in their own ways, applied a moment ago."""
    return registered(installation, tmp_path_factory.mktemp("remote"), "remote", {"going.py": SOURCE})


class Command:
    """`alula run --remote` that goes on while a test does something else."""

    def __init__(self, road: Road, *words: str) -> None:
        argv = [sys.executable, "-m", "alula", "run", "--remote", *words]
        name = f"alula-run-{time.monotonic_ns()}"
        self.process: processes.Process = road.place.cluster.spawn(name, argv, cwd=road.project)

    @property
    def said(self) -> str:
        return self.process.log.read_text()

    def says(self, pattern: str, seconds: float = 60) -> re.Match[str]:
        """Wait until it has said this."""
        deadline = time.monotonic() + seconds
        while (found := re.search(pattern, self.said, re.MULTILINE)) is None:
            assert time.monotonic() < deadline and self.process.poll() is None, f"it never said {pattern}:\n{self.said}"
            time.sleep(0.1)
        return found

    def started(self) -> str:
        return self.says(r"^started (\S+) in remote-dev$")[1]


def eventually(found: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_what_was_applied_a_moment_ago_is_waited_for_and_runs(road: Road) -> None:
    done = road.alula("run", "--remote", "going.py:resting")
    assert done.stdout == "result  0.0\n"
    assert re.search(r"^\[ *[0-9.ms]+\] rest done in [0-9.]+s?m?s$", done.stderr, re.MULTILINE), done.stderr
    assert re.search(r"^going-resting succeeded in \S+: 1 task, 1 ran$", done.stderr, re.MULTILINE), done.stderr


def test_workflows_that_a_program_put_together_run_under_their_own_names(road: Road) -> None:
    for name, words, outputs in (
        ("OSLO", ["--n", "5"], {"all": [2.5, 4.0], "said": "large"}),
        ("LIMA", [], {"all": [1.5], "said": "small"}),
    ):
        done = road.alula("run", "--remote", "--json", f"going.py:{name}", *words)
        told = json.loads(done.stdout)
        assert (told["workflow"], told["ok"], told["outputs"]) == (f"halve-{name.lower()}", True, outputs)
        assert re.search(rf"^started halve-{name.lower()}-\w+ in remote-dev$", done.stderr, re.MULTILINE), done.stderr
        assert [node["id"] for node in told["nodes"]][:2] == [f"half-of-{name.lower()}", "half(0)"]


def test_a_failed_run_shows_the_users_own_error_and_every_attempt(road: Road, tmp_path: pathlib.Path) -> None:
    done = road.alula("run", "--remote", "going.py:failing", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        "] going-inner.fail attempt 1 of 2 failed: going.NoPenguins: none of 3 left; again in 1.0s\n" in done.stderr
    ), done.stderr
    assert "attempt 2 of 2 failed: " not in done.stderr
    assert re.search(
        r"^✗ going-inner\.fail failed \(\S*going\.py:\d+, attempt 2 of 2, after \S+\)\n\n"
        r"  Traceback \(most recent call last\):\n"
        r'    File ".*going\.py", line \d+, in fail\n',
        done.stderr,
        re.MULTILINE,
    ), done.stderr
    assert "\n  going.NoPenguins: none of 3 left\n  send more\n" in done.stderr, done.stderr
    (name,) = re.findall(r"^started (\S+) in remote-dev$", done.stderr, re.MULTILINE)
    command = re.findall(r"^logs: (kubectl logs .*)$", done.stderr, re.MULTILINE)[0].split()
    assert "NoPenguins: none of 3 left" in road.place.cluster.kubectl(*command[1:]).stdout
    assert name in command[5]
    _is_told_again(road, name, tmp_path)


def _is_told_again(road: Road, name: str, elsewhere: pathlib.Path) -> None:
    """`alula why` tells of that run where none of the project's code is, by the revision that the run follows."""
    words = ["why", "-n", "remote-dev", name]
    environment = road.place.bucket.environment()
    done = installing.alula(road.place.cluster, *words, cwd=elsewhere, env=environment, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith(f"{name} of going-failing in remote-dev, started by `alula run --remote`, began ")
    assert "\ngoing-failing failed after " in done.stdout and ": 1 task, 1 failed\n" in done.stdout, done.stdout
    assert re.search(r"^✗ going-inner\.fail failed \(\S*going\.py:\d+, attempt 2 of 2, ", done.stdout, re.MULTILINE)
    assert "\n  going.NoPenguins: none of 3 left\n  send more\n" in done.stdout, done.stdout
    assert re.search(r"^  inputs\n    times  3$", done.stdout, re.MULTILINE), done.stdout
    assert "\nit ended" not in done.stdout and "these are the words of pods" not in done.stdout
    told = json.loads(
        installing.alula(road.place.cluster, *words, "--json", cwd=elsewhere, env=environment, check=False).stdout
    )
    assert (told["ok"], told["nodes"][0]["attempts"], told["error"]["node"]) == (False, 2, "going-inner.fail")
    assert told["error"]["message"] == "none of 3 left\nsend more"
    unknown = installing.alula(road.place.cluster, *words[:3], f"{name[:-1]}_", cwd=elsewhere, check=False)
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert f"hint: did you mean {name}?" in unknown.stderr, unknown.stderr


def test_a_task_that_cannot_be_helped_is_said_not_to_have_been_tried_again(road: Road) -> None:
    words = ["run", "--remote", "--json", "going.py:hopeless"]
    environment = road.place.bucket.environment()
    done = installing.alula(road.place.cluster, *words, cwd=road.project, env=environment, check=False)
    assert done.returncode == 1
    told = json.loads(done.stdout)
    (node,) = told["nodes"]
    assert (told["ok"], told["outputs"], told["error"]["node"], node["state"]) == (False, {}, node["id"], "failed")
    assert (node["attempts"], node["error"]["retryable"], node["error"]["inputs"]) == (1, False, {"times": "3"}), node
    assert "attempt 1 of 4" in done.stderr and "not tried again" in done.stderr
    assert "attempt 2" not in done.stderr


def test_a_file_that_is_given_is_uploaded_to_where_the_cluster_says(road: Road, tmp_path: pathlib.Path) -> None:
    (tmp_path / "birds.csv").write_text("a\nb\nc\n")
    words = ["run", "--remote", "--json", "going.py:counting", "--table", str(tmp_path / "birds.csv")]
    done = installing.alula(road.place.cluster, *words, cwd=road.project, env=road.place.bucket.environment())
    assert json.loads(done.stdout)["outputs"] == {"o0": 3}


def test_a_large_output_is_read_from_the_store_by_those_who_may(road: Road) -> None:
    words = ["run", "--remote", "--json", "going.py:inflating"]
    done = installing.alula(road.place.cluster, *words, cwd=road.project, env=road.place.bucket.environment())
    assert json.loads(done.stdout)["outputs"] == {"o0": "x" * 10_000}


def test_a_held_run_says_what_it_waits_for_and_an_interrupt_leaves_it_going(
    road: Road, installation: installing.Installation
) -> None:
    installation.kill()
    try:
        command = Command(road, "going.py:resting")
        name = command.started()
        command.says(r"^waiting to be admitted$")
        command.process.signal(signal.SIGINT)
        assert command.process.wait(30) == 130
        assert f"{name} goes on without you: see it by `alula why {name} -n remote-dev`\n" in command.said
        assert "Traceback" not in command.said
        done = road.alula("why", name, check=False)
        assert (done.returncode, done.stderr) == (3, "")
        assert "\nit is not over: it waits to be admitted\n" in done.stdout, done.stdout
    finally:
        installation.start()
    assert road.place.ended(name)["status"]["phase"] == "Succeeded"
    told = json.loads(road.alula("why", "--json", name).stdout)
    assert (told["ok"], told["outputs"]) == (True, {"o0": 0.0})


def test_a_run_that_is_deleted_while_it_is_followed_is_told(road: Road) -> None:
    pods = road.place.cluster.pods
    pods.hold("*rest*")
    try:
        command = Command(road, "going.py:resting", "--seconds", "1")
        name = command.started()
        command.says(r"rest started")
        road.place.cluster.kubectl("delete", "workflows.argoproj.io", name, "-n", "remote-dev", "--wait=false")
        assert command.process.wait(30) == 1
    finally:
        pods.release("*rest*")
    assert f"error RUN_STOPPED: run {name} was deleted while it was followed" in command.said


def test_a_run_that_is_stopped_is_shown_as_stopped(road: Road) -> None:
    command = Command(road, "going.py:resting", "--seconds", "60")
    name = command.started()
    command.says(r"rest started")
    eventually(lambda: bool(road.place.cluster.pods.started(workflow=name, namespace="remote-dev")))
    road.place.cluster.argo("terminate", name, "-n", "remote-dev")
    assert command.process.wait(60) == 1
    assert re.search(r"^going-resting failed after \S+: 1 task, 1 stopped$", command.said, re.MULTILINE), command.said
    done = road.alula("why", name, check=False)
    assert done.returncode == 1
    assert "\n\nit ended: Stopped with strategy 'Terminate'\n" in done.stdout, done.stdout


def test_a_run_that_came_before_argo_had_seen_its_template_is_started_anew(
    road: Road, installation: installing.Installation
) -> None:
    cluster, argo = road.place.cluster, installing.ARGO
    template = cluster.api.get(argo, "WorkflowTemplate", "going-resting", "remote-dev")
    installation.kill()
    try:
        cluster.api.delete(argo, "WorkflowTemplate", "going-resting", "remote-dev")
        time.sleep(2)  # until Argo has seen that too
        command = Command(road, "going.py:resting")
        command.says(r"^Argo had not yet seen the template going-resting: starting the run anew$")
        kept = ("name", "labels", "annotations", "ownerReferences")
        metadata = {key: value for key, value in template["metadata"].items() if key in kept}
        controller = cluster.api.acting_as("system:serviceaccount:alula-system:alula-controller")
        controller.create({**template, "metadata": metadata}, "remote-dev")
    finally:
        installation.start()
    assert command.process.wait(90) == 0
    first, second = re.findall(r"^started (\S+) in remote-dev$", command.said, re.MULTILINE)
    assert first != second
    assert "result  0.0\n" in command.said
    assert road.place.ended(first)["status"]["phase"] == "Error"


RIGHTS = [
    {"apiGroups": ["alula.dev"], "resources": ["workflows", "launchplans"], "verbs": ["get"]},
    {"apiGroups": ["argoproj.io"], "resources": ["workflows"], "verbs": ["get", "create"]},
]


def test_a_user_with_the_least_rights_starts_and_follows_runs(road: Road) -> None:
    user = road.place.cluster.user("ada", RIGHTS, "remote-dev")
    words = ["run", "--remote", "going.py:resting"]
    done = installing.alula(road.place.cluster, *words, cwd=road.project, env={"KUBECONFIG": str(user.kubeconfig)})
    assert done.stdout == "result  0.0\n"
    (name,) = re.findall(r"^started (\S+) in remote-dev$", done.stderr, re.MULTILINE)
    told = installing.alula(road.place.cluster, "why", name, cwd=road.project, env={"KUBECONFIG": str(user.kubeconfig)})
    assert ": going-resting succeeded in " in told.stdout and ": 1 task, 1 " in told.stdout, told.stdout


def test_a_user_who_may_only_look_is_told_what_is_not_allowed(road: Road) -> None:
    looking = [{**RIGHTS[0]}, {**RIGHTS[1], "verbs": ["get"]}]
    user = road.place.cluster.user("bob", looking, "remote-dev")
    words = ["run", "--remote", "going.py:resting"]
    done = installing.alula(
        road.place.cluster, *words, cwd=road.project, env={"KUBECONFIG": str(user.kubeconfig)}, check=False
    )
    assert done.returncode == 1
    assert (
        "error CLUSTER: you may not start a run in namespace remote-dev: workflows.argoproj.io is forbidden"
        in done.stderr
    )
    assert 'User "system:serviceaccount:remote-dev:bob" cannot create resource' in done.stderr
    assert user.token not in done.stderr
