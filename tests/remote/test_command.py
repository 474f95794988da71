"""`alula run --remote`, from the words on the command line to what stands on the screen."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from alula.cli import main
from alula.remote import runs
from alula_api.contract import failures, lists, references
from alula_data import digests
from alula_data.stores import opening
from tests import goldens
from tests.remote import projects, servers
from tests.remote.conftest import Clock
from tests.remote.servers import ARGO, NAMESPACE, OURS

GOLDEN = Path(__file__).parent / "golden"
PREFIX = "memory://remote/penguins/dev"
SCORES = '{"accuracy":0.7}'


@dataclass
class Done:
    code: int
    out: str
    err: str


class World:
    """A project, the cluster that has its definitions, and the run that will be started."""

    def __init__(self, server: servers.Server, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.server, self.file, self.capsys = server, file, capsys
        self.module = projects.load(file)
        self.name: str = self.module.train.name
        server.on("GET", f"{OURS}/workflows/{self.name}", projects.workflow(self.module))
        server.on("GET", f"{OURS}/launchplans/nightly", projects.plan(self.module))
        server.on("POST", f"{ARGO}/workflows", servers.Answer({"metadata": {"name": "run-1"}}, 201))
        self.ends()

    def ends(self, phase: str = "Succeeded", output: str | None = SCORES, **more: Any) -> None:
        """The run goes on for one look and then ends so."""
        self.server.on("GET", f"{ARGO}/workflows/run-1", run("Running"), run(phase, output, **more))

    def alula(self, *words: str, target: str = "train") -> Done:
        options = [word for word in words if word.startswith("-o ")]
        inputs = [word for word in words if not word.startswith("-o ")]
        flags = [part for option in options for part in option[3:].split(" ")]
        self.capsys.readouterr()
        code = main.main(["run", "--remote", *flags, f"{self.file}:{target}", *inputs])
        found = self.capsys.readouterr()
        return Done(code, found.out, found.err)

    def sent(self) -> dict[str, str]:
        """The inputs that the last run was started with."""
        body = self.server.asked("POST", f"{ARGO}/workflows")[-1].body
        return {each["name"]: each["value"] for each in body["spec"]["arguments"]["parameters"]}


def run(phase: str, output: str | None = None, **more: Any) -> dict[str, Any]:
    root: dict[str, Any] = {"name": "run-1", "type": "DAG", "phase": phase, **more.pop("root", {})}
    if output is not None:
        root["outputs"] = {"parameters": [{"name": "o0", "value": output}]}
    times = {"startedAt": "2026-03-04T10:00:00Z", "finishedAt": "2026-03-04T10:00:09Z"}
    fit = {"name": "run-1.fit", "type": "Pod", "phase": phase, **times, **more.pop("fit", {})}
    admit = {"name": "run-1.admit", "type": "Suspend", "phase": "Succeeded"}
    nodes = {"run-1": root, "1": admit, **({"2": fit} if fit["phase"] else {})}
    return {"metadata": {"name": "run-1"}, "status": {"phase": phase, **times, "nodes": nodes, **more}}


@pytest.fixture
def world(
    server: servers.Server,
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> Iterator[World]:
    servers.kubeconfig(config, server.host, {"token": "secret-token"})
    monkeypatch.setattr(runs, "SystemClock", Clock)
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("ALULA_STORE_ROOT", "ALULA_PROJECT", "ALULA_DOMAIN", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    yield World(server, projects.write(tmp_path / "project", f"command_{abs(hash(request.node.name))}"), capsys)
    opening._memories.clear()


def test_a_run_is_started_followed_and_its_output_printed(world: World) -> None:
    done = world.alula("--seed", "7")
    assert (done.code, done.out) == (0, 'result  {"accuracy": 0.7}\n')
    assert done.err == (
        f"started run-1 in {NAMESPACE}\n"
        f"{world.name}: 1 task, run run-1\n"
        "[   0ms] fit started\n"
        "[  1.0s] fit done in 9.0s\n"
        f"{world.name} succeeded in 9.0s: 1 task, 1 ran\n"
        "  ✓ fit  9.0s\n\n"
    )
    assert world.sent() == {"seed": "7"}


def test_as_json_the_outputs_are_a_part_of_the_run(world: World) -> None:
    assert json.loads(world.alula("-o --json").out)["outputs"] == {"o0": {"accuracy": 0.7}}


SHAPES = """
from alula import conditional, map_task, repeat, task, workflow

