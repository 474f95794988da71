"""The CRDs as they stand in `crds/`, and a namespace with nothing in it."""

from __future__ import annotations

import itertools
import pathlib
from collections.abc import Iterator

import pytest

from e2e import installing
from e2e.cluster import clusters

CRDS = pathlib.Path(__file__).resolve().parents[2] / "crds"

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def kinds_installed(cluster: clusters.Cluster) -> clusters.Cluster:
    """The cluster, once our CRDs are established on it."""
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-k", str(CRDS))
    cluster.await_crds(*installing.KINDS)
    return cluster


@pytest.fixture
def namespace(kinds_installed: clusters.Cluster) -> Iterator[str]:
    """A namespace of the test's own."""
    yield kinds_installed.namespace(f"resources-{next(_numbers)}")
