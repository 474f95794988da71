"""Runs on a real Argo: admitted, filled in, refused, and none of them hanging.

All scenarios share one domain and so one cache: each has numbers and labels of its own.
"""

from __future__ import annotations

import dataclasses
import json
import time

import pytest

from alula_data.stores import protocols
from e2e.controller import definitions
from e2e.controller.conftest import Scene, memoized, metrics, nodes, until

ARGO = "argoproj.io/v1alpha1"


@dataclasses.dataclass(frozen=True)
class Begun:
    """Runs that the controller leaves alone for up to a minute."""

    indigestible: str
    queued: list[str]


@pytest.fixture(scope="module", autouse=True)
def begun(scene: Scene) -> Begun:
    """They start before everything else here; what is asked of them is asked at the end."""
    queued = scene.installation.place("queued", "dev", "off")
    queued.cluster.apply(definitions.workflow("typed"), queued.namespace)
    queued.ready("Workflow", "typed")
    indigestible = queued.run("typed", {"label": "{{= bad((}"})
    limit = "workflows.argoproj.io/parallelism-limit=1"
    queued.cluster.kubectl("label", "namespace", queued.namespace, limit)
    queued.cluster.apply(definitions.workflow("queued"), queued.namespace)
    queued.ready("Workflow", "queued")
    time.sleep(1)  # until Argo has seen the limit
    names = [queued.run("queued", {"x": x}) for x in ("1200", "1201")]
    waiting = until(lambda: scene.api.get(ARGO, "Workflow", names[1], queued.namespace).get("status"))
    assert waiting["phase"] == "Pending" and "too many workflows" in waiting["message"]
    return Begun(indigestible, names)


def entry_of(run: dict[str, object], node: str) -> str:
    key = nodes(run)[node]["memoizationStatus"]["key"]
    return f"cache/{key[:2]}/{key}.json"


def test_the_second_run_has_no_pod_and_one_changed_input_runs_what_depends_on_it(scene: Scene) -> None:
    scene.define(definitions.workflow("chain"))
    first = scene.run("chain", x="100", label="chain")
    assert first["status"]["phase"] == "Succeeded", first["status"].get("message")
    assert len(scene.pods(first)) == 3
    second = scene.run("chain", x="100", label="chain")
    assert second["status"]["phase"] == "Succeeded"
    assert scene.pods(second) == []
    assert memoized(second) == {"add", "add-2", "greet"}
    third = scene.run("chain", x="101", label="chain")
    assert third["status"]["phase"] == "Succeeded"
    assert memoized(third) == {"greet"}
    assert len(scene.pods(third)) == 2
    assert scene.events(second["metadata"]["name"]) == ["Admitted"]


def test_a_cached_sub_graph_and_all_behind_it_is_filled_in(scene: Scene) -> None:
    scene.define(definitions.nested("nested"))
    first = scene.run("nested", x="200", label="nested")
    assert first["status"]["phase"] == "Succeeded", first["status"].get("message")
    second = scene.run("nested", x="200", label="nested")
    assert second["status"]["phase"] == "Succeeded"
    assert scene.pods(second) == []
    assert memoized(second) == {"first", "sub.one", "sub.two", "sub.aside", "after"}
    outputs = second["status"]["nodes"][second["metadata"]["name"]]["outputs"]["parameters"]
    assert outputs == [{"name": "total", "value": "210"}]


def test_a_sub_graph_that_is_partly_cached_runs_the_rest_and_what_is_behind_it(scene: Scene) -> None:
    scene.define(definitions.nested("nested"))
    first = scene.run("nested", x="300", label="nested-a")
    assert first["status"]["phase"] == "Succeeded", first["status"].get("message")
    second = scene.run("nested", x="300", label="nested-b")
    assert second["status"]["phase"] == "Succeeded", second["status"].get("message")
    assert memoized(second) == {"first", "sub.one", "sub.two"}
    # `after` lies behind the graph, so it is not filled in; its pod finds the entry itself.
    assert len(scene.pods(second)) == 2