@task
def double(x: int) -> int:
    return 2 * x

@task
def invert(x: int) -> float:
    return 1 / x

@task
def word(x: int) -> str:
    return str(x)

@workflow
def train(x: int, xs: list[int]) -> tuple[str, int, list[float]]:
    said = conditional("size").if_(x > 100).then(word.named("praise")(x)).else_().then(word.named("pity")(x))
    conditional("more").if_(x > 100).then(map_task(invert).named("others")(xs))
    grown = repeat(double, until=lambda y: y > 9, max=8)(x)
    return said, grown, map_task(invert)(xs)

nightly = train
"""


def of_shapes(*nodes: tuple[str, str, str, dict[str, Any]], handlers: str = "") -> dict[str, Any]:
    """A failed run with these nodes: their names below the run's, types and phases."""
    times = {"startedAt": "2026-03-04T10:00:00Z", "finishedAt": "2026-03-04T10:00:09Z"}
    listed = [
        {"name": f"run-1.{name}" if name else "run-1", "type": type, "phase": phase, **times, **more}
        for name, type, phase, more in nodes
    ]
    by_id = {("run-1" if each["name"] == "run-1" else str(number)): each for number, each in enumerate(listed)}
    metadata = {"name": "run-1", "uid": "5d6e", "annotations": {"alula.dev/handlers": handlers}}
    return {"metadata": metadata, "status": {"phase": "Failed", **times, "nodes": by_id}}


def test_as_json_a_failed_run_says_what_came_of_every_node_as_a_local_run_does(world: World, tmp_path: Path) -> None:
    world.server.answers.pop(("GET", f"{OURS}/launchplans/nightly"), None)
    file = projects.write(world.file.parent, f"{world.file.stem}_shapes", SHAPES)
    module = projects.load(file)
    world.file, world.name = file, module.train.name
    world.server.on("GET", f"{OURS}/workflows/{world.name}", projects.workflow(module))
    list_of = {
        "inputs": {"parameters": [{"name": "x", "value": '{"$stored":{"items":["\\"=1\\"","\\"=0\\"","\\"=4\\""]}}'}]}
    }
    hit = {"memoizationStatus": {"hit": True, "key": "k"}}
    died = {"message": "main: Error (exit code 90): ZeroDivisionError: division by zero (flows/x.py:10, attempt 1)"}
    ended = of_shapes(
        ("", "DAG", "Failed", {"message": "invert(1) failed"}),
        ("admit", "Suspend", "Succeeded", {}),
        ("size", "DAG", "Succeeded", {}),
        ("size.then", "Skipped", "Skipped", {}),
        ("size.else", "DAG", "Succeeded", {}),
        ("size.else.pity", "Pod", "Succeeded", hit),
        ("more", "DAG", "Succeeded", {}),
        ("more.then", "Skipped", "Skipped", {}),
        ("double", "DAG", "Succeeded", {}),
        ("double.round-1", "Pod", "Succeeded", {}),
        ("double.round-2", "Pod", "Succeeded", {}),
        ("double.round-3", "Skipped", "Skipped", {}),
        ("invert", "DAG", "Failed", list_of),
        ("invert.item", "TaskGroup", "Failed", {}),
        ("invert.item(0:1)", "Pod", "Succeeded", {}),
        ("invert.item(1:0)", "Pod", "Failed", died),
        handlers='[{"event":"Failure","workflow":"told","inputs":[],"failure":""}]',
    )
    world.server.on("GET", f"{ARGO}/workflows/run-1", ended)
    # What the pod of the failed item left in the domain's store tells its inputs.
    world.server.on("GET", f"{OURS}/domains/domain", {"status": {"store": PREFIX}})
    record = failures.FailureRecord("user", "TASK_FAILED", "division by zero", inputs={"x": "0"})
    key = failures.path("5d6e", "run-1.invert.item(1:0)", 1)
    opening.open_store(PREFIX).put(key, json.dumps(record.to_json()).encode())
    done = world.alula("-o --quiet", "-o --json", "--x", "4", "--xs", "[1,0,4]")
    assert done.code == 1
    assert "inputs\n    x  0\n" in done.err
    text = done.out.replace(file.name, "shapes.py").replace(world.name, "shapes-train")
    goldens.check(GOLDEN / "run-json.txt", text)


