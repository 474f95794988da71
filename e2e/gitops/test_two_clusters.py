"""Dev and prod in two clusters, each with its own API server, alula and Argo CD, that follow one repository; and prod
made anew from that repository on another cluster, after its own is lost.

What each of them follows is said by the kustomization that docs/gitops.md shows. The scenarios follow each other.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Any

import pytest

from e2e import installing
from e2e.cluster import argocd, clusters, starting
from e2e.gitops.conftest import Team, team
from e2e.gitops.test_taking_actions import until

FLOW = "greetings-greet"
IMAGE = f"registry.example.org/pair@sha256:{1:064x}"
PLAN = "greet-often"
OFTEN = """\
apiVersion: alula.dev/v1alpha1
kind: LaunchPlan
metadata: {{name: greet-often, annotations: {{alula.dev/run-requested: 'ada: as a test'}}}}
spec:
  workflow: greetings-greet
  schedule: {{every: 1m, starts: '{starts}', catchUp: All}}
"""
"""A plan of production's own. It asks for a run, fires each minute, and makes up for what it missed."""


@pytest.fixture(scope="module")
def other(cluster: clusters.Cluster) -> Iterator[clusters.Cluster]:
    """A second cluster, for production; its network is its own."""
    made = starting.start("e2e-prod")
    try:
        yield made
    finally:
        made.stop()


def following(domain: str) -> str:
    """The kustomization of an Argo CD that follows one domain."""
    page = (installing.ROOT / "docs/gitops.md").read_text()
    (text,) = re.findall(r"(?ms)^```yaml\n# gitops/platform/argocd-prod/kustomization.yaml\n(.*?)^```", page)
    return text.replace("/prod'", f"/{domain}'")


def apply(made: Team, cluster: clusters.Cluster, domain: str) -> None:
    folder = made.gitops / f"platform/argocd-{domain}"
    cluster.kubectl("apply", "--server-side", "-k", str(folder))


@pytest.fixture(scope="module")
def pair(
    installation: installing.Installation, argo_cd: argocd.ArgoCD, tmp_path_factory: pytest.TempPathFactory
) -> Team:
    """The team, with dev on the cluster of the other scenarios."""
    made = team("pair", installation, argo_cd, tmp_path_factory.mktemp("pair"), domains=["dev"])
    for domain in ("dev", "prod"):
        folder = made.gitops / f"platform/argocd-{domain}"
        folder.mkdir()
        # On the cluster of the other scenarios the names are taken.
        (folder / "kustomization.yaml").write_text(following(domain).replace("name: alula", "name: pair"))
    made.follow_as("pair")
    made.commit("Begin")
    apply(made, made.cluster, "dev")
    return made


@pytest.fixture(scope="module")
def prod(pair: Team, other: clusters.Cluster) -> Team:
    """The same repositories, with prod on the second cluster; used while that is entered."""
    with other.entered():
        second = installing.Installation(other)
        made = Team("pair", second, argocd.ArgoCD(other, repositories=pair.argo.repositories), pair.code, pair.gitops)
        made.place("prod")
        apply(made, other, "prod")
    return made


def test_a_promotion_is_one_commit_that_the_other_cluster_alone_follows(
    pair: Team, prod: Team, other: clusters.Cluster
) -> None:
    pair.register(IMAGE)
    pair.argo.synced("pair-dev", pair.commit("Register pair in dev"))
    pair.alula("promote", "--from", "dev", "--to", "prod")
    commit = pair.push()
    with other.entered():
        other.pods.image(IMAGE, env={"PYTHONPATH": str(pair.code.parent / f"image-{IMAGE[-12:]}")})
        prod.argo.synced("pair-prod", commit)
        run = prod.run(FLOW, "prod", name='"ada"')
        assert run["status"]["phase"] == "Succeeded", run["status"]
        assert prod.argo.application("pair-dev") is None
        assert "compiled" in prod.alula("status", "--domain", "prod", "--cluster").stdout

    assert pair.argo.application("pair-prod") is None
    assert pair.cluster.api.list(installing.ALULA, "Workflow", "pair-prod") == []
    assert pair.run(FLOW, "dev")["status"]["phase"] == "Succeeded"


def of_git(made: Team) -> dict[tuple[str, str], Any]:
    """What of production follows from git: definitions with their versions, and what was compiled of them."""
    api = made.cluster.api
    found: dict[tuple[str, str], Any] = {
        (kind, each["metadata"]["name"]): each["spec"].get("version")
        for kind in ("Workflow", "LaunchPlan")
        for each in api.list(installing.ALULA, kind, "pair-prod")
    }
    for each in api.list(installing.ARGO, "WorkflowTemplate", "pair-prod"):
        found["WorkflowTemplate", each["metadata"]["name"]] = each["metadata"]["labels"]["alula.dev/version"]
    return found


def fired(made: Team) -> list[str]:
    """The scheduled times for which there are runs."""
    runs = made.cluster.api.list(installing.ARGO, "Workflow", "pair-prod")
    ticks = (each["metadata"].get("annotations", {}).get("alula.dev/tick") for each in runs)
    return sorted(tick for tick in ticks if tick)


def asked(made: Team) -> list[str]:
    """Runs that the annotation asked for."""
    runs = made.cluster.api.list(installing.ARGO, "Workflow", "pair-prod")
    return [each["metadata"]["name"] for each in runs if "asked for" in str(each["metadata"].get("annotations"))]


def test_production_made_anew_from_git_on_another_cluster_has_all_and_fires_nothing_that_had_fired(
    pair: Team, prod: Team, other: clusters.Cluster
) -> None:
    starts = datetime.datetime.now(datetime.UTC).replace(microsecond=0) + datetime.timedelta(seconds=25)
    own = pair.gitops / "pair/prod"
    (own / "plans").mkdir()
    (own / f"plans/{PLAN}.yaml").write_text(OFTEN.format(starts=f"{starts:%Y-%m-%dT%H:%M:%SZ}"))
    text = (own / "kustomization.yaml").read_text()
    (own / "kustomization.yaml").write_text(text.replace("- release/pair\n", f"- release/pair\n- plans/{PLAN}.yaml\n"))
    commit = pair.commit("Greet production often")
    with other.entered():
        prod.argo.refresh("pair-prod")
        prod.argo.synced("pair-prod", commit)
        until(lambda: fired(prod), "it does not fire", timeout=180)
        before, ticks = of_git(prod), fired(prod)
        assert asked(prod) == []
    assert ("WorkflowTemplate", f"lp-{PLAN}") in before
    prod.installation.kill()

    pair.place("prod")
    pair.cluster.kubectl("apply", "--server-side", "--force-conflicts", "-k", str(pair.gitops / "platform/argocd"))
    pair.argo.synced("pair-prod", commit)
    pair.argo.synced("platform-pair-prod", commit)
    until(lambda: of_git(pair) == before, "not all is back")
    plan = pair.cluster.api.get(installing.ALULA, "LaunchPlan", PLAN, "pair-prod")
    made = plan["metadata"]["creationTimestamp"]
    until(lambda: fired(pair), "it does not fire any more", timeout=180)
    assert min(fired(pair)) > max(made, *ticks), "what had fired, or was missed meanwhile, is not made up for"
    assert asked(pair) == []
    pair.cluster.api.patch(installing.ALULA, "LaunchPlan", PLAN, "pair-prod", {"spec": {"suspend": True}})
