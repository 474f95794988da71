"""What Argo does with compiled templates: values arrive, nodes wait, attempts are counted. The runtime is a double."""

from __future__ import annotations

import json
import time

import pytest

from alula_api.contract import jsontext
from e2e.cluster import clusters
from e2e.engine import runs
from tests.compiler import compiled, test_goldens


@pytest.fixture(scope="module")
def namespace(cluster: clusters.Cluster) -> str:
    for image in ("acme/*", "ghcr.io/*", "*"):
        cluster.pods.image(image, {"PYTHONPATH": str(runs.IMAGE)})
    return cluster.namespace("engine-running")


def test_hostile_text_arrives_byte_for_byte_and_is_never_evaluated(cluster: clusters.Cluster, namespace: str) -> None:
    (workflow, _) = documents = compiled.load("hostile")
    runs.apply(cluster, namespace, documents)
    text = "{{workflow.uid}} {{=1+1}} $(HOME) $$ \x7f \x00 é 🐦 \"' }} \\"
    record = {"{{k}}": "{{v}} $(PATH)"}

    values = {"text": text, "choice": "{{a}}", "record": record}
    run = runs.run(cluster, namespace, "hostile", "hostile-1", values)

    assert runs.phases(run) == dict.fromkeys(["admit", "a", "b", "c", "inner", "inner.a"], "Succeeded")
    calls = {node: found[0] for node, found in runs.calls(cluster, namespace, "hostile-1").items()}
    nodes = {node["id"]: node for node in workflow["spec"]["graphs"][0]["nodes"]}
    assert json.loads(calls["a"]["inputs"]["text"]) == text
    assert json.loads(calls["a"]["inputs"]["other"]) == {"{{": [{"a": {"b": {}}}]}
    for name in ("text", "other"):
        assert json.loads(calls["b"]["inputs"][name]) == json.loads(nodes["b"]["inputs"][name]["value"])
    items = [json.loads(one) for one in calls["c"]["items"]["all"]]
    written = [leaf.get("value") for leaf in nodes["c"]["inputs"]["all"]["items"]]
    assert items == [text, json.loads(written[1]), json.loads(written[2]), record]
    assert calls["c"]["paths"] == {"all.3": ["{{k}}"]}
    assert calls["a"]["task"] == "{{workflow.uid}} $$ $(HOME) {{{"
    assert calls["a"]["cache"] == "{{retries}}"
    assert calls["a"]["env"]["A"] == "{{workflow.uid}}"
    assert calls["a"]["env"]["B"] == "{{{=1+1}}}$(A)$$"
    assert runs.outputs(run) == {"fixed": {"a": {"b": "{{workflow.uid}}$$"}}, "inner": "{{workflow.uid}}"}
    assert runs.outputs(run, "inner") == {"text": "{{workflow.uid}}", "fixed": "{{=1}}'\"\\ $$"}


def test_pods_are_told_run_node_attempt_store_and_keys(cluster: clusters.Cluster, namespace: str) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "acme-dev-store"}}
    cluster.apply({**secret, "stringData": {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key$$"}}, namespace)
    tracker = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "tracker"}, "stringData": {"token": "t$$k"}}
    cluster.apply(tracker, namespace)
    workflow, domain = compiled.load("options")
    for task in workflow["spec"]["tasks"]:
        task.pop("pod", None)  # a node, a claim and a pool that are not here
        task.pop("pool", None)
    runs.apply(cluster, namespace, [workflow, domain])

    run = runs.run(cluster, namespace, "fetch-all", "fetch-1", {"url": "https://example.org"}, {"url": "given"})

    assert run["status"]["phase"] == "Succeeded"
    (call,) = runs.calls(cluster, namespace, "fetch-1")["fetch"]
    env = call["env"]
    assert (env["ALULA_RUN"], env["ALULA_RUN_UID"]) == ("fetch-1", run["metadata"]["uid"])
    assert (env["ALULA_NODE"], env["ALULA_ATTEMPT"]) == ("fetch-1.fetch", "0")
    assert (env["ALULA_STORE"], env["ALULA_RELEASES"]) == (runs.ENGINE.store, runs.ENGINE.releases)
    assert env["ALULA_STORE_ENDPOINT"] == runs.ENGINE.endpoint
    assert env["ALULA_TIMEOUT"] == "150"
    assert (env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]) == ("id", "key$$")
    assert env["API_TOKEN"] == "t$$k"
    assert env["TEMPLATE"] == "Hello {{name}}, you owe us $$5 and $(HOME)"
    assert call["retries"] == 5
    labels = run["metadata"]["labels"]
    assert labels["alula.dev/workflow"] == "fetch-all"
    assert labels["alula.dev/revision"].startswith("fetch-all-")