@pytest.mark.parametrize("left", [b"{", b'"text"', b'{"kind":1}', b"\xff", b" " * 300_000, None])
def test_a_record_that_is_none_or_cannot_be_read_leaves_the_failure_without_its_inputs(
    stored: World, left: bytes | None
) -> None:
    died = {"message": "main: Error (exit code 90): ValueError: no (flows/x.py:10, attempt 1)"}
    ended = run("Failed", None, fit=died)
    ended["metadata"]["uid"] = "5d6e"
    stored.server.on("GET", f"{ARGO}/workflows/run-1", ended)
    if left is not None:
        opening.open_store(PREFIX).put(failures.path("5d6e", "run-1.fit", 1), left)
    done = stored.alula("-o --quiet", "-o --json")
    (node,) = json.loads(done.out)["nodes"]
    assert (done.code, node["error"]["message"], node["error"]["inputs"]) == (1, "no", {})


def test_outputs_that_are_parts_and_lists_are_put_together_from_what_argo_keeps(world: World) -> None:
    source = projects.SOURCE.replace(
        "-> Scores:\n    return fit(seed, table)",
        "-> tuple[float, list[Scores]]:\n    return fit(seed, table).accuracy, [fit(1, table), fit(2, table)]",
    )
    name = f"{world.file.stem}_parts"
    world = World(world.server, projects.write(world.file.parent, name, source), world.capsys)
    whole = SCORES
    texts = {"o0": whole, "o0--path": '["accuracy"]', "o1": f"[{whole},{whole}]", "o1--path": "[[],[]]"}
    parameters = [{"name": name, "value": text} for name, text in texts.items()]
    world.ends(output=None, root={"outputs": {"parameters": parameters}})
    assert json.loads(world.alula("-o --json").out)["outputs"] == {
        "o0": 0.7,
        "o1": [{"accuracy": 0.7}, {"accuracy": 0.7}],
    }


def test_the_results_of_a_map_are_put_together_from_its_items_and_batches(stored: World) -> None:
    data = b'[{"accuracy":0.25},{"accuracy":0.5}]'
    batch = references.Stored(digests.of_bytes(data), len(data), "0" * 64)
    opening.open_store(PREFIX).put(batch.path(), data)
    one, two = {"accuracy": 0.25}, {"accuracy": 0.5}
    source = projects.SOURCE.replace(
        "-> Scores:\n    return fit(seed, table)", "-> list[Scores]:\n    return [fit(seed, table)]"
    )
    world = World(stored.server, projects.write(stored.file.parent, f"{stored.file.stem}_maps", source), stored.capsys)
    for many, expected in (
        (lists.listed([one, two]), [one, two]),
        (lists.Batches(tuple(lists.text(lists.item(each)) for each in (batch, [one])), 2, 1, 2), [two, one]),
        (lists.Batches((lists.text(lists.item([one, two])),), 2, 0, 2), [one, two]),
    ):
        world.ends(output=json.dumps(many.to_json()))
        assert json.loads(world.alula("-o --json").out)["outputs"] == {"o0": expected}
    world.ends(output=json.dumps(lists.listed([references.Stored("a" * 64, 12_345, "0" * 64), batch]).to_json()))
    done = world.alula("-o --json")
    assert f"output o0 (12 kB) lies at {PREFIX}/cas/aa/{'a' * 64}" in done.err
    assert "and 1 more and cannot be read: " in done.err


