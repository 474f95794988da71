"""Runs that follow others, on the real servers, while the controller is killed."""

from __future__ import annotations

import time
from typing import Any

import pytest

from alula_api.contract import labels
from e2e import installing
from e2e.controller import definitions
from e2e.controller.conftest import Scene, condition, until

TOTAL = [{"name": "total", "type": definitions.INT, "from": definitions.out("add")}]
X = [{"name": "x", "type": definitions.INT, "default": "1"}]


@pytest.fixture(scope="module")
def place(scene: Scene) -> Scene:
    """`ahead` is waited for by `behind`, which gets its output, and by `alarm` where it fails."""
    place = Scene(scene.installation.place("triggers", "dev", "off"), scene.installation)
    chain = [definitions.node("add", "add", a={"input": "x"}, b={"value": "1"})]
    for name in ("up", "down"):
        place.define(definitions.workflow(name, chain, inputs=X, outputs=TOTAL))
    passed = {"launchPlan": "ahead", "inputs": [{"name": "x", "output": "total"}]}
    place.define(
        definitions.launch_plan("ahead", "up"),
        definitions.launch_plan("behind", "down", trigger=passed),
        definitions.launch_plan("alarm", "down", trigger={"launchPlan": "ahead", "when": "Failed"}),
        definitions.launch_plan("released", "down", trigger={"release": True}),
    )
    until(lambda: all(waits(place, plan) for plan in ("behind", "alarm", "released")))
    time.sleep(2)  # Argo's own view of templates is a moment behind
    return place


def waits(place: Scene, plan: str) -> dict[str, Any]:
    found = place.api.get(installing.ALULA, "LaunchPlan", plan, place.space)
    return dict((found.get("status") or {}).get("trigger") or {})


def runs(place: Scene, plan: str) -> list[dict[str, Any]]:
    return list(place.api.list(installing.ARGO, "Workflow", place.space, f"{labels.LAUNCH_PLAN}={plan}"))


def test_a_run_that_ends_while_no_controller_is_there_starts_the_one_that_waits_for_it_once(
    place: Scene, restarted: Scene
) -> None:
    first = place.place.run("lp-ahead", {"x": "41"})
    until(lambda: marks(place, first).get(labels.ADMITTED))
    restarted.installation.kill()
    assert place.place.ended(first)["status"]["phase"] == "Succeeded"
    restarted.installation.start()
    (second,) = until(lambda: runs(place, "behind"))
    assert second["spec"]["arguments"]["parameters"] == [{"name": "x", "value": "42"}]
    assert second["metadata"]["annotations"][labels.TRIGGERED_BY] == first
    name = second["metadata"]["name"]
    assert place.place.ended(name)["status"]["phase"] == "Succeeded"
    restarted.installation.kill()
    restarted.installation.start()
    until(lambda: marks(place, first).get(labels.TRIGGERED) == marks_uid(place, first))
    assert [len(runs(place, plan)) for plan in ("ahead", "behind", "alarm")] == [1, 1, 0]


def marks(place: Scene, run: str) -> dict[str, str]:
    return dict(place.api.get(installing.ARGO, "Workflow", run, place.space)["metadata"].get("labels") or {})


def marks_uid(place: Scene, run: str) -> str:
    return str(place.api.get(installing.ARGO, "Workflow", run, place.space)["metadata"]["uid"])


def test_a_run_that_fails_starts_the_one_that_waits_for_failures(place: Scene) -> None:
    failed = place.place.run("lp-ahead", {"x": '"no number"'})
    assert place.place.ended(failed)["status"]["phase"] == "Failed"
    (alarm,) = until(lambda: runs(place, "alarm"))
    assert alarm["metadata"]["annotations"][labels.REASON] == f"{failed} failed"
    assert place.place.ended(alarm["metadata"]["name"])["status"]["phase"] == "Succeeded"
    assert len(runs(place, "behind")) <= 1


def test_a_new_revision_starts_one_run(place: Scene) -> None:
    assert runs(place, "released") == []
    chain = [definitions.node("add", "add", a={"input": "x"}, b={"value": "2"})]
    place.define(definitions.workflow("down", chain, inputs=X, outputs=TOTAL, version="v2"))
    (run,) = until(lambda: runs(place, "released"))
    assert run["metadata"]["name"] == "lp-released-release-1"
    assert place.place.ended(run["metadata"]["name"])["status"]["phase"] == "Succeeded"
    assert len(runs(place, "released")) == 1


