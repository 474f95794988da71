"""A real API server takes what we compile: unknown fields forbidden, and Argo's CEL rules evaluated.

It serves the CRDs of the Argo that runs, and beside them those of Argo 4.1 under a group of their own.
"""

from __future__ import annotations

import pytest

import alula_compiler
from e2e.cluster import api, binaries, clusters, errors
from e2e.engine import runs
from tests.compiler import compiled, test_goldens


@pytest.fixture(scope="module")
def namespace(cluster: clusters.Cluster) -> str:
    return cluster.namespace("engine-acceptance")


@pytest.mark.parametrize("name", compiled.NAMES)
def test_every_golden_is_accepted(cluster: clusters.Cluster, namespace: str, name: str) -> None:
    for found in test_goldens.compile_golden(name).objects:
        applied = runs.apply_strictly(cluster, namespace, found)
        assert applied["spec"] == found["spec"]


NEWER = "newer.argoproj.io"


@pytest.fixture(scope="module")
def newer(cluster: clusters.Cluster) -> str:
    """The API version under which the CRDs of Argo 4.1 are served."""
    try:
        folder = binaries.manifests("argo-workflows-4.1")
    except errors.Unavailable as error:
        pytest.skip(str(error))
    for plural in ("workflowtemplates", "workfloweventbindings"):
        crd = (folder / f"argoproj.io_{plural}.yaml").read_text()
        for field, value in (("name", f"{plural}.argoproj.io"), ("group", "argoproj.io")):
            crd = crd.replace(f"{field}: {value}\n", f"{field}: {value.replace('argoproj.io', NEWER)}\n", 1)
        cluster.kubectl("create", "-f", "-", input=crd)
    return f"{NEWER}/v1alpha1"


@pytest.mark.parametrize("name", compiled.NAMES)
def test_every_golden_is_accepted_by_the_crds_of_4_1(
    cluster: clusters.Cluster, namespace: str, newer: str, name: str
) -> None:
    for found in test_goldens.compile_golden(name).objects:
        applied = runs.apply_strictly(cluster, namespace, {**found, "apiVersion": newer})
        assert applied["spec"] == found["spec"]


def test_the_crds_of_4_1_evaluate_their_rules(cluster: clusters.Cluster, namespace: str, newer: str) -> None:
    (found, *_) = test_goldens.compile_golden("no-inputs").objects
    wrong = {"name": "both", "suspend": {}, "dag": {"tasks": []}}
    spec = {**found["spec"], "templates": [*found["spec"]["templates"], wrong]}
    with pytest.raises(api.ApiError, match="template must have at most one"):
        runs.apply_strictly(cluster, namespace, {**found, "apiVersion": newer, "spec": spec})


@pytest.mark.parametrize("name", compiled.NAMES)
def test_argo_s_own_linter_has_nothing_to_say(cluster: clusters.Cluster, namespace: str, name: str) -> None:
    path = compiled.GOLDEN / f"{name}.yaml"
    done = cluster.argo("lint", "--offline", "--kinds=workflowtemplates", str(path), check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "workflow", [pytest.param(compiled.chain(1000), id="1000-chain"), pytest.param(compiled.fan(600), id="600-fan")]
)
def test_a_graph_in_pieces_is_accepted(cluster: clusters.Cluster, namespace: str, workflow: runs.Object) -> None:
    made = alula_compiler.compile(workflow)
    assert made.ok
    applied = runs.apply_strictly(cluster, namespace, made.objects[0])
    assert len(applied["spec"]["templates"]) > 3