def test_lists_of_lists_that_maps_made_are_shown_whole_and_one_that_is_too_long_is_said_to_be(stored: World) -> None:
    data = b'{"accuracy":0.5}'
    score = references.Stored(digests.of_bytes(data), len(data), "0" * 64)
    opening.open_store(PREFIX).put(score.path(), data)
    source = projects.SOURCE.replace("-> Scores:", "-> list[list[Scores]]:")
    world = World(stored.server, projects.write(stored.file.parent, f"{stored.file.stem}_rows", source), stored.capsys)
    one = {"accuracy": 0.25}
    for rows in ([[one], [], [one, one]], [[one, score], [score]]):
        world.ends(output=json.dumps(lists.listed([lists.listed(row) for row in rows]).to_json()))
        expected = [[{"accuracy": 0.5} if each is score else each for each in row] for row in rows]
        assert json.loads(world.alula("-o --json").out)["outputs"] == {"o0": expected}
    world.ends(output='{"$stored":{"items":123456}}')
    assert "output o0 cannot be shown: $ has 123,456 characters" in world.alula("-o --json").err


def test_quietly_nothing_but_the_outputs_is_printed(world: World) -> None:
    done = world.alula("-o --quiet")
    assert done.out == 'result  {"accuracy": 0.7}\n'
    assert done.err == f"started run-1 in {NAMESPACE}\n"


def test_detached_the_name_is_all_of_stdout_and_nothing_is_followed(world: World) -> None:
    done = world.alula("-o --detach")
    assert (done.code, done.out, done.err) == (0, "run-1\n", f"started run-1 in {NAMESPACE}\n")
    assert not world.server.asked("GET", f"{ARGO}/workflows/run-1")


def test_only_what_is_given_is_sent(world: World) -> None:
    world.alula("-o --detach")
    assert world.sent() == {}
    world.alula("-o --detach", "--title", "{{workflow.uid}} $(HOME) 🐧")
    assert json.loads(world.sent()["title"]) == "{{workflow.uid}} $(HOME) 🐧"
    assert "{" not in world.sent()["title"] and "$" not in world.sent()["title"]


def test_a_launch_plan_sends_neither_its_own_values_nor_fixed_ones(world: World) -> None:
    world.alula("-o --detach", target="nightly")
    body = world.server.asked("POST", f"{ARGO}/workflows")[-1].body
    assert body["spec"]["workflowTemplateRef"] == {"name": "lp-nightly"}
    assert world.sent() == {}
    world.alula("-o --detach", "--title", "today", target="nightly")
    assert world.sent() == {"title": '"today"'}


def test_project_and_domain_say_the_namespace(world: World) -> None:
    assert world.alula("-o --domain prod").code == 1
    assert world.server.requests[-1].path.startswith("/apis/alula.dev/v1alpha1/namespaces/penguins-prod/")
    assert world.alula("-o --namespace elsewhere").code == 1
    assert "/namespaces/elsewhere/" in world.server.requests[-1].path


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("-o --namespace a/b", "'a/b' cannot be a namespace"),
        ("-o --no-cache", "--no-cache is for local runs"),
        ("-o --workers 4 --strict", "--strict is for local runs"),
    ],
)
def test_what_would_be_ignored_or_cannot_be_is_refused_before_anything_is_asked(
    options: str, said: str, world: World
) -> None:
    done = world.alula(options)
    assert done.code == 2
    assert said in done.err
    assert not world.server.requests


def test_a_task_alone_does_not_run_on_a_cluster(world: World) -> None:
    done = world.alula("--seed", "1", "--table", str(world.file), target="fit")
    assert done.code == 2
    assert "a task alone cannot run on the cluster" in done.err


def test_a_file_out_of_step_is_refused_and_started_with_synced(world: World) -> None:
    there = projects.workflow(world.module)
    there["spec"]["inputs"][0]["default"] = "8"
    world.server.on("GET", f"{OURS}/workflows/{world.name}", there)
    refused = world.alula()
    assert refused.code == 1
    assert "error OUT_OF_STEP: the cluster's" in refused.err
    assert not world.server.asked("POST", f"{ARGO}/workflows")
    assert world.alula("-o --synced").code == 0