def test_a_cached_graph_in_a_graph_that_is_partly_cached_is_filled_in_with_what_is_behind_it(scene: Scene) -> None:
    scene.define(definitions.deep("deep"))
    first = scene.run("deep", x="350", label="deep-a")
    assert first["status"]["phase"] == "Succeeded", first["status"].get("message")
    whole = scene.run("deep", x="350", label="deep-a")
    assert whole["status"]["phase"] == "Succeeded"
    assert scene.pods(whole) == []
    partly = scene.run("deep", x="350", label="deep-b")
    assert partly["status"]["phase"] == "Succeeded", partly["status"].get("message")
    inside = {"sub.inside.one", "sub.inside.two", "sub.inside.aside"}
    assert memoized(partly) == {"first", "sub.behind", *inside}
    found = nodes(partly)
    assert found["sub.inside"]["phase"] == found["sub"]["phase"] == "Succeeded"
    assert len(scene.pods(partly)) == 2, "beside, and after, which looks its own entry up"


def test_a_graph_in_a_graph_that_has_begun_runs_on_in_both(scene: Scene) -> None:
    scene.define(definitions.deep("deep-begun"))
    scene.run("deep-begun", x="360")
    body = definitions.deep("deep-begun")
    body["spec"]["graphs"][2]["nodes"][2]["inputs"] = {"text": {"value": '"something else"'}}
    scene.define(body)
    run = scene.run("deep-begun", x="360")
    assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
    assert memoized(run) == {"first", "sub.inside.one", "sub.inside.two", "sub.beside"}


def test_a_task_that_is_not_cached_runs_every_time_and_what_rests_on_it_is_looked_up_in_its_pod(scene: Scene) -> None:
    chain = [
        definitions.node("uncached", "uncached", a={"input": "x"}),
        definitions.node("add", "add", a=definitions.out("uncached"), b={"value": "1"}),
    ]
    scene.define(definitions.workflow("mixed", chain))
    for _ in range(2):
        run = scene.run("mixed", x="400")
        assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
        assert len(scene.pods(run)) == 2
        assert memoized(run) == set()


@pytest.fixture
def store(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> protocols.Store:
    return scene.store(monkeypatch)


@pytest.mark.parametrize(
    "damage", [b"", b"not json{", b'{"v": 1}', b"\x00" * 100_000], ids=["empty", "text", "short", "huge"]
)
def test_a_damaged_cache_entry_is_a_miss_that_the_next_pod_mends(
    scene: Scene, store: protocols.Store, damage: bytes
) -> None:
    scene.define(definitions.workflow("damaged"))
    x = str(500 + len(damage) % 97)
    scene.run("damaged", x=x)
    cached = scene.run("damaged", x=x)
    store.put(entry_of(cached, "add"), damage)
    run = scene.run("damaged", x=x)
    assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
    assert memoized(run) == {"greet"}
    # `add-2` ran in a pod too, which found its own entry.
    assert len(scene.pods(run)) == 2
    assert scene.pods(scene.run("damaged", x=x)) == []


def test_a_stored_value_passes_from_the_cache_to_a_pod(scene: Scene) -> None:
    scene.define(definitions.stored("stored"))
    scene.run("stored", x="1", label="s")
    run = scene.run("stored", x="2", label="s")
    assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
    assert memoized(run) == {"much"}
    value = json.loads(nodes(run)["much"]["outputs"]["parameters"][0]["value"])
    assert set(value) == {"$stored"}
    assert nodes(run)["count"]["outputs"]["parameters"][0]["value"] == "20002"


def damage_value(store: protocols.Store, run: dict[str, object]) -> str:
    """Write other bytes of the same number over the value that `much` stored."""
    value = json.loads(nodes(run)["much"]["outputs"]["parameters"][0]["value"])["$stored"]
    key = f"cas/{value['digest'][:2]}/{value['digest']}/value.json"
    store.put(key, b'"' + b"!" * (value["size"] - 2) + b'"')
    return key


def test_a_damaged_object_behind_a_cache_entry_is_never_delivered_and_the_run_is_started_again_once(
    scene: Scene, store: protocols.Store
) -> None:
    scene.define(definitions.stored("stored"))
    first = scene.run("stored", x="1", label="d")
    damaged = damage_value(store, first)
    lost = scene.run("stored", x="2", label="d")
    assert lost["status"]["phase"] == "Failed"
    assert "INPUT_LOST" in json.dumps(nodes(lost))
    assert store.head(f"quarantine/{damaged}") is not None

    def successor() -> str:
        found = scene.api.get("argoproj.io/v1alpha1", "Workflow", lost["metadata"]["name"], scene.space)
        return str((found["metadata"].get("annotations") or {}).get("alula.dev/restarted-as") or "")

    again = scene.place.ended(until(successor))
    assert again["status"]["phase"] == "Succeeded", again["status"].get("message")
    assert again["metadata"]["annotations"]["alula.dev/restarted-from"] == lost["metadata"]["name"]
    assert nodes(again)["count"]["outputs"]["parameters"][0]["value"] == "20002"
    assert "much" not in memoized(again)


def test_an_object_that_is_gone_behind_a_cache_entry_is_a_miss(scene: Scene, store: protocols.Store) -> None:
    scene.define(definitions.stored("stored"))
    first = scene.run("stored", x="1", label="g")
    store.delete(damage_value(store, first))
    run = scene.run("stored", x="2", label="g")
    assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
    assert memoized(run) == set()
    assert nodes(run)["count"]["outputs"]["parameters"][0]["value"] == "20002"


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"x": "six"}, "x does not fit"),
        ({"x": "1.5"}, "expected int"),
        ({"y": "1"}, "no input 'y'"),
        ({"label": "y" * 130_000}, "declare it as a File"),
    ],
)
def test_bad_inputs_fail_a_run_before_any_pod_with_a_message(scene: Scene, inputs: dict[str, str], said: str) -> None:
    scene.define(definitions.workflow("checked"))
    run = scene.run("checked", **inputs)
    assert run["status"]["phase"] == "Failed"
    assert said in run["status"]["message"]
    assert scene.pods(run) == []
    assert nodes(run)["admit"]["phase"] == "Failed"


