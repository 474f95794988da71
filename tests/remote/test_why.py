"""`alula why`, from the words on the command line to what stands on the screen; none of the project's code is there."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import alula_compiler
from alula.cli import main
from alula.code import importing
from alula.emit import resources
from alula.remote import refusals, revisions
from alula.remote.connections import Connection
from alula.remote.outline import Outline
from alula_api.contract import failures, jsontext, labels, values
from alula_api.contract.graphs import handlers
from alula_api.contract.graphs.specs import WorkflowSpec
from alula_data.stores import opening
from tests import goldens
from tests.remote import projects, servers, worlds
from tests.remote.servers import ARGO, OURS
from tests.remote.worlds import RUN, admit, cached, failed, node, retried, root, status

GOLDEN = Path(__file__).parent / "golden"
FAILURES = (Path(__file__).parents[2] / "docs" / "failures.md").read_text(encoding="utf-8")
STORE = "memory://why/penguins/dev"
UID = "0d9f4f3e"
REVISION = "why-train-1a2b3c4d"
SOURCE = """
from alula import map_task, task, workflow

@task(cache=True)
def load(year: int) -> list[int]:
    return [year]

@task(retries=1)
def fit(rows: list[int]) -> float:
    return sum(rows)

@task
def score(row: int) -> int:
    return row

@task
def report(value: float, scores: list[int | None]) -> float:
    return value

@workflow(name="training")
def training(rows: list[int]) -> float:
    return fit(rows)

@workflow
def train(year: int) -> float:
    rows = load(year)
    return report(training(rows), map_task(score, min_successes=1)(rows))

@workflow(name="thousands")
def thousands(year: int) -> None:
    for _ in range(250):
        load(year)

@workflow
def wide(year: int) -> None:
    for _ in range(420):
        load(year)
    thousands(year)
"""
TRACE = 'Traceback (most recent call last):\n  File "flows/penguins.py", line 9, in fit\n    return sum(rows)\n'
WORDS = "no rows of 2024"
BAD = failures.FailureRecord(
    "user",
    "TASK_FAILED",
    WORDS,
    "ValueError",
    f"{TRACE}ValueError: {WORDS}",
    attempt=2,
    source="flows/penguins.py:9",
    inputs={"rows": "[2024]"},
)
HOSTILE = dataclasses.replace(
    BAD,
    message="{{=1+1}}\x1b[2J",
    traceback=f"{TRACE}ValueError: {{{{=1+1}}}}\x1b[2J",
    inputs={"rows": "'\x1b[31m\x07'"},
)
FIRST = dataclasses.replace(BAD, attempt=1)
ITEM = dataclasses.replace(BAD, message="no such row", traceback="", attempt=1, inputs={})
HANDLED = handlers.to_text((handlers.Handler("Failure", "tell"), handlers.Handler("Exit", "tidy")))


def revision(workflow: dict[str, Any]) -> dict[str, Any]:
    """The WorkflowRevision of a Workflow as the controller makes it."""
    workflow["spec"]["version"] = "0a1b2c3d"
    made = alula_compiler.compile(workflow)
    assert made.ok, made.diagnostics
    (template,) = [each for each in made.objects if each["kind"] == "WorkflowTemplate"]
    plan = made.plans[template["metadata"]["name"]]
    return {"spec": {"workflow": "why-train", "plan": jsontext.encode(plan), "spec": jsontext.encode(template["spec"])}}


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The project's code, which is on another machine."""
    return importing.load(str(projects.write(tmp_path_factory.mktemp("why") / "project", "why", SOURCE)))


@pytest.fixture(scope="module")
def compiled(module: Any) -> dict[str, Any]:
    return revision(resources.workflow(module.train, resources.Code("penguins:1")))


@dataclasses.dataclass
class Done:
    code: int
    out: str
    err: str


class World:
    """A cluster with one run."""

    def __init__(self, server: servers.Server, capsys: pytest.CaptureFixture[str], revision: dict[str, Any]) -> None:
        self.server, self.capsys = server, capsys
        server.on("GET", f"{OURS}/workflowrevisions/{REVISION}", revision)
        server.on("GET", f"{OURS}/domains/domain", {"status": {"store": STORE}})

    def has(
        self, found: dict[str, Any], notes: Mapping[str, str] | None = None, spec: dict[str, Any] | None = None
    ) -> None:
        marks = {labels.REVISION: REVISION, labels.WORKFLOW: "why-train"}
        reason = {labels.REASON: "scheduled for 2026-03-04T10:00:00Z"}
        metadata = {"name": RUN, "uid": UID, "labels": marks, "annotations": {**reason, **(notes or {})}}
        self.server.on("GET", f"{ARGO}/workflows/{RUN}", {"metadata": metadata, "spec": spec or {}, "status": found})

    def why(self, *words: str) -> Done:
        self.capsys.readouterr()
        code = main.main(["why", *(words or (RUN,)), *([] if "-n" in words else ["-n", servers.NAMESPACE])])
        found = self.capsys.readouterr()
        return Done(code, found.out, found.err)


