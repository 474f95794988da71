"""Schedules on the real servers: each tick starts one run whatever is killed, and what says that none starts."""

from __future__ import annotations

import pathlib
import random
import re
import time
from typing import Any

import pytest

from alula_api.contract import labels, timetables
from e2e import installing
from e2e.controller import definitions
from e2e.controller.conftest import Scene, until

STEP = 3
EVERY = f"{STEP}s"


@pytest.fixture(scope="module")
def place(scene: Scene) -> Scene:
    """A domain of its own, and a workflow whose tasks the cache answers after the first run."""
    place = Scene(scene.installation.place("schedules", "dev", "off"), scene.installation)
    when = [{"name": "when", "type": definitions.STR, "default": '"by hand"'}]
    chain = [definitions.node("add", "add", a={"value": "1"}, b={"value": "2"})]
    place.define(definitions.workflow("timely", chain, inputs=when))
    return place


def runs(scene: Scene, plan: str) -> dict[int, dict[str, Any]]:
    """The runs of a plan by the scheduled time in their names."""
    listed = scene.api.list(installing.ARGO, "Workflow", scene.space)
    mine = [each for each in listed if each["metadata"]["name"].startswith(f"lp-{plan}-")]
    return {int(each["metadata"]["name"].rpartition("-")[2]): each for each in mine}


def plan_of(scene: Scene, plan: str) -> dict[str, Any]:
    return dict(scene.api.get(installing.ALULA, "LaunchPlan", plan, scene.space))


def schedule(scene: Scene, plan: str) -> dict[str, Any]:
    return dict((plan_of(scene, plan).get("status") or {}).get("schedule") or {})


def decided(scene: Scene, plan: str) -> int:
    moment = timetables.moment(schedule(scene, plan).get("decided", ""))
    return round(moment.timestamp()) if moment is not None else 0


def test_each_tick_starts_one_run_while_the_controller_is_killed_again_and_again(
    place: Scene, restarted: Scene
) -> None:
    chance = random.Random(11)
    timing = {"every": EVERY, "input": "when", "catchUp": "All"}
    place.define(definitions.launch_plan("steady", "timely", schedule=timing))
    began = until(lambda: decided(place, "steady"))
    for _ in range(4):
        time.sleep(chance.uniform(1.5, 5))
        restarted.installation.kill()
        time.sleep(chance.uniform(0, 4))
        restarted.installation.start()
    until(lambda: decided(place, "steady") > began + 10 * STEP)
    place.api.patch(installing.ALULA, "LaunchPlan", "steady", place.space, {"spec": {"suspend": True}})
    until(lambda: schedule(place, "steady").get("state") == "Suspended")
    found = runs(place, "steady")
    first = (began // STEP + 1) * STEP
    assert sorted(found) == list(range(first, max(found) + 1, STEP))
    assert len(found) >= 10
    for tick, run in found.items():
        text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(tick))
        assert run["metadata"]["annotations"][labels.TICK] == text
        assert run["spec"]["arguments"]["parameters"] == [{"name": "when", "value": f'"{text}"'}]
    for run in found.values():
        assert place.place.ended(run["metadata"]["name"], 180)["status"]["phase"] == "Succeeded"
    last = f"lp-steady-{max(found)}"
    until(lambda: plan_of(place, "steady")["status"].get("lastSuccess", {}).get("name") == last)
    shown = place.place.cluster.kubectl("get", "alp", "steady", "-n", place.space).stdout
    assert "NEXT" in shown


