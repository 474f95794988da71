"""Starting and following: what is sent, and what happens when the cluster does not do as hoped."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from alula.progress.watchers import Watcher
from alula.remote import connections, definitions, refusals, runs
from alula.remote.refusals import RemoteError
from alula_api.contract import values
from alula_api.contract.codes import Code
from tests import strategies
from tests.remote import servers, worlds
from tests.remote.conftest import Clock
from tests.remote.servers import ARGO, NAMESPACE
from tests.remote.worlds import RUN, admit, cached, failed, node, retried, root, run, status

AGAIN = f"{RUN}-again"


def parameters(inputs: dict[str, Any]) -> dict[str, str]:
    body: Any = runs.manifest("echoing", inputs)
    return {each["name"]: each["value"] for each in body["spec"]["arguments"]["parameters"]}


def test_a_run_names_its_template_and_its_inputs_and_nothing_else() -> None:
    assert runs.manifest("lp-nightly", {"text": "x"}) == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {
            "generateName": "lp-nightly-",
            "annotations": {"alula.dev/reason": "started by `alula run --remote`"},
        },
        "spec": {
            "workflowTemplateRef": {"name": "lp-nightly"},
            "arguments": {"parameters": [{"name": "text", "value": '"x"'}]},
        },
    }


def test_an_input_that_is_not_given_is_left_to_the_cluster() -> None:
    assert parameters({}) == {}


@given(strategies.texts())
def test_every_text_travels_as_argo_safe_json_and_comes_back(text: str) -> None:
    sent = parameters({"text": text})["text"]
    assert json.loads(sent) == text
    assert sent.isascii() and sent.isprintable()
    assert not re.search(r"[{}$]", sent[1:-1])
    assert values.argo_safe(sent) == sent


class Scene:
    """A run that is followed on a virtual clock."""

    def __init__(self, server: servers.Server, cluster: connections.Connection, clock: Clock) -> None:
        self.server, self.cluster, self.clock = server, cluster, clock
        self.watchers: list[Watcher] = []
        self.body: dict[str, Any] = {"spec": {"workflowTemplateRef": {"name": "penguins-train"}}}
        revision = "penguins-train-1a2b3c4d"
        self.found = definitions.Found("penguins-train", worlds.WORKFLOW, "penguins-train", revision, worlds.SOURCES)

    def looks(self, *answers: Any, name: str = RUN) -> None:
        self.server.on("GET", f"{ARGO}/workflows/{name}", *answers)

    def starts(self, *names: str) -> None:
        made = [servers.Answer({"metadata": {"name": name}}, 201) for name in names]
        self.server.on("POST", f"{ARGO}/workflows", *made)

    def watcher(self) -> Watcher:
        self.watchers.append(Watched())
        return self.watchers[-1]

    def follow(self) -> runs.Followed:
        return runs.Follower(self.cluster, self.found, self.body, self.clock).follow(RUN, self.watcher)

    def refused(self) -> RemoteError:
        with pytest.raises(RemoteError) as raised:
            self.follow()
        return raised.value


class Watched(Watcher):
    """Remembers the ends and the warnings."""

    def __init__(self) -> None:
        self.ends: list[str] = []
        self.warnings: list[str] = []
        self.closed = 0

    def warned(self, text: str) -> None:
        self.warnings.append(text)

    def end(self, result: Any) -> None:
        self.ends.append("ok" if result.ok else "failed")

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def scene(server: servers.Server, cluster: connections.Connection, clock: Clock) -> Scene:
    return Scene(server, cluster, clock)


def going(*nodes: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return run(worlds.keyed(status("Running", root("Running"), admit(), *nodes)), **metadata)


def done(**metadata: Any) -> dict[str, Any]:
    return run(worlds.keyed(status("Succeeded", root("Succeeded", {"o0": "0.9"}), admit(), cached("load"))), **metadata)


def lost(**metadata: Any) -> dict[str, Any]:
    nodes = retried("train.fit", "Failed", failed("", "INPUT_LOST: the data behind an input is gone", 92))
    return run(worlds.keyed(status("Failed", root("Failed"), admit(), cached("load"), *nodes)), **metadata)


UNSEEN = run(status("Error", message='workflowtemplates.argoproj.io "penguins-train" not found'))


def test_starting_says_the_runs_name_in_one_line_that_programs_read(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.starts(RUN)
    assert runs.start(scene.cluster, scene.body) == RUN
    assert capsys.readouterr().err == f"started {RUN} in {NAMESPACE}\n"
    assert scene.server.requests[0].body == scene.body


def test_a_run_is_looked_at_each_second_until_it_is_over(scene: Scene) -> None:
    scene.looks(run(), going(), going(cached("load")), done())
    followed = scene.follow()
    assert followed.state.succeeded and followed.state.outputs == {"o0": "0.9"}
    assert scene.clock.slept == [1.0, 1.0, 1.0]
    (watcher,) = scene.watchers
    assert isinstance(watcher, Watched)
    assert (watcher.ends, watcher.closed > 0) == (["ok"], True)


@pytest.mark.parametrize(("tasks", "pause"), [(0, 1.0), (10, 1.5), (100, 4.0)])
def test_a_large_run_is_looked_at_less_often_and_a_small_one_not_because_the_way_is_long(
    tasks: int, pause: float, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = scene.cluster.run

    def slowly(name: str) -> Any:
        scene.clock.time += 0.2
        return look(name)

    monkeypatch.setattr(scene.cluster, "run", slowly)
    scene.looks(going(*(cached(f"load-{number}") for number in range(tasks))), done())
    scene.follow()
    assert scene.clock.slept == [pytest.approx(pause)]


def test_an_outage_is_said_once_and_waited_for(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    busy = servers.refused(503, "the API server is starting")
    scene.looks(going(), busy, servers.GONE, busy, going(), busy, done())
    assert scene.follow().state.succeeded
    assert scene.clock.slept == [1.0, 1.0, 2.0, 4.0, 1.0, 1.0]
    told = f"the cluster could not read run {RUN}: 503 the API server is starting; trying again\n"
    assert capsys.readouterr().err == told * 2


def test_an_outage_that_does_not_end_is_told_with_how_to_see_the_run_that_goes_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGO_SERVER", "argo.example.org:2746")
    scene.looks(going(), servers.refused(503, "down"))
    error = scene.refused()
    assert f"the cluster could not read run {RUN}: 503 down; the run goes on" in str(error)
    assert f"`alula why {RUN} -n {NAMESPACE}`" in str(error)
    assert f"https://argo.example.org:2746/workflows/{NAMESPACE}/{RUN}" in str(error)
    assert tuple(scene.clock.slept[1:]) == refusals.LONG


def test_a_right_that_is_taken_away_meanwhile_is_told_at_once(scene: Scene) -> None:
    scene.looks(going(), servers.refused(403, "workflows is forbidden"))
    assert f"you may not read run {RUN}: workflows is forbidden" in str(scene.refused())
    assert scene.clock.slept == [1.0]


def test_a_run_that_is_deleted_while_it_is_followed_is_told(scene: Scene) -> None:
    scene.looks(going(), servers.refused(404, "not found"))
    error = scene.refused()
    assert f"run {RUN} was deleted while it was followed" in str(error)
    assert error.diagnostics[0].code == Code.RUN_STOPPED
    assert isinstance(scene.watchers[0], Watched) and scene.watchers[0].closed


def test_a_run_that_came_before_its_template_is_started_anew_once(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.looks(UNSEEN)
    scene.starts(AGAIN)
    scene.looks(done(), name=AGAIN)
    assert scene.follow().state.succeeded
    assert scene.clock.slept == [runs.UNSEEN_SECONDS]
    assert [each.body for each in scene.server.asked("POST", f"{ARGO}/workflows")] == [scene.body]
    assert capsys.readouterr().err == (
        f"Argo had not yet seen the template penguins-train: starting the run anew\nstarted {AGAIN} in {NAMESPACE}\n"
    )
    assert [watcher.ends for watcher in scene.watchers if isinstance(watcher, Watched)] == [[], ["ok"]]


def test_a_run_that_comes_too_early_twice_has_failed(scene: Scene) -> None:
    scene.looks(UNSEEN)
    scene.starts(AGAIN)
    scene.looks(UNSEEN, name=AGAIN)
    followed = scene.follow()
    assert not followed.state.succeeded
    assert "not found" in followed.state.message
    assert len(scene.server.asked("POST", f"{ARGO}/workflows")) == 1


def test_a_run_whose_data_was_lost_is_followed_on_into_the_one_that_took_its_place(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.looks(lost(), lost(), lost(annotations={"alula.dev/restarted-as": AGAIN}))
    scene.looks(done(annotations={"alula.dev/restarted-from": RUN}), name=AGAIN)
    assert scene.follow().state.succeeded
    assert f"started {AGAIN} in {NAMESPACE}\n" in capsys.readouterr().err
    assert [watcher.ends for watcher in scene.watchers if isinstance(watcher, Watched)] == [["failed"], ["ok"]]


@pytest.mark.parametrize(
    ("ended", "looks"),
    [
        (lost(annotations={"alula.dev/restarted-as": ""}), 2),
        (lost(annotations={"alula.dev/restarted-from": "x"}), 1),
        (lost(), 12),
    ],
    ids=["that was not started again", "that was started again before", "of which no more is known"],
)
def test_a_run_whose_data_was_lost(ended: dict[str, Any], looks: int, scene: Scene) -> None:
    scene.looks(ended)
    assert scene.follow().state.phase == "Failed"
    assert len(scene.server.asked("GET", f"{ARGO}/workflows/{RUN}")) == looks


def test_a_run_that_took_an_older_template_is_warned_of(scene: Scene) -> None:
    older = {"alula.dev/revision": "penguins-train-00000000"}
    scene.looks(going(labels=older), going(labels=older), done(labels=older))
    scene.follow()
    (watcher,) = scene.watchers
    assert isinstance(watcher, Watched)
    assert watcher.warnings == [
        "the run follows revision penguins-train-00000000, which Argo still had; the newest is penguins-train-1a2b3c4d"
    ]


def interrupting(pauses: int) -> Callable[[float], None]:
    def sleep(seconds: float) -> None:
        nonlocal pauses
        pauses -= 1
        if pauses < 0:
            raise KeyboardInterrupt

    return sleep


@pytest.mark.parametrize(
    "answer", [going(node("load", "Running")), servers.refused(503, "down")], ids=["running", "down"]
)
def test_an_interrupt_says_that_the_run_goes_on_and_how_to_see_it(
    answer: Any, scene: Scene, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.looks(answer)
    monkeypatch.setattr(scene.clock, "sleep", interrupting(2))
    with pytest.raises(KeyboardInterrupt):
        scene.follow()
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"{RUN} goes on without you: see it by `alula why {RUN} -n {NAMESPACE}`"
    assert isinstance(scene.watchers[0], Watched) and scene.watchers[0].closed


@pytest.mark.parametrize(
    ("environment", "link"),
    [
        ({}, ""),
        ({"ARGO_SERVER": "argo:2746"}, "https://argo:2746/workflows/ns/x"),
        (
            {"ARGO_SERVER": "argo", "ARGO_SECURE": "false", "ARGO_BASE_HREF": "/argo/"},
            "http://argo/argo/workflows/ns/x",
        ),
    ],
)
def test_the_page_of_a_run_is_where_argos_own_variables_say(environment: dict[str, str], link: str) -> None:
    assert runs.link("ns", "x", environment) == link
