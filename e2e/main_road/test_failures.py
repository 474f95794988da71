"""What becomes of a run after a failure, in Argo: each case of `tests/engine` ends as it does in the local runner.

Apart from `test_conformance`, because time counts here: a task fails while another one is at work.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping

import pytest

from alula_api.argo import nodes as argo
from alula_api.contract import lists
from e2e import conformance, installing
from e2e.main_road.conftest import Road, engine, made, registered
from tests.engine import table
from tests.engine.cases import FAILURES, Case


@pytest.fixture(scope="module")
def road(installation: installing.Installation, tmp_path_factory: pytest.TempPathFactory) -> Road:
    """The workflows, registered and applied, with their code "in the image"."""
    folder, files = tmp_path_factory.mktemp("failures"), engine("failures.py")
    return registered(installation, folder, "failures", files, folders={"SIGNALS": "signals"})


@pytest.fixture(scope="module")
def handled(road: Road) -> tuple[str, str, str]:
    """Runs with handlers: one that fails, one that ends well, and one whose handler fails too."""
    road.place.ready("Workflow", "failures-handled")
    failed, well, worse = (road.place.run("failures-handled", {"n": str(n)}) for n in (2, 1, 4))
    return failed, well, worse


@pytest.fixture(scope="module")
def ended(road: Road, handled: tuple[str, str, str]) -> dict[str, conformance.Ended]:
    """The run of each case, no more at a time than have a place among the pods with all that they run."""
    for case in FAILURES:
        road.place.ready("Workflow", conformance.workflow(case))
    by_name = {case.workflow.partition(":")[2]: case for case in FAILURES}
    late = _started(road, by_name.pop("late"))
    first = [by_name.pop(name) for name in ("drained", "aborted")]
    found = {}
    for group in (first, list(by_name.values())):
        runs = {_started(road, case): case for case in group}
        _drive(road, runs)
        found |= {case.name: conformance.ended(road.place, run, 300) for run, case in runs.items()}
    return found | {case.name: conformance.ended(road.place, late, 300) for case in FAILURES if case.name not in found}


def _started(road: Road, case: Case) -> str:
    return road.place.run(conformance.workflow(case), {name: json.dumps(value) for name, value in case.inputs.items()})


def _drive(road: Road, runs: Mapping[str, Case]) -> None:
    """Let the first task of each run fail when all that stand beside it are at work, and let those go on when the
    controller has seen the failure.
    """
    api, pods, signals = road.place.cluster.api, road.place.cluster.pods, road.project / "signals"
    waiting = dict(runs)
    deadline = time.monotonic() + 240
    while waiting and time.monotonic() < deadline:
        for run, case in list(waiting.items()):
            mark = case.workflow.partition(":")[2]
            beside = sum(not path.endswith("after") for path in (*case.done, *case.failed))
            at_work = [pod for pod in pods.started(run, road.place.namespace) if pod.started]
            if len(at_work) >= beside:
                (signals / f"{mark}.fail").touch()
            found = api.get("argoproj.io/v1alpha1", "Workflow", run, road.place.namespace)
            over = found.get("status", {}).get("phase") in ("Failed", "Error", "Succeeded")
            if over or found["spec"].get("suspend") or (mark == "continued" and len(at_work) >= beside):
                (signals / f"{mark}.go").touch()
                del waiting[run]
        time.sleep(0.5)


@pytest.mark.parametrize("case", FAILURES, ids=lambda case: case.name)
def test_in_argo_it_ends_as_it_must(
    road: Road, ended: dict[str, conformance.Ended], case: Case, record_property: Callable[[str, object], None]
) -> None:
    record_property(table.PROCESSES, case.name)
    run = ended[case.name]
    conformance.check(case, run)
    phases = {path: node["phase"] for path, node in run.nodes.items()}
    assert [phases[path] for path in case.done] == ["Succeeded"] * len(case.done), phases
    assert [phases[path] for path in case.failed] == ["Failed"] * len(case.failed), phases
    pods = road.place.cluster.pods.started(workflow=run.run, namespace=road.place.namespace)
    assert len(pods) == len(case.done) + len(case.failed), phases
    first = "the run took" if "deadline" in case.message else f"{case.failed[0]} failed: ValueError: failed on"
    assert run.message.startswith(first)
    assert case.message in run.message


# Handlers


def test_handlers_run_after_a_failure_and_get_what_failed_and_after_a_success_only_that_of_the_exit(
    road: Road, handled: tuple[str, str, str]
) -> None:
    failed, well, worse = handled
    assert road.place.ended(failed)["status"]["phase"] == "Failed"
    found = road.handlers(failed)
    assert {event: run["status"]["phase"] for event, run in found.items()} == {
        "failure": "Succeeded",
        "exit": "Succeeded",
    }
    said = made(found["failure"], "failures-mend.note")
    assert said.startswith("all failed at even: ValueError: { {=1+1} } is not odd: 2")
    assert made(found["exit"], "note").startswith("it failed at even: ValueError: { {=1+1} } is not odd: 2")
    assert road.place.ended(well)["status"]["phase"] == "Succeeded"
    found = road.handlers(well)
    assert list(found) == ["exit"]
    assert made(found["exit"], "note") == "it ended well"
    ended = road.place.ended(worse)
    found = road.handlers(worse)
    assert {run["status"]["phase"] for run in found.values()} == {"Failed"}, "a handler's failure is its own"
    assert ended["status"]["message"].startswith("even failed: ValueError: { {=1+1} } is not odd: 4")


def test_a_handler_runs_after_a_stop_and_not_after_a_termination_or_a_refusal(road: Road) -> None:
    road.place.ready("Workflow", "failures-stopped")
    refused = road.place.run("failures-stopped", {"n": '"no number"'})
    stopped, terminated = (road.place.run("failures-stopped", {"n": "1"}) for _ in range(2))
    cluster, namespace = road.place.cluster, road.place.namespace
    assert road.place.ended(refused)["status"]["phase"] == "Failed"
    assert road.handlers(refused) == {}
    for run in (stopped, terminated):
        deadline = time.monotonic() + 120
        while not cluster.pods.started(run, namespace) and time.monotonic() < deadline:
            time.sleep(0.5)
    installing.alula(cluster, "stop", stopped, "--namespace", namespace, "--why", "enough", cwd=road.project)
    patch = {"spec": {"shutdown": "Terminate"}}
    cluster.kubectl(
        "-n", namespace, "patch", "workflows.argoproj.io", terminated, "--type=merge", "-p", json.dumps(patch)
    )
    assert "stopped: enough" in road.place.ended(stopped)["status"]["message"]
    found = road.handlers(stopped)
    assert list(found) == ["exit"]
    assert made(found["exit"], "note") == "it failed at : stopped: enough"
    road.place.ended(terminated)
    assert road.handlers(terminated) == {}


AT_WORK = {"choose.then.rest", "rest.item(0:0)", "rest.item(1:1)", "again.round-1", "sub.slow"}


@pytest.mark.parametrize(
    ("how", "said"),
    [("stop", "stopped: enough"), ("terminate", "Terminate"), ("deadline", "the run took longer than its deadline")],
)
def test_a_run_ends_at_once_in_a_branch_a_map_a_repeat_and_a_sub_workflow(road: Road, how: str, said: str) -> None:
    cluster, namespace = road.place.cluster, road.place.namespace
    name, inside = ("everywhere-late", "all.") if how == "deadline" else ("everywhere", "")
    road.place.ready("Workflow", f"failures-{name}")
    run = road.place.run(f"failures-{name}", {"n": "1"})

    def at_work() -> set[str]:
        found = (pod.node for pod in cluster.pods.started(run, namespace) if pod.started)
        return {node.removeprefix(f"{run}.{inside}").removesuffix("(0)") for node in found}

    deadline = time.monotonic() + 120
    while how != "deadline" and at_work() != AT_WORK and time.monotonic() < deadline:
        time.sleep(0.2)
    if how == "stop":
        installing.alula(cluster, "stop", run, "--namespace", namespace, "--why", "enough", cwd=road.project)
    elif how == "terminate":
        patch = json.dumps({"spec": {"shutdown": "Terminate"}})
        cluster.kubectl("-n", namespace, "patch", "workflows.argoproj.io", run, "--type=merge", "-p", patch)
    ended = conformance.settled(road.place, run, 90)
    nodes = argo.read(ended["status"])
    shown = {node["name"].removeprefix(f"{run}.{inside}"): node["phase"] for node in nodes.values()}
    assert ended["status"]["phase"] == "Failed", shown
    began = at_work()  # on a busy machine a deadline may come before all have begun
    assert began <= AT_WORK and began and (how == "deadline" or began == AT_WORK), "nothing behind them began"
    assert {shown[path] for path in began} == {"Failed"}, shown
    assert "Running" not in shown.values(), shown
    assert said in ended["status"].get("message", ""), shown


@dataclasses.dataclass(frozen=True)
class Mended:
    """Two runs that failed, after what they failed for was mended: one to retry, and the copy of one, made with what
    was done in it, in a domain without the policies that refuse such a copy.
    """

    failed: str
    place: installing.Place
    copy: str


@pytest.fixture(scope="module")
def mended(road: Road, installation: installing.Installation, ended: dict[str, installing.Object]) -> Mended:
    """Both, with the copy under way."""
    free = Road(installation.place("copied", "dev", "off"), road.project, road.gitops)
    free.register("failures.py")
    free.apply()
    road.place.ready("Workflow", "failures-retried")
    free.place.ready("Workflow", "failures-copied")
    run = road.place.run("failures-retried", {"n": "1"})
    other = free.place.run("failures-copied", {"n": "1"})
    for place, name in ((road.place, run), (free.place, other)):
        assert place.ended(name)["status"]["phase"] == "Failed"
    (road.project / "signals" / "mended").touch()
    done = road.place.cluster.argo("resubmit", "--memoized", other, "-n", free.place.namespace, "-o", "name")
    return Mended(run, free.place, done.stdout.strip().rpartition("/")[2])


def test_a_run_that_failed_in_a_branch_a_map_and_a_repeat_goes_on_there_when_argo_retries_it(
    road: Road, mended: Mended
) -> None:
    cluster, namespace, run = road.place.cluster, road.place.namespace, mended.failed
    before = cluster.pods.started(run, namespace)
    cluster.argo("retry", run, "-n", namespace)
    found = road.place.ended(run)
    nodes = {node["name"].removeprefix(f"{run}."): node for node in argo.read(found["status"]).values()}
    shown = {path: (node["phase"], node.get("message", "")) for path, node in nodes.items()}
    assert found["status"]["phase"] == "Succeeded", shown
    made = {each["name"]: json.loads(each["value"]) for each in nodes[run]["outputs"]["parameters"]}
    listed = lists.read(made["o1"])
    assert listed is not None
    assert (made["o0"], listed.values(), made["o2"]) == (4, [1, 2, 3], 4)
    assert shown["mended-2.round-4"][0] == "Skipped"
    # Anew: what had failed, and what is behind it.
    again = {
        pod.node.removeprefix(f"{run}.").removesuffix("(0)")
        for pod in cluster.pods.started(run, namespace)[len(before) :]
    }
    failed = {"choose.then.mended", "mended.item(1:1)", "mended-2.round-2"}
    assert again == failed | {"choose.then.inc", "behind", "mended-2.round-3", "last"}


def test_a_copy_with_what_was_done_in_another_run_ends_though_argo_leaves_its_graphs_pending(mended: Mended) -> None:
    found = mended.place.ended(mended.copy)
    nodes = {node["name"].removeprefix(f"{mended.copy}."): node for node in argo.read(found["status"]).values()}
    shown = {path: (node["phase"], node.get("message", "")) for path, node in nodes.items()}
    assert found["status"]["phase"] == "Succeeded", shown
    ran = mended.place.cluster.pods.started(mended.copy, mended.place.namespace)
    again = {pod.node.removeprefix(f"{mended.copy}.").partition("(")[0] for pod in ran}
    assert {"behind", "last"} <= again <= {"behind", "last", "inc"}
    assert {node["phase"] for node in nodes.values()} <= {"Succeeded", "Skipped", "Omitted"}, shown