def test_a_failed_run_shows_the_users_error_as_the_pod_told_it(world: World) -> None:
    message = (
        "main: Error (exit code 90): ValueError: max_depth must be positive (flows/penguins.py:63, attempt 1)\n"
        'Traceback (most recent call last):\n  File "flows/penguins.py", line 63, in fit\n'
        "ValueError: max_depth must be positive"
    )
    world.ends("Failed", None, fit={"message": message})
    done = world.alula()
    assert (done.code, done.out) == (1, "")
    tail = done.err[done.err.index(f"{world.name} failed after 9.0s") :]
    assert tail == (
        f"{world.name} failed after 9.0s: 1 task, 1 failed\n"
        "  ✗ fit  9.0s    ValueError: max_depth must be positive\n\n"
        "✗ fit failed (flows/penguins.py:63, attempt 1 of 3, after 9.0s)"
        "  not tried again: it said that this cannot help\n\n"
        "  Traceback (most recent call last):\n"
        '    File "flows/penguins.py", line 63, in fit\n'
        "  ValueError: max_depth must be positive\n\n"
        f"logs: kubectl logs -n {NAMESPACE} -l workflows.argoproj.io/workflow=run-1 -c main --prefix --tail=-1\n"
    )


def test_a_refused_run_shows_why_it_was_not_admitted(world: World) -> None:
    refusal = 'error BAD_VALUE: must be an integer, not "many"\n  in run run-1, input seed'
    ended = run("Failed", None, fit={"phase": ""}, root={"message": refusal})
    world.server.on("GET", f"{ARGO}/workflows/run-1", ended)
    done = world.alula()
    assert (done.code, done.out) == (1, "")
    assert done.err.endswith(f"1 task, 1 not started\n  - fit          not started\n\n{refusal}\n")


def test_as_json_a_refused_run_has_the_refusal_as_its_error(world: World) -> None:
    refusal = 'error BAD_VALUE: must be an integer, not "many"\n  in run run-1, input seed'
    world.server.on("GET", f"{ARGO}/workflows/run-1", run("Failed", None, fit={"phase": ""}, root={"message": refusal}))
    done = world.alula("-o --json")
    found = json.loads(done.out)
    message = refusal.removeprefix("error BAD_VALUE: ")
    assert (done.code, found["ok"], found["outputs"]) == (1, False, {})
    assert found["error"] == {"code": "BAD_VALUE", "message": message, "node": "", "source": ""}
    assert [(node["state"], node["attempts"]) for node in found["nodes"]] == [("skipped", 0)]


def test_a_refusal_of_the_cluster_is_no_traceback(world: World) -> None:
    said = 'workflows.argoproj.io is forbidden: User "ada" cannot create resource'
    world.server.on("POST", f"{ARGO}/workflows", servers.refused(403, said))
    done = world.alula()
    assert done.code == 1
    assert done.err == (
        f"error CLUSTER: you may not start a run in namespace {NAMESPACE}: {said}\n"
        "  hint: ask for the right, or check --context and --namespace\n"
    )


def test_packed_nodes_are_read_and_hidden_ones_said_to_be_hidden(world: World) -> None:
    ended = run("Succeeded", SCORES)
    packed = gzip.compress(json.dumps(ended["status"].pop("nodes")).encode())
    ended["status"]["compressedNodes"] = base64.b64encode(packed).decode()
    world.server.on("GET", f"{ARGO}/workflows/run-1", ended)
    assert world.alula().out == 'result  {"accuracy": 0.7}\n'
    del ended["status"]["compressedNodes"]
    ended["status"]["offloadNodeStatusVersion"] = "fnv:1"
    done = world.alula()
    assert (done.code, done.out) == (0, "")
    assert "output o0 cannot be shown: this Argo keeps the nodes of its runs in a database" in done.err


def reference(data: bytes) -> references.Reference:
    return references.Reference("file", digests.of_bytes(data), len(data), "report.html", "html")


