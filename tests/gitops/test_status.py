"""`alula status` without a cluster, and what is made of a cluster's answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from alula.gitops import clusters, layout, snapshots, status
from alula.gitops.clusters import ClusterState
from alula.gitops.repositories import Repository
from alula_api.contract import labels
from tests.gitops.conftest import Gitops

PLACE = layout.Place("penguins", "dev")
REVISION = "penguins-train-01234567"


def test_each_domain_shows_its_release_and_what_it_was_built_from(gitops: Gitops) -> None:
    done = gitops("status")
    version = snapshots.read(gitops.folder, PLACE, build=False).releases["penguins"].version
    first, release, *definitions = done.out.splitlines()
    assert (done.code, first) == (0, "penguins/dev")
    assert release == f"  release penguins {version}: {version}, penguins:1"
    assert [line.rpartition(" ")[0] for line in definitions] == [
        "  launch plan nightly",
        "  workflow penguins-count",
        "  workflow penguins-train",
    ]
    gitops.edit("dev/kustomization.yaml", "# This", "# That")
    assert gitops("status").out.startswith("penguins/dev  (files differ from the commit)\n")
    (found,) = json.loads(gitops("status", "-o", "json").out)
    assert (found["domain"], found["uncommitted"]) == ("penguins/dev", True)


def live(snapshot: snapshots.Snapshot, **changes: Any) -> ClusterState:
    """A cluster that has what git has, compiled, and a run of the launch plan."""
    definitions = {}
    for each in snapshot.built:
        key = (str(each.resource["kind"]), snapshots.name(each))
        condition = {"type": "Ready", "status": "True", "observedGeneration": 1}
        metadata = {"name": key[1], "generation": 1}
        state = {"observedGeneration": 1, "conditions": [condition], "revision": REVISION}
        definitions[key] = {"metadata": metadata, "spec": each.resource["spec"], "status": state}
    return ClusterState(**{"definitions": definitions, "runs": [run("nightly-1", "Succeeded")], **changes})


def run(name: str, phase: str, revision: str = REVISION) -> dict[str, Any]:
    found = {
        labels.LAUNCH_PLAN: "nightly",
        labels.WORKFLOW: "penguins-train",
        labels.REVISION: revision,
        "workflows.argoproj.io/phase": phase,
    }
    return {"metadata": {"name": name, "creationTimestamp": "2026-11-02T02:00:00Z", "labels": found}}


@pytest.fixture
def snapshot(gitops: Gitops) -> snapshots.Snapshot:
    return snapshots.read(gitops.folder, PLACE)


def test_a_cluster_is_compared_field_by_field_with_git(snapshot: snapshots.Snapshot) -> None:
    state = live(snapshot)
    definitions = dict(state.definitions)
    key, other, plan = ("Workflow", "penguins-train"), ("Workflow", "penguins-count"), ("LaunchPlan", "nightly")
    added = {**definitions[key], "spec": {**definitions[key]["spec"], "description": "by hand"}}
    stale = {**definitions[plan], "metadata": {"name": "nightly", "generation": 2}}
    definitions |= {key: added, plan: stale, ("Workflow", "old"): {"metadata": {"name": "old"}}}
    del definitions[other]
    application = {"status": {"sync": {"status": "Synced", "revision": "a" * 40}, "health": {"status": "Degraded"}}}
    found = status.describe(
        snapshot, changed=False, state=live(snapshot, definitions=definitions, application=application)
    )
    lines = status.text(found).splitlines()
    assert f"  Argo CD: Synced at {'a' * 12}, Degraded" in lines
    shown = {line.split(",", 1)[0].rpartition(" ")[0].strip(): line.split(", ", 1)[-1] for line in lines if "," in line}
    assert shown["workflow penguins-train"] == "differs from git in description"
    assert shown["workflow penguins-count"] == "missing"
    assert shown["launch plan nightly"] == (
        "not compiled: the controller has not looked at it yet, last run nightly-1 Succeeded 2026-11-02T02:00:00Z"
    )
    assert "  only on the cluster: workflow old" in lines


def test_a_domain_is_healthy_when_argo_cd_has_synced_this_very_content(
    gitops: Gitops, snapshot: snapshots.Snapshot
) -> None:
    repository = Repository(gitops.folder)
    first = repository.head()
    (gitops.folder / "README.md").write_text("elsewhere\n")
    second = gitops.commit()

    def why(sync: str, health: str, revision: str) -> list[str]:
        body = {"status": {"sync": {"status": sync, "revision": revision}, "health": {"status": health}}}
        state = live(snapshot, application=body)
        return [each.message for each in clusters.unhealthy(state, snapshot, repository, second)]

    assert why("Synced", "Healthy", second) == []
    assert why("Synced", "Healthy", first) == [], "the folder is the same in both commits"
    assert why("OutOfSync", "Healthy", second) == ["penguins-dev is OutOfSync and Healthy"]
    assert why("Synced", "Degraded", second) == ["penguins-dev is Synced and Degraded"]
    assert "where penguins/dev is another one" in why("Synced", "Healthy", "0" * 40)[0]
    gitops.edit("dev/kustomization.yaml", "# This", "# That")
    third = gitops.commit()
    body = {"status": {"sync": {"status": "Synced", "revision": second}, "health": {"status": "Healthy"}}}
    state = live(snapshot, application=body)
    assert [each.code for each in clusters.unhealthy(state, snapshot, repository, third)] == ["NOT_PROMOTABLE"]
    assert "has no Application" in next(clusters.unhealthy(live(snapshot), snapshot, repository, third)).message


def test_only_a_run_of_exactly_this_release_counts(snapshot: snapshots.Snapshot) -> None:
    assert clusters.succeeded(live(snapshot), snapshot, "nightly") == ("penguins-dev/nightly-1", [])

    def refused(plan: str = "nightly", **changes: Any) -> str:
        name, problems = clusters.succeeded(live(snapshot, **changes), snapshot, plan)
        assert name == ""
        return problems[0].message

    assert refused("weekly") == "penguins/dev has no launch plan weekly"
    assert "no run of launch plan nightly has succeeded" in refused(runs=[run("x", "Failed")])
    assert "no run of launch plan nightly has succeeded" in refused(
        runs=[run("x", "Succeeded", "penguins-train-older")]
    )
    definitions = dict(live(snapshot).definitions)
    key = ("Workflow", "penguins-train")
    definitions[key] = {**definitions[key], "spec": {**definitions[key]["spec"], "description": "patched by hand"}}
    assert "does not run the Workflow penguins-train that git has" in refused(definitions=definitions)


def test_promotion_asks_no_cluster_that_there_is_not(gitops: Gitops, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(gitops.folder / "none"))
    words = ("promote", "--from", "dev", "--to", "prod")
    done = gitops(*words, "--require-run", "nightly")
    assert (done.code, "error CLUSTER" in done.err) == (1, True)
    assert gitops.git("rev-list", "--count", "HEAD") == "1"
