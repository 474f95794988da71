"""A run that is stopped, terminated or past its deadline in each of its phases: held in the queue, waiting for a pod,
between two attempts, draining after a failure, and over, with a handler at work.

`test_failures` has the same for a run that is at work in every construct.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from alula_api.argo import nodes as argo
from alula_api.contract import names
from e2e import installing
from e2e.main_road.conftest import Road, engine, made, registered

PHASES = ("pending", "resting", "draining")
STOPPED = "stopped: enough"
LATE = "the run took longer than its deadline of 40s"
KEPT_BACK = {"pending": "{}.*", "draining": "{}.*side*"}
"""The pods that do not start: all, or that of the task that fails beside the other one."""
BESIDE = "alula.NonRecoverable: failed on purpose beside it"


@pytest.fixture(scope="module")
def road(installation: installing.Installation, tmp_path_factory: pytest.TempPathFactory) -> Road:
    """The workflows, registered and applied, with their code "in the image"."""
    return _ready(registered(installation, tmp_path_factory.mktemp("phases"), "phases", engine("phases.py")))


def _ready(road: Road) -> Road:
    for name in ("phases", "late", "handled"):
        road.place.ready("Workflow", f"phases-{name}")
    return road


@pytest.fixture(scope="module")
def queue(road: Road, installation: installing.Installation) -> Road:
    """The same in a domain that admits nothing."""
    found = Road(installation.place("held", "dev"), road.project, road.gitops)
    suspended = {"spec": {"suspend": True}}
    found.place.cluster.api.patch(installing.ALULA, "Domain", "domain", found.place.namespace, suspended)
    found.register("phases.py")
    found.apply()
    return _ready(found)


@pytest.fixture(scope="module")
def held(queue: Road) -> dict[str, str]:
    """A run of each kind that waits for its admission."""
    started = {how: queue.place.run(_workflow(how), {"phase": '"held"'}) for how in HOW}
    for run in started.values():
        _until(lambda run=run: names.ADMIT in _phases(queue, run))
    return started


@pytest.fixture(scope="module")
def handled(road: Road) -> dict[str, str]:
    """Runs that fail at once, and whose handler is at work for long."""
    return {how: road.place.run("phases-handled", {"phase": '"draining"'}) for how in HOW}


@pytest.fixture(scope="module")
def reached(road: Road, held: dict[str, str], handled: dict[str, str]) -> Iterator[dict[tuple[str, str], str]]:
    """A run for each phase and each end, all started at once and each ended as soon as it is in its phase."""
    pods = road.place.cluster.pods
    started = {}
    for phase in PHASES:
        for how in HOW:
            run = started[phase, how] = road.place.run(_workflow(how), {"phase": json.dumps(phase)})
            if phase in KEPT_BACK:
                pods.hold(KEPT_BACK[phase].format(run))
    for run in (started["draining", how] for how in HOW):
        _until(lambda run=run: "work" in _at_work(road, run))
        pods.release(KEPT_BACK["draining"].format(run))
    for (phase, how), run in started.items():
        if how != "deadline":  # which does not wait until it is looked at
            _until(lambda phase=phase, run=run: IN_PHASE[phase](road, run))
            ENDS[how](road, run)
    yield started
    for how in HOW:
        pods.release(KEPT_BACK["pending"].format(started["pending", how]))


def _workflow(how: str) -> str:
    return "phases-late" if how == "deadline" else "phases-phases"


def _stop(road: Road, run: str) -> None:
    namespace = road.place.namespace
    installing.alula(road.place.cluster, "stop", run, "--namespace", namespace, "--why", "enough", cwd=road.project)


def _terminate(road: Road, run: str) -> None:
    road.place.cluster.api.patch(
        installing.ARGO, "Workflow", run, road.place.namespace, {"spec": {"shutdown": "Terminate"}}
    )


ENDS: dict[str, Callable[[Road, str], None]] = {"stop": _stop, "terminate": _terminate}
HOW = (*ENDS, "deadline")


def _object(road: Road, run: str) -> installing.Object:
    return road.place.cluster.api.get(installing.ARGO, "Workflow", run, road.place.namespace)


def _phases(road: Road, run: str) -> dict[str, str]:
    """What became of each node, by its path in `phases`."""
    found = _object(road, run).get("status", {})
    nodes = argo.read(found).values() if found.get("startedAt") else ()
    return {node["name"].removeprefix(f"{run}.").removeprefix("all."): node["phase"] for node in nodes}


def _at_work(road: Road, run: str, *, ever: bool = False) -> set[str]:
    """The tasks whose process runs, or ever did."""
    pods = road.place.cluster.pods.started(run, road.place.namespace)
    found = (pod.node.removeprefix(f"{run}.").removeprefix("all.") for pod in pods if pod.started)
    ended = {pod.node.removeprefix(f"{run}.").removeprefix("all.") for pod in pods if pod.ended}
    return {node.removesuffix("(0)") for node in found if ever or node not in ended}


IN_PHASE: dict[str, Callable[[Road, str], Any]] = {
    "pending": lambda road, run: _phases(road, run).get("work(0)") == "Pending",
    "resting": lambda road, run: _phases(road, run).get("work(0)") == "Failed",
    "draining": lambda road, run: _object(road, run)["spec"].get("suspend"),
}
RAN: dict[str, set[str]] = {"pending": set(), "resting": {"side", "work"}, "draining": {"side", "work"}}


def _until(what: Callable[[], Any], timeout: float = 120) -> None:
    deadline = time.monotonic() + timeout
    while not what():
        assert time.monotonic() < deadline, f"not within {timeout} s"
        time.sleep(0.2)


def _said(road: Road, run: str) -> str:
    return str(_object(road, run)["status"].get("message", ""))


@pytest.mark.parametrize(
    ("phase", "how", "said", "told"),
    [
        ("pending", "stop", STOPPED, f": {STOPPED}"),
        ("resting", "stop", STOPPED, f": {STOPPED}"),
        ("draining", "stop", STOPPED, f": {STOPPED}"),
        ("pending", "terminate", "Terminate", ""),
        ("resting", "terminate", "Terminate", ""),
        ("draining", "terminate", "Terminate", ""),
        ("pending", "deadline", LATE, f": {LATE}"),
        ("resting", "deadline", LATE, f": {LATE}"),
        ("draining", "deadline", f"all.side failed: {BESIDE}", f"all.side: {BESIDE}"),
    ],
)
def test_a_run_ends_in_each_phase_with_its_reason_and_its_handler_unless_it_is_terminated(
    road: Road, reached: dict[tuple[str, str], str], phase: str, how: str, said: str, told: str
) -> None:
    run = reached[phase, how]
    assert road.place.ended(run, 120)["status"]["phase"] == "Failed"
    found = road.started_handlers(run)
    assert set(found) == ({"exit"} if told else set())
    if told:
        assert made(road.place.ended(found["exit"]), "note").startswith(told)
    assert said in _said(road, run)
    _until(lambda: not _at_work(road, run))
    assert _at_work(road, run, ever=True) == RAN[phase]
    assert not {"Running", "Pending"}.intersection(_phases(road, run).values()), _phases(road, run)


@pytest.mark.parametrize(("how", "said"), [("stop", STOPPED), ("terminate", "Terminate")])
def test_a_run_that_waits_in_the_queue_ends_without_a_pod_and_without_a_handler(
    queue: Road, held: dict[str, str], how: str, said: str
) -> None:
    run = held[how]
    ENDS[how](queue, run)
    assert queue.place.ended(run)["status"]["phase"] == "Failed"
    assert said in _said(queue, run)
    assert queue.started_handlers(run) == {}
    assert _at_work(queue, run, ever=True) == set()


def test_the_time_in_the_queue_does_not_count_for_the_deadline(
    queue: Road, held: dict[str, str], reached: dict[tuple[str, str], str], road: Road
) -> None:
    run = held["deadline"]
    for each in ("pending", "resting", "draining"):
        road.place.ended(reached[each, "deadline"], 120)  # those with the same deadline, which began after it
    assert _phases(queue, run)[names.ADMIT] == "Running"
    queue.place.cluster.api.patch(
        installing.ALULA, "Domain", "domain", queue.place.namespace, {"spec": {"suspend": None}}
    )
    _until(lambda: "work" in _at_work(queue, run))
    time.sleep(5)  # in which Argo would have ended it
    assert "work" in _at_work(queue, run)
    _terminate(queue, run)


@pytest.mark.parametrize(("how", "said"), [("stop", STOPPED), ("terminate", "Terminate")])
def test_a_handler_that_is_ended_leaves_the_run_and_the_other_handler_as_they_are(
    road: Road, handled: dict[str, str], how: str, said: str
) -> None:
    run = handled[how]
    found = road.started_handlers(run)
    _until(lambda: "slowly" in _at_work(road, found["failure"]))
    ENDS[how](road, found["failure"])
    assert road.place.ended(found["failure"])["status"]["phase"] == "Failed"
    assert said in _said(road, found["failure"])
    _until(lambda: not _at_work(road, found["failure"]))
    assert made(road.place.ended(found["exit"]), "note") == f"side: {_said(road, run).removeprefix('side failed: ')}"
    assert _said(road, run).startswith(f"side failed: {BESIDE}")


def test_the_deadline_of_a_run_does_not_end_its_handler(road: Road, handled: dict[str, str]) -> None:
    run = handled["deadline"]
    handler = road.started_handlers(run)["failure"]
    _until(lambda: "slowly" in _at_work(road, handler))
    time.sleep(18)  # longer than the deadline
    assert _object(road, handler)["status"]["phase"] == "Running"
    assert "slowly" in _at_work(road, handler)
    _stop(road, handler)
    road.place.ended(handler)
    assert _said(road, run).startswith(f"side failed: {BESIDE}")