@pytest.fixture
def world(
    server: servers.Server,
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    compiled: dict[str, Any],
) -> Iterator[World]:
    servers.kubeconfig(config, server.host, {"token": "secret-token"})
    for name in ("ALULA_STORE_ROOT", "ALULA_PROJECT", "ALULA_DOMAIN", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    yield World(server, capsys, compiled)
    opening._memories.clear()


def broken(
    message: str = f"training.fit failed: {worlds.said(BAD)}", last: failures.FailureRecord = BAD
) -> dict[str, Any]:
    """A run in which the second attempt of `fit` failed after an item that may had failed."""
    items = [
        failed("score.item(0:2023).try", worlds.said(ITEM), 90, began=3, ended=4),
        node("score.item(1:2024).try", "Succeeded", began=3, ended=5),
    ]
    attempts = [failed("", worlds.said(each), code) for each, code in ((FIRST, 91), (last, 90))]
    fit = retried("training.fit", "Failed", *attempts, began=6, ended=9)
    nodes = [root("Failed", message=message), admit(), cached("load"), *items, *fit]
    return worlds.keyed(status("Failed", *nodes, node("report", "Omitted", "Skipped")))


def record(found: failures.FailureRecord, name: str = f"{RUN}.training.fit") -> None:
    path = failures.path(UID, name, found.attempt)
    opening.open_store(STORE).put(path, values.dumps(found.to_json()).encode())


def ended(world: World, event: str, phase: str) -> None:
    name = handlers.run_name(RUN, UID, event)
    world.server.on("GET", f"{ARGO}/workflows/{name}", {"metadata": {"name": name}, "status": {"phase": phase}})


def test_a_failed_run_is_told_with_the_users_words_and_what_to_do_next(world: World) -> None:
    record(BAD)
    record(ITEM, f"{RUN}.score.item(0:2023).try")
    ended(world, "Failure", "Failed")
    world.has(broken(), {labels.HANDLERS: HANDLED})
    done = world.why()
    goldens.check(GOLDEN / "why.txt", done.out)
    assert (done.code, done.err) == (1, "")
    assert "secret-token" not in done.out


def test_the_page_on_failures_shows_what_is_printed(world: World) -> None:
    (block,) = [each for each in re.findall(r"```console\n(.*?)```", FAILURES, re.DOTALL) if "alula why" in each]
    command, _, shown = block.partition("\n")
    assert shown == (GOLDEN / "why.txt").read_text(encoding="utf-8")
    world.has(broken())
    words = shlex.split(command.removeprefix("$ alula why "), comments=True)
    assert RUN in words and world.why(*words).code == 1


def test_hostile_words_are_shown_and_do_nothing(world: World) -> None:
    record(HOSTILE)
    world.has(broken(last=HOSTILE))
    out = world.why().out
    assert "\n  ValueError: {{=1+1}}\n\n  inputs\n    rows  '\ufffd'\n" in out
    assert "\x1b" not in out and "\x07" not in out


def test_as_json_it_is_the_record_of_the_run(world: World) -> None:
    record(BAD)
    ended(world, "Failure", "Failed")
    ended(world, "Exit", "Succeeded")
    world.has(broken(), {labels.HANDLERS: HANDLED})
    done = world.why("--json", RUN)
    assert (done.code, done.err) == (1, "")
    goldens.check(GOLDEN / "why.json", done.out)
    told = json.loads(done.out)
    assert told["error"]["message"] == WORDS
    assert [each["ok"] for each in told["handlers"]] == [False, True]


def test_where_the_store_has_no_record_its_place_is_told_beside_the_pods_words(world: World) -> None:
    world.has(broken(last=HOSTILE))
    out = world.why().out
    assert "{ {=1+1} }" in out and "inputs" not in out.partition("these are")[0]
    assert f"\n  {STORE}/{failures.path(UID, f'{RUN}.training.fit', 2)}\n" in out
    world.server.on("GET", f"{OURS}/domains/domain", servers.refused(403, "no"))
    assert f"\n  {failures.path(UID, f'{RUN}.training.fit', 2)} in the domain's store\n" in world.why().out


def test_failures_stand_in_the_order_in_which_they_came(world: World) -> None:
    said = worlds.said(FIRST)
    nodes = [failed("load", said, 90, began=8, ended=9), failed("report", said, 90, began=2, ended=5)]
    fit = failed("training.fit", said, 90, began=1, ended=7)
    world.has(worlds.keyed(status("Failed", root("Failed"), admit(), *nodes, fit)))
    heads = [line.split()[1] for line in world.why().out.splitlines() if line.startswith("✗ ")]
    assert heads == ["report", "training.fit", "load"]


def test_a_run_that_succeeded_is_told_in_one_line(world: World) -> None:
    nodes = [cached("load"), *(node(name, "Succeeded", began=1, ended=2) for name in ("training.fit", "report"))]
    world.has(worlds.keyed(status("Succeeded", root("Succeeded", {"o0": "0.9"}), admit(), *nodes)))
    done = world.why()
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        f"{RUN} of why-train in penguins-dev, scheduled for 2026-03-04T10:00:00Z, began 2026-03-04T10:00:00Z: "
        "why-train succeeded in 31s: 3 tasks, 2 ran, 1 cached",
    ]
    assert json.loads(world.why("--json", RUN).out)["outputs"] == {"o0": 0.9}


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("stopped: \x1b[31mtoo dear", "it ended: stopped: too dear"),
        ("the run took longer than its deadline of 2h", "it ended: the run took longer than its deadline of 2h"),
        ("child 'x-1' failed", ""),
        (f"training.fit failed: {worlds.said(BAD)}", ""),
    ],
)
def test_what_ended_a_run_is_told_where_no_task_said_it(world: World, message: str, told: str) -> None:
    world.has(broken(message))
    lines = world.why().out.split("\n\n")
    assert [line for line in lines if line.startswith("it ended")] == ([told] if told else [])