@pytest.fixture
def stored(world: World) -> World:
    """The cluster says where the domain's data lies."""
    world.server.on("GET", f"{OURS}/domains/domain", {"status": {"store": PREFIX}})
    return world


def test_files_are_shown_by_their_place_in_the_domains_store(stored: World) -> None:
    made = reference(b"<html>")
    stored.ends(output=json.dumps(made.to_json()))
    assert stored.alula().out == f"result  {PREFIX}/{made.path()}  (html file, 6 B)\n"
    assert json.loads(stored.alula("-o --json").out)["outputs"] == {"o0": f"{PREFIX}/{made.path()}"}


def test_files_are_shown_as_they_are_where_the_store_is_not_said(world: World) -> None:
    made = reference(b"<html>")
    world.ends(output=json.dumps(made.to_json()))
    assert json.loads(world.alula("-o --json").out)["outputs"] == {"o0": made.to_json()}


def test_the_store_of_the_settings_is_taken_where_the_cluster_does_not_say(world: World) -> None:
    made = reference(b"<html>")
    world.ends(output=json.dumps(made.to_json()))
    assert f"s3://data/penguins/dev/{made.path()}" in world.alula("-o --store s3://data").out


def test_another_store_than_the_clusters_is_refused(stored: World) -> None:
    done = stored.alula("-o --store s3://other")
    assert done.code == 2
    assert f"this domain's pods read and write {PREFIX}, not s3://other/penguins/dev" in done.err
    assert not stored.server.asked("POST", f"{ARGO}/workflows")


def test_a_large_output_is_read_from_the_store(stored: World) -> None:
    data = b'{"accuracy":0.25}'
    envelope = references.Stored(digests.of_bytes(data), len(data), "0" * 64)
    opening.open_store(PREFIX).put(envelope.path(), data)
    stored.ends(output=json.dumps(envelope.to_json()))
    assert stored.alula().out == 'result  {"accuracy": 0.25}\n'


def test_a_large_output_that_cannot_be_read_is_said_to_lie_in_the_store(stored: World, world: World) -> None:
    envelope = references.Stored("a" * 64, 12_345, "0" * 64)
    stored.ends(output=json.dumps(envelope.to_json()))
    done = stored.alula()
    assert done.code == 0
    assert f"output o0 (12 kB) lies at {PREFIX}/{envelope.path()} and cannot be read: " in done.err
    world.server.answers.pop(("GET", f"{OURS}/domains/domain"))
    assert f"output o0 (12 kB) lies in the domain's store at {envelope.path()}" in world.alula().err


def test_a_file_that_is_given_is_uploaded_to_the_domains_store(stored: World, tmp_path: Path) -> None:
    (tmp_path / "birds.csv").write_bytes(b"a,b\n1,2\n")
    assert stored.alula("-o --detach", "--table", str(tmp_path / "birds.csv")).code == 0
    sent = json.loads(stored.sent()["table"])
    made = references.Reference.from_json(sent)
    assert (made.name, made.format) == ("birds.csv", "csv")
    assert opening.open_store(PREFIX).get(made.path()) == b"a,b\n1,2\n"


def test_a_file_without_a_known_store_is_refused_before_a_run_is_started(world: World, tmp_path: Path) -> None:
    (tmp_path / "birds.csv").write_text("a,b\n")
    done = world.alula("--table", str(tmp_path / "birds.csv"))
    assert done.code == 2
    assert "a file can be given to a run on the cluster only through its store" in done.err
    assert not world.server.asked("POST", f"{ARGO}/workflows")


def test_an_interrupt_ends_with_130_and_says_that_the_run_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(clock: Clock, seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Clock, "sleep", interrupt)
    done = world.alula()
    assert done.code == 130
    assert done.err.endswith(f"run-1 goes on without you: see it by `alula why run-1 -n {NAMESPACE}`\ninterrupted\n")


def test_the_kubernetes_client_is_loaded_for_remote_runs_only() -> None:
    code = "import sys, alula.cli.run, alula.remote.runs; sys.exit('kubernetes' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
