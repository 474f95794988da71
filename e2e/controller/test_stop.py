"""`alula stop` on the real servers: a run that is held, and one whose task is at work."""

from __future__ import annotations

import pathlib
import time
from datetime import datetime
from typing import Any

import pytest

from alula_api.contract import labels
from e2e import installing
from e2e.controller import definitions
from e2e.controller.conftest import Scene, nodes, until
from e2e.controller.test_revisions import held

RESTING = {
    "name": "rest",
    "entrypoint": "tiny:rest",
    "inputs": [{"name": "seconds", "type": "int"}],
    "outputs": [{"name": "o0", "type": "int"}],
}
SECONDS = 300


def resting(name: str) -> dict[str, Any]:
    """A task that rests, and one behind it."""
    chain = [
        definitions.node("rest", "rest", seconds={"input": "x"}),
        definitions.node("after", "rest", seconds=definitions.out("rest")),
    ]
    inputs = [{"name": "x", "type": "int", "default": str(SECONDS)}]
    return definitions.workflow(name, chain, inputs=inputs, tasks=[RESTING])


@pytest.fixture
def project(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.alula]\nproject = "control"\nimage = "registry.example.org/tiny:1"\n'
    )
    return tmp_path


def stop(scene: Scene, project: pathlib.Path, run: str, *words: str) -> str:
    cluster = scene.place.cluster
    return installing.alula(cluster, "stop", run, "--namespace", scene.space, *words, cwd=project).stderr


def test_a_run_that_waits_ends_with_the_reason_and_without_a_pod(restarted: Scene, project: pathlib.Path) -> None:
    scene = restarted
    scene.define(resting("stopped-early"))
    scene.installation.kill()
    run = held(scene, "stopped-early", "1")
    assert f"asked for the end of {run} in {scene.space}" in stop(scene, project, run, "--why", "not needed any more")
    scene.installation.start()
    ended = scene.place.ended(run)
    assert ended["status"]["phase"] == "Failed"
    assert "stopped: not needed any more" in ended["status"]["message"]
    assert scene.pods(ended) == []
    until(lambda: "Stopped" in scene.events(run), 30)


def test_a_run_at_work_is_ended_within_seconds_and_nothing_more_starts(scene: Scene, project: pathlib.Path) -> None:
    scene.define(resting("stopped-late"))
    time.sleep(2)  # Argo's own view of templates is a moment behind
    run = scene.place.run("stopped-late")
    until(lambda: scene.place.cluster.pods.started(run, scene.space), 60)
    stop(scene, project, run)
    ended = scene.place.ended(run, 60)
    assert ended["status"]["phase"] == "Failed"
    taken = [datetime.fromisoformat(ended["status"][each]) for each in ("startedAt", "finishedAt")]
    assert (taken[1] - taken[0]).total_seconds() < SECONDS / 3
    assert ended["metadata"]["annotations"][labels.STOP] == "by `alula stop`"
    assert "stopped: by `alula stop`" in ended["status"]["message"]
    assert {node.partition("(")[0] for node in scene.pods(ended)} == {"rest"}, "each attempt has a node"
    assert nodes(ended)["rest"]["phase"] == "Failed"