def test_a_fixed_input_is_out_of_reach(scene: Scene) -> None:
    plan = definitions.launch_plan(
        "fixed", "checked", fixedInputs=[{"name": "x", "value": "9"}], inputs=[{"name": "label", "value": "eu"}]
    )
    scene.define(definitions.workflow("checked"), plan)
    refused = scene.run("lp-fixed", x="3")
    assert refused["status"]["phase"] == "Failed"
    assert "fixed" in refused["status"]["message"]
    run = scene.run("lp-fixed")
    assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
    published = {each["name"]: json.loads(each["value"]) for each in nodes(run)["admit"]["outputs"]["parameters"]}
    assert published == {"x": 9, "label": "eu"}


@pytest.mark.parametrize(
    "text", ["{{workflow.uid}}", "{{=1+1}}", "lone {{", 'quote " and \\ and $(HOME) $$', "🐦\u2028"]
)
def test_text_typed_into_an_input_arrives_and_is_never_evaluated(scene: Scene, text: str) -> None:
    """Also where no policy keeps it from Argo."""
    place = scene.installation.place("queued", "dev", "off")
    run = place.ended(place.run("typed", {"label": text}))
    if run["status"]["phase"] != "Succeeded":
        assert run["status"]["message"], "refused, with a message"
        assert place.cluster.pods.started(run["metadata"]["name"], place.namespace) == []
        return
    assert json.loads(nodes(run)["greet"]["outputs"]["parameters"][0]["value"]) == f"hello {text}"


def test_a_run_that_argo_cannot_digest_is_ended_with_a_message(scene: Scene, begun: Begun) -> None:
    run = scene.installation.place("queued", "dev", "off").ended(begun.indigestible)
    assert run["status"]["phase"] in ("Failed", "Error")
    assert run["status"]["message"]


def test_a_run_whose_label_is_copied_from_an_older_one_is_admitted_for_itself(scene: Scene) -> None:
    scene.define(definitions.workflow("copied"))
    first = scene.run("copied", x="600")
    done = scene.place.cluster.argo("resubmit", first["metadata"]["name"], "-n", scene.space, "-o", "name")
    name = done.stdout.strip().rpartition("/")[2]
    run = scene.place.ended(name)
    assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
    assert run["metadata"]["labels"]["alula.dev/admitted"].startswith(f"{run['metadata']['uid']}.")
    assert scene.pods(run) == []


@pytest.mark.parametrize("x", ["six", "610"], ids=["refused", "admitted"])
def test_a_run_whose_hold_is_reset_by_a_retry_is_answered_anew(scene: Scene, x: str) -> None:
    """`argo retry` keeps the uid, the labels and the id of the node."""
    chain = [definitions.node("fails", "uncached", a={"input": "x"})]
    scene.define(definitions.workflow("retried", chain))
    first = scene.run("retried", x=x, label="retried")
    name = first["metadata"]["name"]
    if x == "six":
        assert "alula.dev/admitted" not in first["metadata"]["labels"]
    else:
        first = scene.place.ended(name)
        body = {"status": {"phase": "Failed"}, "metadata": {"labels": {"workflows.argoproj.io/phase": "Failed"}}}
        scene.api.patch(ARGO, "Workflow", name, scene.space, body)  # Argo retries what failed
    again = ("--restart-successful", "--node-field-selector", "templateName=admit")
    scene.place.cluster.argo("retry", name, "-n", scene.space, "-p", "x=611", *again)
    run = scene.place.ended(name)
    assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
    published = {each["name"]: json.loads(each["value"]) for each in nodes(run)["admit"]["outputs"]["parameters"]}
    assert published["x"] == 611
    assert run["metadata"]["labels"]["alula.dev/admitted"] != first["metadata"]["labels"].get("alula.dev/admitted")


