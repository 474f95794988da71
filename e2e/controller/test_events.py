"""Runs that events start: real posts to Argo's server, in a namespace where the strict policies hold."""

from __future__ import annotations

import concurrent.futures
import json
import time
import urllib.error
import urllib.request
from typing import Any

import pytest

from alula_api.argo import nodes as argo_nodes
from alula_api.contract import events, jsontext, labels
from e2e import installing
from e2e.controller import definitions
from e2e.controller.conftest import Scene, until
from tests.contract.hostile_payloads import PAYLOADS

INPUTS = [
    {"name": "text", "type": "str", "default": '"-"'},
    {"name": "data", "type": "Any", "default": "null"},
    {"name": "n", "type": "int", "default": "0"},
]
HOOK = {"name": "hook", "deliveryHeader": "x-github-delivery"}
MAPPED = [{"name": name, "path": name} for name in ("text", "data", "n")]


@pytest.fixture(scope="module")
def place(scene: Scene) -> Scene:
    """`take` takes every event; `pick` those of a kind, known by their ids, and `hook` by a header."""
    place = Scene(scene.installation.place("events", "dev", "strict"), scene.installation)
    sink = definitions.workflow("sink", inputs=INPUTS, graphs=[{"name": "main", "nodes": []}])
    where = [{"path": "kind", "values": ["created", "changed"]}]
    pick = {"name": "orders", "where": where, "inputs": [{"name": "n", "path": "items.0.n"}], "delivery": "items.0.id"}
    define(
        place,
        sink,
        definitions.launch_plan("take", "sink", trigger={"event": {"name": "take", "inputs": MAPPED}}),
        definitions.launch_plan("pick", "sink", trigger={"event": pick}),
        definitions.launch_plan("hook", "sink", trigger={"event": HOOK}),
    )
    place.place.cluster.argo_server()
    time.sleep(2)  # Argo's own view of templates is a moment behind
    return place


def define(place: Scene, *bodies: dict[str, Any]) -> None:
    """Apply definitions as Argo CD does, and wait until all are Ready."""
    git = place.api.acting_as(installing.RELEASES, "system:masters")
    for body in bodies:
        git.apply(body, place.space)
    for body in bodies:
        place.place.ready(body["kind"], body["metadata"]["name"])


def post(place: Scene, name: str, body: bytes, **headers: str) -> tuple[int, str]:
    """The status and what was said."""
    url = f"{place.place.cluster.argo_server()}/api/v1/events/{place.space}/{name}"
    given = {"Authorization": "Bearer none", "Content-Type": "application/json"}
    given |= {key.replace("_", "-"): text for key, text in headers.items()}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, body, given, method="POST"), timeout=60) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def send(place: Scene, name: str, payload: Any, **headers: str) -> tuple[int, str]:
    return post(place, name, json.dumps(payload).encode(), **headers)


def runs(place: Scene, plan: str) -> list[dict[str, Any]]:
    found = place.api.list(installing.ARGO, "Workflow", place.space)
    return [each for each in found if each["spec"]["workflowTemplateRef"]["name"] == f"lp-{plan}"]


def over(place: Scene, plan: str, count: int) -> list[dict[str, Any]]:
    """All runs of a plan, when so many are over."""
    done = ("Succeeded", "Failed", "Error")
    ended = until(lambda: len(found := runs(place, plan)) == count and all_in(found, done) and found, 180)
    return list(ended)


def all_in(found: list[dict[str, Any]], phases: tuple[str, ...]) -> bool:
    return all((each.get("status") or {}).get("phase") in phases for each in found)


def given(run: dict[str, Any]) -> dict[str, str]:
    """What `admit` published."""
    name = run["metadata"]["name"]
    admit = next(each for each in argo_nodes.read(run["status"]).values() if each["name"] == f"{name}.admit")
    return {each["name"]: each["value"] for each in argo_nodes.parameters(admit)}


def test_two_hundred_hostile_payloads_arrive_exact_or_are_refused(place: Scene) -> None:
    assert len(PAYLOADS) >= 200
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda each: post(place, "take", each.body), PAYLOADS))
    assert {code for code, _ in answers} <= {200, 400, 500}
    taken = [each for each, (code, _) in zip(PAYLOADS, answers, strict=True) if code == 200]
    unlike = {json.dumps(each.payload, sort_keys=True): each for each in taken}
    assert len(unlike) > 180
    found = over(place, "take", len(unlike))
    for run in found:
        argument = run["spec"]["arguments"]["parameters"][0]["value"]
        message = str(run["status"].get("message"))
        if run["status"]["phase"] == "Failed":
            assert "the event has at" in message or "the payload of the event" in message, message
            continue
        assert run["status"]["phase"] == "Succeeded", message
        payload = events.decoded(argument)
        sent = unlike[json.dumps(payload, sort_keys=True)]
        assert given(run)["text"] == jsontext.argo_safe(jsontext.dumps_sorted(sent.of("text", "-")))
        assert given(run)["data"] == jsontext.argo_safe(jsontext.dumps_sorted(sent.of("data", None)))
    good = {json.dumps(each.payload, sort_keys=True) for each in taken if each.exact}
    arrived = [run for run in found if run["status"]["phase"] == "Succeeded"]
    assert len(arrived) == len(good)


