"""kopf's part: its settings, and what it hands on."""

from __future__ import annotations

import asyncio
from typing import Any

import kopf
import pytest

from alula_controller import edge
from alula_controller.cluster import errors, resources
from alula_controller.definitions.world import Key
from tests.controller import virtual_time


def test_kopf_runs_as_the_reliability_notes_demand() -> None:
    chosen = edge.settings()
    assert chosen.peering.standalone is True
    assert chosen.scanning.disabled is True
    assert chosen.posting.enabled is False
    assert chosen.watching.server_timeout == 240
    assert chosen.watching.client_timeout == 300
    assert chosen.watching.inactivity_timeout == 70
    assert chosen.watching.chunk_size == 500
    assert chosen.networking.connect_timeout == 5
    assert chosen.networking.request_timeout == 30
    assert chosen.queueing.worker_limit is None
    assert chosen.execution.max_workers == 2
    assert "kopf" not in chosen.persistence.finalizer


def test_its_delays_outlast_an_api_server_that_is_away_for_five_minutes_and_can_be_used_again() -> None:
    backoffs = edge.settings().networking.error_backoffs
    assert isinstance(backoffs, edge.Patience)
    assert sum(backoffs) >= 300
    assert list(backoffs) == list(backoffs)
    assert len(list(backoffs)) == len(backoffs)


def test_every_definition_that_changes_is_handed_on_by_name() -> None:
    added: list[Key] = []
    registry = kopf.OperatorRegistry()
    edge.register(registry, lambda key, delay: added.append(key))
    handlers = registry._watching.get_all_handlers()
    assert len(handlers) == 3
    for handler in handlers:
        asyncio.run(handler.fn(name="x", namespace="n", event={"type": "DELETED"}, body={}))  # type: ignore[arg-type, call-arg]
    assert {key.kind for key in added} == {"Workflow", "LaunchPlan", "Domain"}
    assert {(key.namespace, key.name) for key in added} == {("n", "x")}


def test_no_handler_of_another_sort_is_registered() -> None:
    registry = kopf.OperatorRegistry()
    edge.register(registry, lambda key, delay: None)
    for others in (registry._changing, registry._indexing, registry._spawning, registry._webhooks):
        assert not others.get_all_handlers()


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
        names = [each.plural for each in (*resources.DEFINITIONS, *resources.ARGO) if each.root == path]
        return {"resources": [{"name": name} for name in names]}


@pytest.mark.parametrize("missing", [(), ("group",), ("group", "some", "group")])
def test_nothing_is_watched_before_all_kinds_are_served(missing: tuple[str, ...]) -> None:
    discovery = Discovery(*missing)
    virtual_time.run(edge.served(discovery))  # type: ignore[arg-type]
    assert discovery.rounds == len(missing) + 1
