"""A real API server takes what we compile: unknown fields forbidden, and Argo's CEL rules evaluated."""

from __future__ import annotations

import pytest

import alula_compiler
from e2e.cluster import clusters
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


@pytest.mark.parametrize("name", compiled.NAMES)
def test_argo_s_own_linter_has_nothing_to_say(cluster: clusters.Cluster, namespace: str, name: str) -> None:
    path = compiled.GOLDEN / f"{name}.yaml"
    done = cluster.argo("lint", "--offline", "--kinds=workflowtemplates,cronworkflows", str(path), check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "workflow", [pytest.param(compiled.chain(1000), id="1000-chain"), pytest.param(compiled.fan(600), id="600-fan")]
)
def test_a_graph_in_pieces_is_accepted(cluster: clusters.Cluster, namespace: str, workflow: runs.Object) -> None:
    made = alula_compiler.compile(workflow)
    assert made.ok
    applied = runs.apply_strictly(cluster, namespace, made.objects[0])
    assert len(applied["spec"]["templates"]) > 3
