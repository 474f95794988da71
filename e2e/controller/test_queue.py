"""What operators do with a domain's queue, on the real servers. `test_thirty_runs` has the queue itself."""

from __future__ import annotations

import pathlib
import time
from typing import Any

import pytest

from alula_api.contract import labels
from e2e import installing
from e2e.controller import definitions
from e2e.controller.conftest import Scene, until
from e2e.controller.test_stop import resting

QUOTA = 2


@pytest.fixture(scope="module")
def place(scene: Scene) -> installing.Place:
    """A domain of its own with a quota, and a workflow."""
    place = scene.installation.place("queue", "dev", "off")
    limited(place, quota={"running": QUOTA})
    scene_of = Scene(place, scene.installation)
    chain = [definitions.node("one", "uncached", a={"input": "x"})]
    scene_of.define(definitions.workflow("queued", chain, inputs=[{"name": "x", "type": "int", "default": "1"}]))
    time.sleep(2)  # Argo's own view of templates is a moment behind
    return place


def limited(place: installing.Place, **spec: Any) -> None:
    """Change what the domain allows."""
    place.cluster.api.patch(installing.ALULA, "Domain", "domain", place.namespace, {"spec": spec})


def test_a_suspended_domain_holds_its_runs_and_an_operator_lets_one_go(
    scene: Scene, place: installing.Place, tmp_path: pathlib.Path
) -> None:
    limited(place, suspend=True)
    held, forced = place.run("queued"), place.run("queued")
    options = ("--namespace", place.namespace)
    until(lambda: held in installing.alula(place.cluster, "queue", *options, cwd=tmp_path).stdout)
    shown = installing.alula(place.cluster, "queue", *options, cwd=tmp_path).stdout
    assert f"{place.namespace}: 0 of {QUOTA} running, 0 starting, 2 waiting" in shown
    assert "the domain is suspended" in shown
    installing.alula(place.cluster, "admit", forced, "--force", *options, cwd=tmp_path)
    assert place.ended(forced)["status"]["phase"] == "Succeeded"
    assert place.cluster.api.get(installing.ARGO, "Workflow", held, place.namespace)["status"]["phase"] == "Running"
    limited(place, suspend=None)
    assert place.ended(held)["status"]["phase"] == "Succeeded"


def test_a_new_run_replaces_the_one_at_work_and_starts_when_its_pods_are_gone(
    scene: Scene, place: installing.Place
) -> None:
    own = Scene(place, scene.installation)
    own.define(resting("resting"))
    latest = definitions.launch_plan("latest", "resting", concurrency={"limit": 1, "policy": "Replace"})
    own.define(latest)
    time.sleep(2)  # Argo's own view of templates is a moment behind
    old = place.run("lp-latest")
    until(lambda: running_pods(place, old))
    new = place.run("lp-latest", {"x": "0"})
    until(lambda: admitted(place, new))
    assert running_pods(place, old) == []
    ended = place.ended(old)
    assert ended["status"]["phase"] == "Failed"
    assert ended["status"]["message"] == f"replaced: {new} is newer, and launch plan latest runs 1 at a time"
    assert ended["metadata"]["labels"][labels.OUTCOME] == "replaced"
    assert place.ended(new)["status"]["phase"] == "Succeeded"


def running_pods(place: installing.Place, run: str) -> list[str]:
    listed = place.cluster.api.list("v1", "Pod", place.namespace, f"workflows.argoproj.io/workflow={run}")
    return [each["metadata"]["name"] for each in listed if each["status"].get("phase") not in ("Succeeded", "Failed")]


def admitted(place: installing.Place, run: str) -> bool:
    metadata = place.cluster.api.get(installing.ARGO, "Workflow", run, place.namespace)["metadata"]
    return labels.ADMITTED in metadata.get("labels", {})