def test_a_plan_that_is_held_by_hand_and_a_domain_that_disables_schedules_start_nothing(
    place: Scene, restarted: Scene
) -> None:
    place.define(definitions.launch_plan("held", "timely", schedule={"every": EVERY}))
    until(lambda: runs(place, "held"))
    hold = {"metadata": {"annotations": {labels.SUSPENDED: "a person: a test"}}}
    place.api.patch(installing.ALULA, "LaunchPlan", "held", place.space, hold)
    until(lambda: schedule(place, "held").get("state") == "Suspended")
    before = set(runs(place, "held"))
    time.sleep(2 * STEP)
    assert set(runs(place, "held")) == before
    place.api.patch(
        installing.ALULA, "LaunchPlan", "held", place.space, {"metadata": {"annotations": {labels.SUSPENDED: None}}}
    )
    until(lambda: set(runs(place, "held")) - before)
    try:
        domain(place, schedules="Disabled")
        until(lambda: schedule(place, "held").get("state") == "Disabled")
        before = set(runs(place, "held"))
        restarted.installation.kill()
        restarted.installation.start()
        time.sleep(2 * STEP)
        assert set(runs(place, "held")) == before
    finally:
        domain(place, schedules=None)
    until(lambda: schedule(place, "held").get("state") == "Active")
    resumed = decided(place, "held")
    until(lambda: set(runs(place, "held")) - before)
    assert min(set(runs(place, "held")) - before) >= resumed - resumed % STEP, "nothing was made up for"
    place.api.delete(installing.ALULA, "LaunchPlan", "held", place.space)


def domain(place: Scene, **spec: Any) -> None:
    place.api.patch(installing.ALULA, "Domain", "domain", place.space, {"spec": spec})


def test_a_cronworkflow_of_an_earlier_version_is_taken_over_without_a_lost_or_doubled_tick(
    place: Scene, restarted: Scene
) -> None:
    """Argo has started the last but one run and has not told it in the CronWorkflow yet; the one before was told. It
    fires again at the next tick, so the controller must be there before that."""
    cron, period = "*/2 * * * *", 120
    plan = definitions.launch_plan("taken", "timely", schedule={"cron": [cron]})
    restarted.installation.kill()
    left = period - time.time() % period
    time.sleep(left + 1 if left < 45 else 0)
    tick = int(time.time()) // period * period
    workflow = place.api.get(installing.ALULA, "Workflow", "timely", place.space)
    marks = {labels.MANAGED_BY: labels.MANAGER, labels.WORKFLOW: "timely", labels.LAUNCH_PLAN: "taken"}
    made = place.api.create(
        {
            "apiVersion": installing.ARGO,
            "kind": "CronWorkflow",
            "metadata": {"name": "lp-taken", "labels": {**marks, labels.OWNER_UID: workflow["metadata"]["uid"]}},
            "spec": {
                "schedules": [cron],
                "workflowSpec": {"workflowTemplateRef": {"name": "timely"}},
            },
            "status": {
                "lastScheduledTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(tick - 2 * period)),
                "active": [], "conditions": [], "succeeded": 0, "failed": 0, "phase": "Active",
            },
        },
        place.space,
    )  # fmt: skip
    owner = {"apiVersion": installing.ARGO, "kind": "CronWorkflow", "name": "lp-taken", "uid": made["metadata"]["uid"]}
    place.api.create(
        {
            "apiVersion": installing.ARGO,
            "kind": "Workflow",
            "metadata": {
                "name": f"lp-taken-{tick - period}",
                "labels": {"workflows.argoproj.io/cron-workflow": "lp-taken"},
                "ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": True}],
            },
            "spec": {"workflowTemplateRef": {"name": "timely"}},
        },
        place.space,
    )
    place.apply(plan)
    restarted.installation.start()
    until(lambda: not crons(place), 90)
    until(lambda: decided(place, "taken") >= tick, 90)
    found = runs(place, "taken")
    assert sorted(found) == list(range(tick - period, max(found) + 1, period))
    assert schedule(place, "taken")["skipped"] == []
    ours = found[tick]["metadata"]
    assert labels.TICK in ours["annotations"] or "workflows.argoproj.io/cron-workflow" in ours["labels"]
    assert labels.TICK not in (found[tick - period]["metadata"].get("annotations") or {}), (
        "it is the one that was there"
    )
    place.api.delete(installing.ALULA, "LaunchPlan", "taken", place.space)


