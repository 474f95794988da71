"""`alula launch` and `alula backfill`, against a connection that answers from memory."""

from __future__ import annotations

from typing import Any

import pytest

from alula import errors
from alula.cli import backfill, cluster_flags, command, launch
from alula.remote.refusals import RemoteError
from alula_api.argo.runs import COMPLETED_LABEL, PHASE_LABEL
from alula_api.contract import labels, names
from alula_api.contract.timetables import Schedule

SCHEDULE = Schedule(("0 2 * * *",), "Europe/Berlin", input="when", form="date")
RANGE = ("--from", "2026-03-28T00:00:00Z", "--to", "2026-03-31T00:00:00Z")
TICKS = (1774659600, 1774746000, 1774828800)  # 02:00, 03:00 where there is no 02:00, 02:00 in summer


class Cluster:
    """One launch plan and its runs; each that is made is over when it is looked at next."""

    namespace = "penguins-dev"

    def __init__(self, schedule: Schedule | None = SCHEDULE) -> None:
        self.template = {"name": "lp-nightly", "annotations": {labels.SCHEDULE: schedule.to_text()} if schedule else {}}
        self.runs: dict[str, dict[str, Any]] = {}
        self.unfinished = 0
        self.most = 0

    def metadata(self, what: str, plural: str, selector: str) -> list[dict[str, Any]]:
        if plural == "workflowtemplates":
            return [self.template] if selector.endswith("=nightly") else []
        return [each["metadata"] for each in self.runs.values()]

    def make(self, body: dict[str, Any]) -> bool:
        name = body["metadata"]["name"]
        if name in self.runs:
            return False
        self.runs[name] = {**body, "status": {"phase": "Running"}}
        self.most = max(self.most, sum(run["status"]["phase"] == "Running" for run in self.runs.values()))
        return True

    def run(self, name: str) -> dict[str, Any]:
        self.end(name, "Succeeded")
        return self.runs[name]

    def end(self, name: str, phase: str) -> None:
        self.runs[name]["status"]["phase"] = phase
        self.runs[name]["metadata"]["labels"] = {PHASE_LABEL: phase, COMPLETED_LABEL: "true"}

    def start(self, body: dict[str, Any]) -> dict[str, Any]:
        self.started = body
        return {"metadata": {"name": f"{body['metadata']['generateName']}abcde"}}

    def close(self) -> None:
        pass


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    made = Cluster()
    monkeypatch.setattr(cluster_flags, "connect", lambda *_: made)
    monkeypatch.setattr(backfill.time, "sleep", lambda _: None)
    return made


def fill(*words: str) -> int:
    return command.run(backfill.COMMAND, ["nightly", *RANGE, *words])


def test_a_backfill_makes_a_run_for_each_scheduled_time_with_its_day_in_the_zone(cluster: Cluster) -> None:
    assert fill() == 0
    assert list(cluster.runs) == [names.backfill_run("nightly", tick, 0) for tick in TICKS]
    given = [run["spec"]["arguments"]["parameters"][0]["value"] for run in cluster.runs.values()]
    assert given == ['"2026-03-28"', '"2026-03-29"', '"2026-03-30"']
    notes = [run["metadata"]["annotations"] for run in cluster.runs.values()]
    assert {(each[labels.PRIORITY], each[labels.BACKFILL]) for each in notes} == {("0", "true")}
    assert notes[1][labels.TICK] == "2026-03-29T01:00:00Z"


