"""A real API server refuses malformed resources with the field's path, and kubectl shows ours as ours."""

from __future__ import annotations

import copy
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from alula_api import kinds
from alula_api.kinds import yamltext
from e2e.cluster import api, clusters
from tests.kinds import samples

ALULA = "alula.dev/v1alpha1"
ARGO = "argoproj.io/v1alpha1"


def changed(sample: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    """The sample with a value at a place such as `spec.tasks.0.retries.limit`; `...` removes it."""
    obj = copy.deepcopy(sample)
    *path, last = [int(step) if step.isdigit() else step for step in place.split(".")]
    owner = samples.at(obj, tuple(path))
    if value is ...:
        del owner[last]
    else:
        owner[last] = value
    return obj


@pytest.mark.parametrize(
    ("sample", "place", "value", "path"),
    [
        (samples.WORKFLOW, "spec.tasks.0.retries.limit", "3", "spec.tasks[0].retries.limit"),
        (samples.WORKFLOW, "spec.tasks.0.retries.limit", 101, "spec.tasks[0].retries.limit"),
        (samples.WORKFLOW, "spec.tasks.1.entrypoint", "train", "spec.tasks[1].entrypoint"),
        (samples.WORKFLOW, "spec.tasks.1.name", "load", "spec.tasks[1]"),
        (samples.WORKFLOW, "spec.version", ..., "spec.version"),
        (samples.WORKFLOW, "spec.graphs", ..., "spec.graphs"),
        (samples.WORKFLOW, "spec", ..., "spec"),
        (samples.WORKFLOW, "spec.inputs.0.default", 7, "spec.inputs[0].default"),
        (samples.WORKFLOW, "spec.inputs.0.default", "\x85", "spec.inputs[0].default"),
        (samples.WORKFLOW, "spec.graphs.0.nodes.0.graph", "sub", "spec.graphs[0].nodes[0]"),
        (samples.WORKFLOW, "spec.graphs.0.nodes.1.inputs.df.value", "1", "spec.graphs[0].nodes[1].inputs.df"),
        (samples.WORKFLOW, "spec.graphs.0.nodes.1.inputs.df.output", ..., "spec.graphs[0].nodes[1].inputs.df"),
        (samples.WORKFLOW, "spec.graphs.0.nodes.1.after", ["a", "a"], "spec.graphs[0].nodes[1].after[1]"),
        (samples.WORKFLOW, "spec.code.runtime", 1.5, "spec.code.runtime"),
        (samples.WORKFLOW, "metadata.name", "lp-train", "metadata.name must not start with lp-"),
        (samples.WORKFLOW, "metadata.name", "a.b", "metadata.name must have at most 49 characters and no dot"),
        (samples.LAUNCH_PLAN, "metadata.name", "x" * 50, "metadata.name must have at most 49 characters"),
        (samples.LAUNCH_PLAN, "spec.inputs.0.value", None, "spec.inputs[0].value"),
        (samples.LAUNCH_PLAN, "spec.schedule.cron", "@daily", "spec.schedule.cron"),
        (samples.LAUNCH_PLAN, "spec.suspend", "yes", "spec.suspend"),
        (samples.DOMAIN, "metadata.name", "prod", "metadata.name must be domain"),
        (samples.DOMAIN, "spec.fill", "maybe", "spec.fill"),
    ],
)
def test_a_malformed_resource_is_refused_with_the_fields_path(
    kinds_installed: clusters.Cluster, namespace: str, sample: dict[str, Any], place: str, value: Any, path: str
) -> None:
    obj = changed(sample, place, value)
    done = kinds_installed.kubectl(
        "create", "--validate=false", "-n", namespace, "-f", "-", input=yamltext.dump(obj), check=False
    )
    assert done.returncode != 0
    assert path in done.stderr
    with pytest.raises(api.ApiError) as caught:
        kinds_installed.api.create(obj, namespace)
    assert caught.value.code == 422
    assert path in caught.value.message
    model, _ = kinds.read(kinds.KINDS[obj["kind"]], obj)
    assert model is None


@pytest.mark.parametrize("sample", samples.SAMPLES, ids=lambda sample: sample["kind"])
def test_every_field_of_a_resource_is_kept(
    kinds_installed: clusters.Cluster, namespace: str, sample: dict[str, Any]
) -> None:
    made = kinds_installed.api.create(sample, namespace)
    assert made["spec"] == sample["spec"]


def test_a_misspelt_field_is_refused_by_kubectl_and_told_by_name(
    kinds_installed: clusters.Cluster, namespace: str
) -> None:
    obj = changed(samples.WORKFLOW, "spec.tasks.0.retrys", {"limit": 3})
    for way in (["create"], ["apply", "--server-side"]):
        done = kinds_installed.kubectl(*way, "-n", namespace, "-f", "-", input=yamltext.dump(obj), check=False)
        assert done.returncode != 0
        assert "retrys" in done.stderr


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(obj=samples.mutated())
def test_the_server_and_python_give_one_verdict(
    kinds_installed: clusters.Cluster, namespace: str, obj: dict[str, Any]
) -> None:
    kind = kinds.KINDS[obj["kind"]]
    path = kinds_installed.api.path(ALULA, obj["kind"], namespace)
    try:
        kinds_installed.api.request("POST", path, obj, parameters={"dryRun": "All", "fieldValidation": "Strict"})
        refused = ""
    except api.ApiError as error:
        assert error.code in (400, 422)
        refused = error.message
    try:
        kind.model_validate(obj, by_alias=True, by_name=False)
        told = ""
    except ValueError as error:
        told = str(error)
    assert bool(refused) == bool(told), (refused, told)


def test_get_workflows_shows_ours_and_get_wf_argos(kinds_installed: clusters.Cluster, namespace: str) -> None:
    ours = changed(samples.WORKFLOW, "metadata.name", "ours")
    kinds_installed.api.create(ours, namespace)
    template = {"name": "main", "suspend": {}}
    spec = {"entrypoint": "main", "suspend": True, "templates": [template]}
    argos = {"apiVersion": ARGO, "kind": "Workflow", "metadata": {"name": "argos"}, "spec": spec}
    kinds_installed.api.create(argos, namespace)

    shown = kinds_installed.kubectl("get", "workflows", "-n", namespace).stdout.splitlines()
    assert shown[0].split() == ["NAME", "VERSION", "READY", "AGE"]
    assert [line.split()[:2] for line in shown[1:]] == [["ours", "3f9c2d71"]]
    shown = kinds_installed.kubectl("get", "wf", "-n", namespace).stdout.splitlines()
    assert [line.split()[0] for line in shown] == ["NAME", "argos"]
    for word in ("workflow", "awf", "workflows.alula.dev"):
        names = kinds_installed.kubectl("get", word, "-n", namespace, "-o", "name").stdout.split()
        assert names == ["workflow.alula.dev/ours"]


def test_short_names_category_and_columns(kinds_installed: clusters.Cluster, namespace: str) -> None:
    for sample in samples.SAMPLES:
        kinds_installed.api.create(sample, namespace)
    listed = kinds_installed.kubectl("get", "alula", "-n", namespace, "-o", "name").stdout.split()
    assert sorted(listed) == [
        "domain.alula.dev/domain",
        "launchplan.alula.dev/nightly",
        "workflow.alula.dev/penguins-train",
    ]
    headers = {
        word: kinds_installed.kubectl("get", word, "-n", namespace).stdout.splitlines()[0].split()
        for word in ("awf", "alp", "adom")
    }
    assert headers == {
        "awf": ["NAME", "VERSION", "READY", "AGE"],
        "alp": ["NAME", "WORKFLOW", "SCHEDULE", "SUSPEND", "NEXT", "READY", "AGE"],
        "adom": ["NAME", "PROJECT", "DOMAIN", "RUNNING", "WAITING", "READY", "AGE"],
    }


def test_status_is_a_subresource_that_kubectl_waits_for_and_shows(
    kinds_installed: clusters.Cluster, namespace: str
) -> None:
    made = kinds_installed.api.create(samples.LAUNCH_PLAN, namespace)
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "Compiled",
        "message": "the template lp-nightly is current",
        "observedGeneration": made["metadata"]["generation"],
        "lastTransitionTime": "2026-11-22T10:00:00Z",
    }
    status = {"conditions": [condition], "observedGeneration": 1, "version": "v1"}
    kinds_installed.api.patch(ALULA, "LaunchPlan", "nightly", namespace, {"status": status}, "status")
    kinds_installed.kubectl("wait", "--for=condition=Ready", "launchplan/nightly", "-n", namespace, "--timeout=10s")
    line = kinds_installed.kubectl("get", "alp", "-n", namespace, "-o", "wide").stdout.splitlines()[1]
    assert line.startswith("nightly")
    assert "penguins-train" in line
    assert "the template lp-nightly is current" in line
    # A writer of the spec cannot touch the status, nor the other way round.
    kinds_installed.api.apply({**samples.LAUNCH_PLAN, "status": {"version": "forged"}}, namespace)
    stored = kinds_installed.api.get(ALULA, "LaunchPlan", "nightly", namespace)
    assert stored["status"] == status
    assert stored["metadata"]["generation"] == 1
    model, problems = kinds.read(kinds.LaunchPlan, stored)
    assert problems == []
    assert model is not None and model.status is not None
    ready = model.status.condition("Ready")
    assert ready is not None and ready.status == "True"


def test_kubectl_explains_our_fields(kinds_installed: clusters.Cluster) -> None:
    deadline = time.monotonic() + 60
    while True:  # the API server publishes what it knows of new kinds some moments after it serves them
        done = kinds_installed.kubectl("explain", "workflows.alula.dev.spec.tasks.retries", check=False)
        if done.returncode == 0 or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    assert "failures of the user's code" in done.stdout, done.stderr
