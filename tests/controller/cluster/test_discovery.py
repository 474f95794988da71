"""Waiting for the kinds that the controller needs."""

from __future__ import annotations

from typing import Any

import pytest

from alula_controller.cluster import discovery, errors, resources
from tests.controller import virtual_time


class Discovery:
    def __init__(self, *missing_for: str) -> None:
        self.rounds = 0
        self.missing = list(missing_for)

    async def get(self, path: str) -> dict[str, Any]:
        if path.startswith("/apis/alula.dev"):
            self.rounds += 1
        if self.rounds <= len(self.missing):
            if self.missing[self.rounds - 1] == "group":
                raise errors.NotFound(path)
            return {"resources": [{"name": "workflows"}]}
        names = [each.plural for each in resources.NEEDED if each.root == path]
        return {"resources": [{"name": name} for name in names]}


@pytest.mark.parametrize("missing", [(), ("group",), ("group", "some", "group")])
def test_nothing_is_watched_before_all_kinds_are_served(missing: tuple[str, ...]) -> None:
    server = Discovery(*missing)
    virtual_time.run(discovery.served(server))  # type: ignore[arg-type]
    assert server.rounds == len(missing) + 1
