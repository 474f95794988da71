"""What is read of a namespace, where the installation serves some namespaces only and may watch none."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest

from alula_controller.cluster import errors
from alula_controller.cluster.watches import Seen
from alula_controller.conditions import Reason
from alula_controller.domains import gather, places
from alula_controller.domains.gather import Domains
from alula_controller.domains.places import NoPlace, Place
from tests.controller import scenes
from tests.controller.fake_cluster import FakeCluster

SETTINGS = dataclasses.replace(scenes.SETTINGS, namespaces=("first", "gone", "second"))


@pytest.fixture
def api() -> FakeCluster:
    api = FakeCluster()
    api.put(scenes.namespace("first", creationTimestamp="2026-01-01T00:00:00Z"))
    api.put(scenes.namespace("second", creationTimestamp="2026-01-02T00:00:00Z"))
    return api


def test_two_served_namespaces_do_not_share_a_project_and_domain(api: FakeCluster) -> None:
    domains = Domains(api, SETTINGS)  # type: ignore[arg-type]
    assert isinstance(asyncio.run(domains.read("first"))[0], Place)
    place = asyncio.run(domains.read("second"))[0]
    assert isinstance(place, NoPlace)
    assert place.reason == Reason.PAIR_CLAIMED
    assert "first" in place.message


class Counted:
    """Counts what is read by path."""

    def __init__(self, api: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
        self.read: list[str] = []
        self._find = api.find
        monkeypatch.setattr(api, "find", self.find)

    async def find(self, path: str, **options: Any) -> Any:
        self.read.append(path)
        return await self._find(path, **options)


def test_definitions_that_come_together_share_one_reading_of_their_domain(
    api: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    counted = Counted(api, monkeypatch)
    domains = Domains(api, scenes.SETTINGS, clock=lambda: now)  # type: ignore[arg-type]

    async def look() -> None:
        await asyncio.gather(*(domains.recent("first") for _ in range(20)))

    asyncio.run(look())
    asyncio.run(look())
    assert counted.read.count("/api/v1/namespaces/first") == 1
    now += gather.RECENT_SECONDS
    asyncio.run(look())
    assert counted.read.count("/api/v1/namespaces/first") == 2


def test_after_a_domain_was_read_anew_what_was_read_before_is_not_used(api: FakeCluster) -> None:
    domains = Domains(api, scenes.SETTINGS, clock=lambda: 100.0)  # type: ignore[arg-type]
    before, _ = asyncio.run(domains.recent("first"))
    assert isinstance(before, Place)
    api.drop("Namespace", "", "first")
    assert isinstance(asyncio.run(domains.recent("first"))[0], Place), "within the second"
    assert isinstance(asyncio.run(domains.read("first"))[0], NoPlace)
    assert isinstance(asyncio.run(domains.recent("first"))[0], NoPlace)


def test_a_reading_that_failed_is_not_shared(api: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    domains = Domains(api, scenes.SETTINGS, clock=lambda: 100.0)  # type: ignore[arg-type]
    find = api.find

    async def away(path: str, **options: Any) -> Any:
        raise errors.Unavailable("away")

    monkeypatch.setattr(api, "find", away)
    with pytest.raises(errors.Unavailable):
        asyncio.run(domains.recent("first"))
    monkeypatch.setattr(api, "find", find)
    assert isinstance(asyncio.run(domains.recent("first"))[0], Place)


def test_the_other_namespaces_are_read_now_and_then_and_not_for_each_look(
    api: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    read = Counted(api, monkeypatch).read
    domains = Domains(api, SETTINGS, clock=lambda: now)  # type: ignore[arg-type]
    for _ in range(5):
        asyncio.run(domains.read("second"))
    assert read.count("/api/v1/namespaces/first") == 1
    api.drop("Namespace", "", "first")
    now += gather.OTHERS_SECONDS
    assert isinstance(asyncio.run(domains.read("second"))[0], Place), "the older one is gone"


def test_of_the_namespaces_that_are_served_those_of_a_project_are_known_once_they_were_read(api: FakeCluster) -> None:
    api.put(scenes.namespace("second", domain="prod"))
    api.put(scenes.namespace("unserved", domain="staging"))
    domains = Domains(api, SETTINGS)  # type: ignore[arg-type]
    assert places.domains("first", domains.known()) == {}

    async def refused(path: str, **_: Any) -> None:
        raise errors.Refused("forbidden")

    there, api.find = api.find, refused  # type: ignore[method-assign,assignment]
    asyncio.run(domains.look_around())  # says so, and that is all
    api.find = there  # type: ignore[method-assign]
    asyncio.run(domains.look_around())
    assert places.domains("first", domains.known()) == {"dev": "first", "prod": "second"}
    assert places.domains("unserved", domains.known()) == {}


def test_a_pair_belongs_to_the_namespace_that_had_it_first() -> None:
    older = scenes.namespace("older", creationTimestamp="2026-01-01T00:00:00Z")
    later = scenes.namespace("later", creationTimestamp="2026-01-02T00:00:00Z")
    odd = scenes.namespace("odd", domain="Pro d")
    known = [Seen.of(each) for each in (later, older, odd)]
    assert places.domains("older", known) == {"dev": "older"}
    assert places.domains("later", known) == {}, "it reads nothing, and starts nothing elsewhere"
    assert places.domains("odd", known) == {}