def test_argo_s_own_containers_are_hardened_and_alone_have_a_token(cluster: clusters.Cluster, namespace: str) -> None:
    runs.apply(cluster, namespace, compiled.load("no-inputs"))
    runs.run(cluster, namespace, "clean-up", "pod-spec")

    pods = cluster.api.list("v1", "Pod", namespace, labels="workflows.argoproj.io/workflow=pod-spec")
    assert len(pods) == 2
    for pod in pods:
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False
        containers = {one["name"]: one for one in [*spec["initContainers"], *spec["containers"]]}
        assert set(containers) == {"init", "wait", "main"}
        for name, container in containers.items():
            context = container["securityContext"]
            assert context["runAsNonRoot"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"]["drop"] == ["ALL"]
            tokens = [one["name"] for one in container["volumeMounts"] if "serviceaccount" in one["mountPath"]]
            assert tokens == ([] if name == "main" else ["alula-token"])
            if name != "main":
                assert container["resources"]["requests"] and container["resources"]["limits"]


def test_inner_graphs_pass_inputs_constants_and_parts_of_values(cluster: clusters.Cluster, namespace: str) -> None:
    runs.apply(cluster, namespace, compiled.load("subworkflows"))

    run = runs.run(cluster, namespace, "models-compare", "models-1", {"config": {"depth": 5, "rate": 0.5}})

    assert run["status"]["phase"] == "Succeeded"
    calls = {node: found[0] for node, found in runs.calls(cluster, namespace, "models-1").items()}
    assert set(calls) == {
        "load", "shallow.fit", "shallow.score", "deep.fit", "deep.score", "again.fit", "again.score", "pick",
    }  # fmt: skip
    assert calls["shallow.fit"]["inputs"]["depth"] == "1"
    assert calls["again.fit"]["inputs"]["depth"] == "7"
    assert json.loads(calls["deep.fit"]["inputs"]["depth"]) == {"depth": 5, "rate": 0.5}
    assert calls["deep.fit"]["paths"] == {"depth": ["depth"]}
    assert calls["pick"]["paths"] == {"depth": ["depth"]}
    assert runs.outputs(run, "shallow")["kind"] == "tree"


def test_lists_are_put_together_from_nodes_parts_and_constants(cluster: clusters.Cluster, namespace: str) -> None:
    runs.apply(cluster, namespace, compiled.load("lists"))

    run = runs.run(cluster, namespace, "blend", "blend-1", {"weight": 1.5})

    assert run["status"]["phase"] == "Succeeded"
    calls = {node: found[0] for node, found in runs.calls(cluster, namespace, "blend-1").items()}
    north = '"north {{=1+1}}"'
    assert [json.loads(one) for one in calls["part"]["items"]["values"]] == [json.loads(north), "south", 1.5, 2.0]
    assert calls["part"]["paths"] == {"values.0": ["value"], "values.1": ["value"], "unit": ["unit"]}
    assert [json.loads(one) for one in calls["inner.total"]["items"]["values"]] == [json.loads(north), "south"]
    assert calls["inner.total"]["paths"] == {"values.1": ["value"]}
    # What the workflow returns: a whole value, a part of one, and a list with a part. The double of the runtime
    # gives each task's first input back.
    published = {one["name"]: one["value"] for one in runs.root(run)["outputs"]["parameters"]}
    inner = next(node for node in run["status"]["nodes"].values() if node["name"] == "blend-1.inner")
    (of_inner,) = inner["outputs"]["parameters"]
    assert published | {"total": ""} == {
        "total": "",
        "unit": jsontext.argo_safe(north),
        "unit--path": '["unit"]',
        "all": f'[{of_inner["value"]},1.5,"south",2.0]',
        "all--path": '[[],[],["value"],[]]',
    }


def test_a_graph_in_pieces_runs_as_if_it_were_one(cluster: clusters.Cluster, namespace: str) -> None:
    for found in test_goldens.compile_golden("pieces").objects:
        spec = {**found["spec"], "serviceAccountName": "default"}
        runs.apply_strictly(cluster, namespace, {**found, "spec": spec})

    run = runs.run(cluster, namespace, "bracket", "bracket-1", {"seed": 42}, {"seed": "42"})

    assert run["status"]["phase"] == "Succeeded"
    assert runs.outputs(run) == {"winner": 42}
    played = {
        node.split(".")[-1]: found[0]["inputs"] for node, found in runs.calls(cluster, namespace, "bracket-1").items()
    }
    assert played["a"] == {"left": "42", "right": "1"}
    assert played["final"] == {"left": "42", "right": "42"}
    assert set(played) == {"a", "b", "c", "d", "ab", "cd", "final"}


ATTEMPTS = {
    "fails for good at once": ("fail_90", {}, [90], "Failed"),
    "an exception uses up what is left": ("flaky_2", {"retries": {"limit": 2}}, [91, 91, 0], "Succeeded"),
    "an attempt that the system ended is repeated three times": ("fail_137", {}, [137] * 4, "Failed"),
    "argo's own exit code is the system's": ("fail_64", {}, [64] * 4, "Failed"),
}


@pytest.mark.parametrize(("entrypoint", "options", "codes", "phase"), ATTEMPTS.values(), ids=ATTEMPTS)
def test_attempts_are_counted(
    cluster: clusters.Cluster, namespace: str, entrypoint: str, options: runs.Object, codes: list[int], phase: str
) -> None:
    backoff = {"backoff": {"duration": "1s"}}
    task = compiled.task("step", {}, {"o0": compiled.TEXT}, **options)
    task |= {"entrypoint": f"flows.w:{entrypoint}", "retries": {"limit": 0, **options.get("retries", {}), **backoff}}
    graph = {"name": "main", "nodes": [{"id": "step", "task": "step"}]}
    name = entrypoint.replace("_", "-")
    workflow = compiled.workflow(tasks=[task], graphs=[graph])
    runs.apply(cluster, namespace, [{**workflow, "metadata": {"name": name}}])

    run = runs.run(cluster, namespace, name, f"{name}-1")

    assert run["status"]["phase"] == phase
    assert [pod.exit_code for pod in cluster.pods.started(f"{name}-1", namespace)] == codes
    attempts = [call["env"]["ALULA_ATTEMPT"] for call in runs.calls(cluster, namespace, f"{name}-1")["step"]]
    assert attempts == [str(number) for number in range(len(codes))]


@pytest.mark.parametrize("limit", [0, 1])
def test_an_attempt_that_only_the_kubelet_could_end_counts_as_the_user_s(
    cluster: clusters.Cluster, namespace: str, limit: int
) -> None:
    retries = {"limit": limit, "backoff": {"duration": "1s"}}
    task = compiled.task("step", timeout="1s", retries=retries) | {"entrypoint": "flows.w:sleep_60"}
    graph = {"name": "main", "nodes": [{"id": "step", "task": "step"}]}
    name = f"late-{limit}"
    workflow = {**compiled.workflow(tasks=[task], graphs=[graph]), "metadata": {"name": name}}
    compiled_workflow = runs.apply(cluster, namespace, [workflow])
    # The backstop is minutes away: here it comes at once.
    template = compiled_workflow.objects[0]
    step = next(one for one in template["spec"]["templates"] if one["name"] == "step")
    assert step["activeDeadlineSeconds"] == "301"
    step["activeDeadlineSeconds"] = "2"
    runs.apply_strictly(cluster, namespace, template)

    run = runs.run(cluster, namespace, name, f"{name}-1")

    assert run["status"]["phase"] == "Failed"
    assert len(cluster.pods.started(f"{name}-1", namespace)) == 1 + limit


def test_a_held_run_cannot_be_waved_through(cluster: clusters.Cluster, namespace: str) -> None:
    runs.apply(cluster, namespace, compiled.load("no-inputs"))
    runs.start(cluster, namespace, "clean-up", "held")
    runs.await_held(cluster, namespace, "held")

    done = cluster.argo("resume", "held", "-n", namespace, check=False)

    assert done.returncode != 0
    assert "admitted" in done.stderr + done.stdout
    assert runs.phases(cluster.api.get(runs.API, "Workflow", "held", namespace)) == {"admit": "Running"}


def test_a_held_run_of_a_launch_plan_keeps_its_revision_when_the_workflow_loses_a_task_and_its_templates(
    cluster: clusters.Cluster, namespace: str
) -> None:
    """Why a plan's template repeats the workflow's templates.

    Referred to by `templateRef`, they are looked up again when a node starts (seen on 4.0.5): a held run ended in Error
    when the workflow's template was deleted, or had lost the task, although its own `storedTemplates` held it.
    """
    (workflow,) = compiled.load("subworkflows")
    workflow["metadata"]["name"] = "kept"
    plan = {**compiled.HEAD, "kind": "LaunchPlan", "metadata": {"name": "kept"}, "spec": {"workflow": "kept"}}
    before = runs.apply(cluster, namespace, [workflow, plan])
    runs.start(cluster, namespace, "lp-kept", "kept-1")
    held = runs.await_held(cluster, namespace, "kept-1")

    renamed = json.loads(json.dumps(workflow).replace("load", "read"))
    after = runs.apply(cluster, namespace, [renamed, plan])
    assert after.revisions["lp-kept"] != before.revisions["lp-kept"]
    for name in ("kept", "lp-kept"):
        cluster.api.delete(runs.API, "WorkflowTemplate", name, namespace)
    time.sleep(2)
    runs.admit(cluster, namespace, "kept-1", {"config": {"depth": 5, "rate": 0.5}})
    run = cluster.await_workflow(namespace, "kept-1")

    assert run["status"]["phase"] == "Succeeded"
    assert {"load", "deep.fit"} < set(runs.calls(cluster, namespace, "kept-1"))
    assert run["metadata"]["labels"]["alula.dev/revision"] == before.revisions["lp-kept"]
    assert run["status"]["storedTemplates"].keys() == held["status"]["storedTemplates"].keys()


def test_a_chain_of_a_thousand_nodes_begins(cluster: clusters.Cluster, namespace: str) -> None:
    runs.apply(cluster, namespace, [{**compiled.chain(1000), "metadata": {"name": "thousand"}}])
    runs.start(cluster, namespace, "thousand", "thousand-1")
    runs.admit(cluster, namespace, "thousand-1")

    deadline = time.monotonic() + 60
    while not (begun := cluster.pods.started("thousand-1", namespace)) and time.monotonic() < deadline:
        time.sleep(0.5)
    cluster.argo("terminate", "thousand-1", "-n", namespace)

    assert begun[0].node.partition("(")[0] == "thousand-1.main-1.step"
