"""`alula queue` and `alula admit`, against a connection that answers from memory."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from alula.cli import admit, cluster_flags, flags, queue
from alula.remote import queues
from alula.remote.refusals import RemoteError
from alula_api.contract import labels

NOW = 1_764_400_000.0


def metadata(name: str, created: str, plan: str = "", **more: Any) -> dict[str, Any]:
    marks = {labels.REVISION: "r"} | ({labels.LAUNCH_PLAN: plan} if plan else {}) | more.pop("labels", {})
    return {"name": name, "uid": f"uid-{name}", "creationTimestamp": created, "labels": marks, **more}


class Cluster:
    namespace = "penguins-dev"

    def __init__(self, spec: dict[str, Any], runs: list[dict[str, Any]], intents: tuple[str, ...] = ()) -> None:
        ledger = [{"uid": f"uid-{name}", "name": name} for name in intents]
        self._domain = {"spec": spec, "status": {"admission": {"intents": ledger}}}
        self._runs = runs
        self.annotated: list[tuple[str, str, dict[str, str]]] = []

    def domain(self) -> dict[str, Any]:
        return self._domain

    def metadata(self, what: str, plural: str, selector: str) -> list[dict[str, Any]]:
        if plural == "workflows":
            return self._runs
        return [{"name": "lp-nightly", "annotations": {labels.QUEUE: '{"running":1}'}}]

    def annotate(self, name: str, uid: str, annotations: dict[str, str]) -> None:
        self.annotated.append((name, uid, annotations))

    def close(self) -> None:
        pass


RUNS = [
    metadata("busy", "2025-11-29T06:00:00Z", "nightly", labels={labels.ADMITTED: "uid-busy.1"}),
    metadata("again", "2025-11-29T07:00:00Z", "nightly"),
    metadata("chosen", "2025-11-29T07:00:01Z"),
    metadata("mine", "2025-11-29T07:00:02Z"),
]


def scan(rest: list[str], **values: list[flags.Given]) -> flags.Scan:
    found = flags.Scan()
    found.rest, found.values = rest, values
    return found


def test_a_queue_is_shown_with_places_and_reasons() -> None:
    seen = queues.look(Cluster({"quota": {"running": 2}}, RUNS, ("chosen",)), NOW)  # type: ignore[arg-type]
    assert queue.lines(seen, "penguins-dev", NOW) == [
        "penguins-dev: 1 of 2 running, 1 starting, 2 waiting",
        "place  run    of       waited   in about  because",
        "1      again  nightly  0:06:40  -         1 of 1 runs of launch plan nightly are running",
        "2      mine   -        0:06:38  -         2 of 2 runs of the domain are running",
    ]
    told = dataclasses.replace(seen, pace=300)
    assert [line[32:40].strip() for line in queue.lines(told, "penguins-dev", NOW)[2:]] == ["5m", "10m"]


def test_a_domain_without_a_quota_has_no_queue() -> None:
    seen = queues.look(Cluster({}, RUNS), NOW)  # type: ignore[arg-type]
    assert queue.lines(seen, "penguins-dev", NOW) == ["penguins-dev: 1 running, 3 starting, 0 waiting"]


def test_forcing_a_run_marks_it_with_its_own_uid_and_who_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster({"suspend": True}, RUNS)
    monkeypatch.setattr(cluster_flags, "connect", lambda found, here: cluster)
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    assert admit.main(scan(["again"], force=[True])) == 0
    assert cluster.annotated == [("again", "uid-again", {labels.FORCED: "uid-again ada"})]


@pytest.mark.parametrize(("name", "why"), [("gone", "there is no unfinished run gone"), ("busy", "was let go already")])
def test_a_run_that_does_not_wait_cannot_be_forced(name: str, why: str) -> None:
    with pytest.raises(RemoteError, match=why):
        queues.force(Cluster({}, RUNS), name, "ada")  # type: ignore[arg-type]


def test_admit_takes_one_run_and_only_by_force() -> None:
    problems = [each.message for each in admit.check(scan(["one", "two"]))]
    assert problems == ["name one run", "a run is let go by the controller when it is its turn"]