def test_a_run_that_was_refused_says_so_and_has_no_logs(world: World) -> None:
    refused = "BAD_VALUE: input year: expected int\nBAD_VALUE: input day is missing"
    world.has(worlds.keyed(status("Failed", root("Failed", message=refused), admit("Failed"))))
    done = world.why()
    assert done.code == 1
    assert f"\n\nit ended before anything began: {refused}\n\n" in done.out
    assert "logs" not in done.out


def test_of_tasks_that_argo_keeps_in_a_database_nothing_is_said(world: World) -> None:
    world.has(status("Failed", message="too long", offloadNodeStatusVersion="fnv:1"))
    head, *rest = world.why().out.split("\n\n")
    assert head.endswith(
        ": Failed\nthis Argo keeps the nodes of its runs in a database: Argo's UI and `argo get` show them"
    )
    assert rest[0] == "it ended: too long"
    assert "not started" not in head and "in the cache" not in rest[1]


WAITING: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "not seen": ({}, {}, "it is not over: Argo has not looked at it yet; does its controller run?"),
    "of Argo": (status("Pending", message="too many"), {}, "it is not over: it waits for Argo: too many"),
    "queued": (
        status("Running", root("Running", message="waits at place 2 of 5: 1 of 1 runs"), admit("Running")),
        {},
        "it is not over: it waits to be admitted: waits at place 2 of 5: 1 of 1 runs",
    ),
    "at work": (status("Running", root("Running"), admit(), node("load", "Running")), {}, "it is not over: it runs"),
    "drains": (
        status("Running", root("Running"), admit(), node("load", "Running")),
        {"suspend": True},
        "it is not over: what runs may finish, nothing more starts",
    ),
    "a pod that waits": (
        status("Running", root("Running"), admit(), node("load", "Pending", message="Unschedulable: 0/3 nodes")),
        {},
        "it is not over: it runs\nload waits for its pod: Unschedulable: 0/3 nodes",
    ),
}


@pytest.mark.parametrize("case", WAITING)
def test_one_that_is_not_over_says_what_it_waits_for(world: World, case: str) -> None:
    found, spec, told = WAITING[case]
    world.has(worlds.keyed(found), spec=spec)
    done = world.why()
    assert (done.code, done.err) == (3, "")
    assert f"\n{told}\n" in done.out
    as_json = world.why("--json", RUN)
    assert (as_json.code, as_json.out) == (3, "")
    assert told in as_json.err


def test_a_run_that_was_started_again_names_that_run(world: World) -> None:
    world.has(broken(), {labels.RESTARTED_AS: f"{RUN}-again"})
    assert f"`alula why {RUN}-again -n penguins-dev`" in world.why().out