def test_a_delivery_that_is_sent_twice_starts_one_run(place: Scene) -> None:
    order = {"kind": "created", "items": [{"id": "a-1", "n": 41}], "sent": 1}
    assert send(place, "orders", order) == (200, "{}")
    code, said = send(place, "orders", {**order, "sent": 2})
    assert code == 500 and "already exists" in said
    (run,) = over(place, "pick", 1)
    assert (run["status"]["phase"], given(run)["n"]) == ("Succeeded", "41")
    assert run["metadata"]["annotations"][labels.REASON] == "event orders"
    assert run["metadata"]["labels"][labels.STARTED_BY] == "event"
    for number in (1, 2):
        send(place, "hook", {"number": number}, x_github_delivery="one")
    assert send(place, "hook", {"number": 3}) == (200, "{}")
    assert send(place, "hook", {"number": 3}, x_github_delivery="two") == (200, "{}")
    assert len(over(place, "hook", 3)) == 3
    # What has no id at its path, or no path at all, is known by the whole of it.
    for odd in ([], "orders", None, 7, {"items": {"0": {"id": "a-9"}}}, {"items": [{}]}, {"items": ["a-1"]}):
        assert send(place, "orders", odd) == (200, "{}"), odd
    assert len(over(place, "pick", 8)) == 8


def test_an_event_that_does_not_fulfil_the_conditions_ends_its_run_as_skipped(place: Scene) -> None:
    assert send(place, "orders", {"kind": "deleted", "items": [{"id": "b-1"}]}) == (200, "{}")
    run = until(lambda: [each for each in runs(place, "pick") if "deleted" in payload_of(each) and ended(each)])[0]
    assert run["metadata"]["labels"][labels.OUTCOME] == "skipped"
    message = 'skipped: the event is another one: kind is not "created" or "changed"'
    assert (run["status"]["phase"], run["status"]["message"]) == ("Failed", message)
    until(lambda: latest(place, "pick").get(run["metadata"]["name"], {}).get("outcome") == "skipped")
    plan = place.api.get(installing.ALULA, "LaunchPlan", "pick", place.space)
    assert plan["status"].get("currentFailure", {}).get("name") != run["metadata"]["name"]


def payload_of(run: dict[str, Any]) -> str:
    return json.dumps(events.decoded(run["spec"]["arguments"]["parameters"][0]["value"]))


def ended(run: dict[str, Any]) -> bool:
    return (run.get("status") or {}).get("phase") in ("Succeeded", "Failed", "Error")


def latest(place: Scene, plan: str) -> dict[str, dict[str, Any]]:
    found = place.api.get(installing.ALULA, "LaunchPlan", plan, place.space)
    return {each["name"]: each for each in (found.get("status") or {}).get("runs", [])}


def binding(place: Scene, plan: str) -> dict[str, Any] | None:
    found = place.api.list(installing.ARGO, "WorkflowEventBinding", place.space)
    return next((each for each in found if each["metadata"]["name"] == f"lp-{plan}"), None)


def test_a_plan_that_is_suspended_and_a_domain_without_schedules_take_no_events(place: Scene) -> None:
    define(place, definitions.launch_plan("hook", "sink", suspend=True, trigger={"event": HOOK}))
    until(lambda: binding(place, "hook") is None)
    assert send(place, "hook", {"number": 4}) == (200, "{}")
    domain = place.api.get(installing.ALULA, "Domain", "domain", place.space)
    body = {"apiVersion": domain["apiVersion"], "kind": "Domain", "metadata": {"name": "domain"}}
    define(place, {**body, "spec": {**domain["spec"], "schedules": "Disabled"}})
    until(lambda: binding(place, "pick") is None and binding(place, "take") is None)
    before = len(runs(place, "pick"))
    assert send(place, "orders", {"kind": "created", "items": [{"id": "c-1"}]}) == (200, "{}")
    define(place, {**body, "spec": domain["spec"]})
    until(lambda: binding(place, "pick"))
    assert len(runs(place, "pick")) == before


def test_a_binding_that_is_deleted_or_changed_is_set_right(place: Scene) -> None:
    wanted = until(lambda: binding(place, "pick"))["spec"]
    path = place.api.path(installing.ARGO, "WorkflowEventBinding", place.space, "lp-pick")
    place.api.request("DELETE", path)
    assert until(lambda: binding(place, "pick"))["spec"] == wanted