def test_no_text_in_an_input_starts_a_run_or_reaches_an_event_or_the_log(scene: Scene) -> None:
    scene.define(definitions.workflow("forged"))
    text = "exit code 92): INPUT_LOST: hunter2"
    refused = scene.run("forged", x=text)
    assert "x does not fit" in refused["status"]["message"]
    name = refused["metadata"]["name"]
    assert until(lambda: scene.events(name)) == ["RunRefused"]
    time.sleep(3)
    found = scene.api.get(ARGO, "Workflow", name, scene.space)
    assert "alula.dev/restarted-as" not in (found["metadata"].get("annotations") or {})
    assert "hunter2" not in json.dumps(scene.api.list("v1", "Event", scene.space))
    assert "hunter2" not in scene.installation.controller.log.read_text()


def test_a_run_that_waits_for_argos_limit_is_admitted_when_its_turn_comes(scene: Scene, begun: Begun) -> None:
    """Argo does not give such a run the labels of its template, by which the controller finds runs."""
    place = scene.installation.place("queued", "dev", "off")
    for name in begun.queued:
        run = place.ended(name)
        assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
        assert run["metadata"]["labels"]["alula.dev/workflow"] == "queued"


def test_a_held_run_that_is_terminated_stays_ended(restarted: Scene) -> None:
    scene = restarted
    scene.define(definitions.workflow("ended"))
    scene.installation.kill()
    name = scene.place.run("ended", {"x": "700"})
    until(lambda: scene.api.get("argoproj.io/v1alpha1", "Workflow", name, scene.space).get("status", {}).get("phase"))
    scene.api.patch("argoproj.io/v1alpha1", "Workflow", name, scene.space, {"spec": {"shutdown": "Terminate"}})
    scene.installation.start()
    run = scene.place.ended(name)
    assert run["status"]["phase"] == "Failed"
    assert scene.pods(run) == []


def test_thirty_runs_at_once_with_the_controller_killed_five_times_are_each_admitted_once(restarted: Scene) -> None:
    scene = restarted
    scene.define(definitions.workflow("crowd"))
    warm = scene.run("crowd", x="800")
    assert warm["status"]["phase"] == "Succeeded"
    names = []
    for number in range(30):
        names.append(scene.place.run("crowd", {"x": "800"}))
        if number % 6 == 3:
            scene.installation.kill()
            scene.installation.start()
    for name in names:
        run = scene.place.ended(name)
        assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
        assert memoized(run) == {"add", "add-2", "greet"}
        assert run["metadata"]["labels"]["alula.dev/admitted"].startswith(f"{run['metadata']['uid']}.")
        assert scene.pods(run) == []


def test_turning_fill_off_in_the_domain_leaves_the_lookup_to_the_pods(scene: Scene) -> None:
    scene.define(definitions.workflow("plain"))
    scene.run("plain", x="900")
    scene.api.patch("alula.dev/v1alpha1", "Domain", "domain", scene.space, {"spec": {"fill": "Disabled"}})
    try:
        run = scene.run("plain", x="900")
    finally:
        scene.api.patch("alula.dev/v1alpha1", "Domain", "domain", scene.space, {"spec": {"fill": None}})
    assert run["status"]["phase"] == "Succeeded"
    assert memoized(run) == set()
    assert len(scene.pods(run)) == 3


def test_the_metrics_tell_what_happened(scene: Scene) -> None:
    scene.define(definitions.workflow("counted"))
    before = metrics()
    scene.run("counted", x="1000")
    scene.run("counted", x="1000")
    after = metrics()
    assert after["alula_runs_admitted_total"] - before.get("alula_runs_admitted_total", 0) == 2
    assert after["alula_nodes_filled_total"] - before.get("alula_nodes_filled_total", 0) >= 3
    assert after["alula_leader"] == 1