def test_a_plan_that_closes_a_circle_is_refused_with_the_circle(place: Scene) -> None:
    place.define(definitions.launch_plan("one", "up", trigger={"launchPlan": "two", "when": "Failed"}))
    place.apply(definitions.launch_plan("two", "down", trigger={"launchPlan": "one", "when": "Failed"}))
    found = place.place.condition("LaunchPlan", "two", "Ready", "False")
    message = condition(found, "Ready")["message"]
    assert "the launch plans two -> one -> two wait for each other in a circle" in message


def test_runs_of_a_domain_that_is_listed_start_those_that_wait_for_them_in_another_one(
    place: Scene, restarted: Scene
) -> None:
    other = Scene(place.installation.place("triggers", "prod", "off"), place.installation)
    long = [definitions.node("much", "much", letter={"input": "label"})]
    text = [{"name": "text", "type": "str", "from": definitions.out("much")}]
    place.define(definitions.workflow("long", long, outputs=text), definitions.launch_plan("heavy", "long"))
    other.define(definitions.workflow("sums", outputs=TOTAL))
    passed = {"far": ("ahead", "x", "total"), "reader": ("heavy", "label", "text")}
    plans = [
        definitions.launch_plan(name, "sums", trigger={"launchPlan": plan, "domain": "dev", "inputs": inputs})
        for name, (plan, to, output) in passed.items()
        if (inputs := [{"name": to, "output": output}])
    ]
    other.apply(*plans)
    refused = other.place.condition("LaunchPlan", "far", "Ready", "False")
    assert "does not list in `spec.triggers.from`" in condition(refused, "Ready")["message"]
    domain = other.api.get(installing.ALULA, "Domain", "domain", other.space)
    spec = {**domain["spec"], "triggers": {"from": ["dev", "qa"]}}
    other.apply({"apiVersion": installing.ALULA, "kind": "Domain", "metadata": {"name": "domain"}, "spec": spec})
    other.define(*plans)
    until(lambda: all(waits(other, plan) for plan in passed))
    other.apply(definitions.launch_plan("lost", "sums", trigger={"launchPlan": "ahead", "domain": "qa"}))
    lost = other.place.condition("LaunchPlan", "lost", "Ready", "False")
    assert "no namespace that is known here is that domain of project triggers" in condition(lost, "Ready")["message"]
    time.sleep(2)  # Argo's own view of templates is a moment behind
    heavy = place.place.run("lp-heavy", {})
    first = place.place.run("lp-ahead", {"x": "41"})
    until(lambda: all(marks(place, run).get(labels.ADMITTED) for run in (heavy, first)))
    restarted.installation.kill()
    assert [place.place.ended(run)["status"]["phase"] for run in (heavy, first)] == ["Succeeded"] * 2
    restarted.installation.start()
    (far,) = until(lambda: runs(other, "far"))
    assert far["spec"]["arguments"]["parameters"] == [{"name": "x", "value": "42"}]
    assert far["metadata"]["annotations"][labels.TRIGGERED_BY] == f"dev/{first}"
    assert other.place.ended(far["metadata"]["name"])["status"]["phase"] == "Succeeded"
    until(lambda: marks(place, first).get(labels.TRIGGERED) == marks_uid(place, first))
    near = [each for each in runs(place, "behind") if each["metadata"]["annotations"][labels.TRIGGERED_BY] == first]
    assert (len(runs(other, "far")), len(near)) == (1, 1)
    (skipped,) = until(lambda: waits(other, "reader").get("skipped"))
    assert skipped["run"] == f"dev/{heavy}"
    assert "is stored in dev, which is not read from another domain" in skipped["reason"]
    assert runs(other, "reader") == []
    copied = (
        place.place.cluster.argo("resubmit", first, "-n", place.space, "-o", "name").stdout.strip().rpartition("/")[2]
    )
    assert place.place.ended(copied)["status"]["phase"] == "Succeeded"
    until(lambda: marks(place, copied).get(labels.TRIGGERED) == marks_uid(place, copied))
    started = [each["metadata"]["annotations"][labels.TRIGGERED_BY] for each in runs(other, "far")]
    assert sorted(started) == sorted([f"dev/{first}", f"dev/{copied}"])