def test_given_again_it_starts_nothing_twice(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    fill()
    before = dict(cluster.runs)
    fill()
    assert cluster.runs == before
    told = capsys.readouterr()
    assert "2026-03-28T01:00:00Z  skip  lp-nightly-1774659600-b0 is under way" in told.out
    assert "0 of 3 scheduled times get a run" in told.err


def test_times_whose_run_succeeded_are_skipped_unless_all_are_asked_for(cluster: Cluster) -> None:
    fill()
    first, second, third = cluster.runs
    cluster.end(first, "Succeeded")
    cluster.end(second, "Failed")
    cluster.end(third, "Succeeded")
    fill()
    assert list(cluster.runs) == [first, second, third, names.backfill_run("nightly", TICKS[1], 1)]
    fill("--all")
    assert len(cluster.runs) == 7


def test_failed_asks_for_times_whose_run_failed_and_for_no_others(cluster: Cluster) -> None:
    scheduled = names.scheduled_run("nightly", TICKS[0])
    cluster.runs[scheduled] = {"metadata": {"name": scheduled}, "status": {"phase": "Failed"}}
    cluster.end(scheduled, "Failed")
    fill("--failed")
    assert list(cluster.runs) == [scheduled, names.backfill_run("nightly", TICKS[0], 1)]


def test_a_dry_run_makes_nothing(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    assert fill("--dry-run") == 0
    assert cluster.runs == {}
    assert capsys.readouterr().out.count("run   no run") == 3


@pytest.mark.parametrize("parallel", [1, 2, 3])
def test_no_more_runs_are_unfinished_than_asked_for(cluster: Cluster, parallel: int) -> None:
    fill("--parallel", str(parallel))
    assert (len(cluster.runs), cluster.most) == (3, parallel)


@pytest.mark.parametrize(
    "words",
    [
        ["nightly"],
        ["nightly", "--from", "2026-03-28", "--to", "2026-03-31T00:00:00Z"],
        ["nightly", "--from", "2026-03-31T00:00:00Z", "--to", "2026-03-28T00:00:00Z"],
        ["nightly", *RANGE, "--parallel", "0"],
        ["nightly", *RANGE, "--failed", "--all"],
        ["nightly", "other", *RANGE],
    ],
)
def test_a_command_line_that_makes_no_sense_is_refused(cluster: Cluster, words: list[str]) -> None:
    with pytest.raises(errors.UserError):
        command.run(backfill.COMMAND, words)
    assert cluster.runs == {}


def test_a_plan_that_is_not_there_or_has_no_schedule_is_told(monkeypatch: pytest.MonkeyPatch, cluster: Cluster) -> None:
    with pytest.raises(RemoteError, match="no launch plan other that is compiled"):
        command.run(backfill.COMMAND, ["other", *RANGE])
    monkeypatch.setattr(cluster_flags, "connect", lambda *_: Cluster(None))
    with pytest.raises(RemoteError, match="has no schedule"):
        fill()
    monkeypatch.setattr(cluster_flags, "connect", lambda *_: Cluster(Schedule(("* * * * *",))))
    with pytest.raises(RemoteError, match="more than 1,000 scheduled times"):
        fill()


def test_a_launch_starts_one_run_with_what_is_given(
    cluster: Cluster, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command.run(launch.COMMAND, ["nightly", "seed=7", "text={{x}}", "when=2026-01-01"]) == 0
    assert capsys.readouterr().err == "started lp-nightly-abcde in penguins-dev\n"
    given = {each["name"]: each["value"] for each in cluster.started["spec"]["arguments"]["parameters"]}
    assert (given["seed"], given["when"]) == ("7", '"2026-01-01"')
    assert "{{" not in given["text"]
    command.run(launch.COMMAND, ["nightly"])
    (when,) = cluster.started["spec"]["arguments"]["parameters"]
    assert when["name"] == "when"
    with pytest.raises(errors.UserError):
        command.run(launch.COMMAND, ["nightly", "seed"])


def test_the_name_of_a_backfill_is_a_label_and_differs_from_the_schedules_own() -> None:
    for plan in ("a", "nightly", "x" * names.MOST_OBJECT_NAME, "y" * 40):
        name = names.backfill_run(plan, 1_774_659_600, 12)
        assert names.is_dns_label(name) and name.endswith("-1774659600-b12")
    long = "x" * (names.MOST_OBJECT_NAME - 1)
    assert names.backfill_run(f"{long}a", 1, 0) != names.backfill_run(f"{long}b", 1, 0)
