"""Room on the node: pods that do not fit wait."""

from __future__ import annotations

from typing import Any

import pytest

from e2e.cluster import scheduling


def pod(*requests: dict[str, str], initial: dict[str, str] | None = None) -> dict[str, Any]:
    containers = [{"resources": {"requests": each}} for each in requests]
    first = [{"resources": {"requests": initial}}] if initial else []
    return {"spec": {"containers": containers, "initContainers": first}}


CAPACITY = {"cpu": 2.0, "memory": 2.0**30}


@pytest.mark.parametrize(
    ("wanted", "placed", "fits"),
    [
        (pod({}), [pod({"cpu": "2"})], True),
        (pod({"cpu": "500m"}), [pod({"cpu": "1"}, {"cpu": "500m"})], True),
        (pod({"cpu": "501m"}), [pod({"cpu": "1"}, {"cpu": "500m"})], False),
        (pod({"cpu": "1"}, initial={"cpu": "3"}), [], False),
        (pod({"memory": "1Gi"}), [], True),
        (pod({"memory": "1Gi"}), [pod({"memory": "1k"})], False),
    ],
)
def test_a_pod_is_bound_while_its_requests_fit(
    wanted: dict[str, Any], placed: list[dict[str, Any]], fits: bool
) -> None:
    assert scheduling.fits(wanted, placed, CAPACITY) is fits
