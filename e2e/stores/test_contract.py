"""The contract of stores on a real S3 server."""

from __future__ import annotations

import pytest

from alula_data.stores import opening
from alula_data.stores.protocols import Store
from e2e.cluster import clusters, s3
from tests.data import store_contract


class TestS3(store_contract.StoreContract):
    # The server keeps objects as files of a folder.
    allows_file_and_folder = False

    @pytest.fixture
    def store(self, cluster: clusters.Cluster, store: Store) -> Store:
        return store

    @pytest.fixture
    def racers(self, cluster: clusters.Cluster, store: Store, credentials: s3.Bucket) -> list[Store]:
        return [opening.open_store(store.url, endpoint=credentials.endpoint) for _ in range(20)]
