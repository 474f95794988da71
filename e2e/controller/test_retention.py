"""Argo deletes runs when their Domain or launch plan says; what the others were started from stays."""

from __future__ import annotations

import re
import time

import pytest

from e2e import installing
from e2e.cluster import api
from e2e.controller import definitions
from e2e.controller.conftest import Scene, until


@pytest.fixture(scope="module")
def place(scene: Scene) -> installing.Place:
    """A domain that keeps failed runs for seconds, with a launch plan that keeps successful ones as briefly."""
    place = scene.installation.place("retention", "dev", "off")
    kept = {"retention": {"succeeded": "1h", "failed": "6s"}}
    place.cluster.api.patch(installing.ALULA, "Domain", "domain", place.namespace, {"spec": kept})
    inputs = [{"name": "x", "type": "int", "default": "7"}]
    chain = [definitions.node("one", "uncached", a={"input": "x"})]
    plan = {"apiVersion": installing.ALULA, "kind": "LaunchPlan", "metadata": {"name": "brief"}}
    plan["spec"] = {"workflow": "kept", "retention": {"succeeded": "6s", "failed": "30d"}}
    Scene(place, scene.installation).define(definitions.workflow("kept", chain, inputs=inputs), plan)
    until(lambda: ttl(place, "lp-brief") == (6, 6))
    time.sleep(2)  # Argo's own view of templates is a moment behind
    return place


def ttl(place: installing.Place, template: str) -> tuple[int, int]:
    """Seconds for which runs stay that succeeded, and the others."""
    found = place.cluster.api.get(installing.ARGO, "WorkflowTemplate", template, place.namespace)["spec"]["ttlStrategy"]
    assert found["secondsAfterCompletion"] == found["secondsAfterFailure"]
    return found["secondsAfterSuccess"], found["secondsAfterFailure"]


def there(place: installing.Place, run: str) -> bool:
    try:
        place.cluster.api.get(installing.ARGO, "Workflow", run, place.namespace)
    except api.ApiError as error:
        assert error.code == 404
        return False
    return True


def test_runs_go_when_their_launch_plan_or_domain_says_and_others_stay(place: installing.Place) -> None:
    assert ttl(place, "kept") == (3600, 6)
    refused = place.run("kept", {"x": "six"})
    brief, stays = place.run("lp-brief"), place.run("kept")
    ended = {run: place.ended(run)["status"]["phase"] for run in (refused, brief, stays)}
    assert ended == {refused: "Failed", brief: "Succeeded", stays: "Succeeded"}
    until(lambda: not there(place, refused) and not there(place, brief), 60)
    assert there(place, stays)
    revision = place.ready("Workflow", "kept")["status"]["revision"]
    assert place.cluster.api.get(installing.ALULA, "WorkflowRevision", revision, place.namespace)
    page = (installing.ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
    shown = re.findall(r"(?m)^\$ kubectl (get arev .+)$", page)
    assert len(shown) == 2
    for words in shown:
        here = words.replace("penguins-dev", place.namespace).replace("penguins-train", "kept").split()
        assert revision in place.cluster.kubectl(*here).stdout