def crons(place: Scene) -> list[str]:
    listed = place.api.list(installing.ARGO, "CronWorkflow", place.space)
    return [each["metadata"]["name"] for each in listed]


def test_runs_are_launched_by_hand_and_made_for_times_of_the_past(place: Scene, tmp_path: pathlib.Path) -> None:
    """The commands of docs/schedules.md, on the real servers."""
    timing = {"cron": ["0 2 * * *"], "input": "when"}
    place.define(definitions.launch_plan("past", "timely", schedule=timing))
    time.sleep(2)  # Argo's own view of templates is a moment behind

    def alula(*words: str) -> str:
        done = installing.alula(place.place.cluster, *words, "-n", place.space, cwd=tmp_path)
        return str(done.stdout + done.stderr)

    def inputs(run: str) -> list[dict[str, str]]:
        ended = place.place.ended(run)
        assert ended["status"]["phase"] == "Succeeded", ended["status"].get("message")
        return list(ended["spec"]["arguments"]["parameters"])

    started = [re.findall(r"started (\S+) in", alula("launch", "past", *words)) for words in ((), ("when=by hand",))]
    (now,), (given,) = started
    assert re.fullmatch(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"', inputs(now)[0]["value"])
    assert inputs(given) == [{"name": "when", "value": '"by hand"'}]
    days = ("--from", "2026-11-01T00:00:00Z", "--to", "2026-11-04T00:00:00Z")
    dry = alula("backfill", "past", *days, "--dry-run")
    assert "3 of 3 scheduled times get a run" in dry and "2026-11-01T02:00:00Z  run   no run" in dry
    assert backfilled(place) == []
    made = alula("backfill", "past", *days, "--parallel", "2")
    ticks = [f"2026-11-0{day}T02:00:00Z" for day in (1, 2, 3)]
    names = [f"lp-past-{int(timetables.moment(tick).timestamp())}-b0" for tick in ticks]  # type: ignore[union-attr]
    assert re.findall(r"started (\S+) in", made) == names == backfilled(place)
    for name, tick in zip(names, ticks, strict=True):
        assert inputs(name) == [{"name": "when", "value": f'"{tick}"'}]
        notes = place.api.get(installing.ARGO, "Workflow", name, place.space)["metadata"]["annotations"]
        assert (notes[labels.TICK], notes[labels.PRIORITY]) == (tick, "0")
    until(lambda: "0 of 3 scheduled times get a run" in alula("backfill", "past", *days))
    assert f"started {names[0][:-1]}1 in" in alula("backfill", "past", "--all", *days[:3], "2026-11-02T00:00:00Z")


def backfilled(place: Scene) -> list[str]:
    listed = place.api.list(installing.ARGO, "Workflow", place.space)
    return sorted(each["metadata"]["name"] for each in listed if each["metadata"]["name"].endswith("-b0"))


def test_a_new_value_of_an_annotation_starts_one_run_of_a_launch_plan(place: Scene) -> None:
    place.define(definitions.launch_plan("asked", "timely"))
    time.sleep(2)  # Argo's own view of templates is a moment behind
    for value in ("ada at noon", "ada at noon", "ada at one"):
        asks = {"metadata": {"annotations": {labels.RUN_REQUESTED: value}}}
        place.api.patch(installing.ALULA, "LaunchPlan", "asked", place.space, asks)
        until(lambda: of_plan(place, "asked"))
    runs = until(lambda: found if len(found := of_plan(place, "asked")) == 2 else [])
    assert [place.place.ended(run)["status"]["phase"] for run in runs] == ["Succeeded"] * 2


def of_plan(place: Scene, plan: str) -> list[str]:
    listed = place.api.list(installing.ARGO, "Workflow", place.space, f"{labels.LAUNCH_PLAN}={plan}")
    return [each["metadata"]["name"] for each in listed]
