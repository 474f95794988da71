"""Runs that wait for a ResourceQuota end at their deadline, although Argo does not look at them any more."""

from __future__ import annotations

import time

import pytest

from e2e import installing
from e2e.controller import definitions
from e2e.controller.conftest import Scene, until

RUNS = 8
QUOTA = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "none"},
    "spec": {"hard": {"pods": "0"}},
}


@pytest.fixture(scope="module")
def place(scene: Scene) -> Scene:
    place = Scene(scene.installation.place("overdue", "dev", "off"), scene.installation)
    place.apply(QUOTA)
    until(lambda: (place.api.get("v1", "ResourceQuota", "none", place.space).get("status") or {}).get("hard"))
    chain = [definitions.node("uncached", "uncached", a={"input": "x"})]
    inputs = [{"name": "x", "type": "int", "default": "1"}]
    place.define(
        definitions.workflow("waits", chain, inputs=inputs, deadline="1h"),
        definitions.launch_plan("late", "waits", deadline="6s"),
    )
    time.sleep(2)  # Argo's own view of templates is a moment behind
    return place


def test_every_run_that_a_quota_holds_back_ends_soon_after_the_deadline_of_its_plan(place: Scene) -> None:
    names = [place.place.run("lp-late") for _ in range(RUNS)]
    ended = [place.place.ended(name, 60) for name in names]
    assert {each["status"]["phase"] for each in ended} == {"Failed"}
    wanted = "the run took longer than its deadline of 6s"
    until(lambda: all(said(place, name) == wanted for name in names))


def said(place: Scene, name: str) -> str:
    return str(place.api.get(installing.ARGO, "Workflow", name, place.space)["status"].get("message"))