def test_how_to_run_it_again_is_a_command_that_asks_for_its_launch_plan(world: World) -> None:
    marks = {labels.REVISION: REVISION, labels.WORKFLOW: "why-train", labels.LAUNCH_PLAN: "nightly"}
    run = {"metadata": {"name": RUN, "labels": marks}, "status": broken()}
    world.server.on("GET", f"{ARGO}/workflows/{RUN}", run)
    out = world.why().out
    assert "again, with its inputs and as it was compiled; 1 of 5 tasks are in the cache:\n" in out
    (command,) = [line for line in out.splitlines() if "annotate" in line]
    plan, asked = shlex.split(command)[2:4], shlex.split(command)[-1]
    assert (plan, asked) == (["launchplans.alula.dev", "nightly"], f"{labels.RETRY_REQUESTED}=again after {RUN}")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        (f"{RUN[:-1]}q", f"did you mean {RUN}?"),
        ("penguins-train", f"its newest run is {RUN}"),
        ("zzz", "check --domain and --context"),
    ],
)
def test_an_unknown_run_gets_the_nearest_name(world: World, name: str, hint: str) -> None:
    older = {"name": "penguins-train-aaaaa", "creationTimestamp": worlds.moment(1)}
    listed = [{"metadata": older}, {"metadata": {"name": RUN, "creationTimestamp": worlds.moment(2)}}]
    world.server.on("GET", f"{ARGO}/workflows?labelSelector=alula.dev/revision", {"items": listed})
    done = world.why(name)
    assert (done.code, done.out) == (1, "")
    assert f"error NOT_FOUND: there is no run {name} in namespace penguins-dev" in done.err
    assert hint in done.err


def test_it_takes_one_run(world: World) -> None:
    assert world.why("one", "two").code == 2
    assert world.why("--plain").code == 2


def test_the_outline_of_a_run_is_that_of_its_own_revision(cluster: Connection, world: World) -> None:
    run = {"metadata": {"name": RUN, "labels": {labels.REVISION: REVISION, labels.LAUNCH_PLAN: "nightly"}}}
    found = revisions.find(cluster, run)
    assert (found.title, found.revision) == ("nightly", REVISION)
    known = Outline(found.spec).tasks
    assert [*known] == ["load", "training.fit", "report"]
    assert [(each.task, each.attempts, each.all_attempts, each.keeps) for each in known.values()] == [
        ("load", 1, 4, True),
        ("fit", 2, 5, False),
        ("report", 1, 4, False),
    ]


def test_graphs_that_were_cut_are_whole_again(cluster: Connection, world: World, module: Any) -> None:
    workflow = resources.workflow(module.wide, resources.Code("penguins:1"))
    cut = revision(workflow)
    assert {"main-1", "main-2", "thousands-1"} <= set(json.loads(cut["spec"]["plan"])["graphs"])
    world.server.on("GET", f"{OURS}/workflowrevisions/{REVISION}", cut)
    found = Outline(revisions.find(cluster, {"metadata": {"name": RUN, "labels": {labels.REVISION: REVISION}}}).spec)
    assert found.tasks.keys() == Outline(WorkflowSpec.from_json(workflow["spec"])).tasks.keys()
    assert found.id("main-2.load-300") == "load-300"


@pytest.mark.parametrize("answer", [servers.refused(403, "no"), servers.refused(404, "gone"), {"spec": {"plan": "["}}])
def test_without_its_revision_the_newest_workflow_stands_in_and_without_that_argos_names(
    cluster: Connection, world: World, answer: Any
) -> None:
    world.server.on("GET", f"{OURS}/workflowrevisions/{REVISION}", answer)
    run = {"metadata": {"name": RUN, "labels": {labels.REVISION: REVISION, labels.WORKFLOW: "penguins-train"}}}
    assert not Outline(revisions.find(cluster, run).spec).tasks
    world.server.on("GET", f"{OURS}/workflows/penguins-train", {"spec": worlds.SPEC})
    assert revisions.find(cluster, run).spec == worlds.WORKFLOW


def test_a_cluster_that_gives_no_answer_is_no_cluster_without_a_revision(cluster: Connection, world: World) -> None:
    world.server.on("GET", f"{OURS}/workflowrevisions/{REVISION}", servers.GONE)
    with pytest.raises(refusals.Unanswered):
        revisions.find(cluster, {"metadata": {"name": RUN, "labels": {labels.REVISION: REVISION}}})
