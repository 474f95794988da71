"""A bucket of a real S3 server (versitygw), and stores on it."""

from __future__ import annotations

import itertools

import pytest

from alula_data import retries
from alula_data.stores import opening
from alula_data.stores.protocols import Store
from e2e.cluster import clusters, s3

QUICK = retries.Policy(attempts=3, first=0.05, longest=0.2)
_numbers = itertools.count()


@pytest.fixture(scope="session")
def bucket(cluster: clusters.Cluster) -> s3.Bucket:
    return cluster.s3.bucket("stores")


@pytest.fixture
def credentials(bucket: s3.Bucket, monkeypatch: pytest.MonkeyPatch) -> s3.Bucket:
    for name, value in bucket.environment().items():
        monkeypatch.setenv(name, value)
    return bucket


@pytest.fixture
def store(cluster: clusters.Cluster, credentials: s3.Bucket) -> Store:
    """An empty prefix."""
    return opening.open_store(f"{credentials.url}/t{next(_numbers)}", endpoint=credentials.endpoint, policy=QUICK)
