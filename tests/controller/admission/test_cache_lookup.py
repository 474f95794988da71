"""The budget of a walk's lookups, on virtual time where time matters."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping

import pytest

from alula_api.contract.keys import CacheEntry
from alula_controller.admission import breakers, cache_lookup
from alula_controller.admission.cache_lookup import Answer
from alula_controller.admission.cache_walk import CacheWalk, Wanted
from alula_controller.domains.places import Place
from alula_controller.settings import Root
from alula_data import errors, retries
from alula_data.caches import Lookup
from alula_data.stores import memory
from tests.controller import scenes, virtual_time
from tests.controller.admission import test_cache_walk


async def hits(wanted: Mapping[str, Wanted], seconds: float) -> dict[str, Answer]:
    return {
        key: Lookup(
            key,
            CacheEntry(
                key,
                "t",
                {name: 1 if schema == scenes.INT else "t" for name, schema in each.outputs.items()},
                "",
                "",
                "",
            ),
        )
        for key, each in wanted.items()
    }


def walk() -> CacheWalk:
    return CacheWalk(scenes.plan(), test_cache_walk.INPUTS)


def test_a_walk_goes_to_its_end_within_the_budget() -> None:
    going = walk()
    assert virtual_time.run(cache_lookup.step_through(going, hits, 10, 100)) == ""
    assert len(going.hits) == 3


def test_a_walk_stops_when_its_lookups_are_used_up() -> None:
    going = walk()
    assert "1 lookups" in virtual_time.run(cache_lookup.step_through(going, hits, 10, 1))
    assert len(going.hits) == 1


def test_a_walk_stops_when_its_time_is_over() -> None:
    going = walk()
    assert "0 s" in virtual_time.run(cache_lookup.step_through(going, hits, 0, 100))
    assert going.hits == []


def test_keys_that_were_not_reached_in_time_are_misses() -> None:
    going = walk()

    async def nothing(wanted: Mapping[str, Wanted], seconds: float) -> dict[str, Answer]:
        return {}

    assert "10 s" in virtual_time.run(cache_lookup.step_through(going, nothing, 10, 100))
    assert going.hits == []


def test_a_store_that_fails_for_all_ends_the_walk_with_its_reason() -> None:
    going = walk()

    async def failing(wanted: Mapping[str, Wanted], seconds: float) -> dict[str, Answer]:
        return {key: errors.Unavailable("s3://b", key) for key in wanted}

    assert "cannot be reached" in virtual_time.run(cache_lookup.step_through(going, failing, 10, 100))


def test_a_store_that_fails_for_some_does_not_end_the_walk() -> None:
    going = walk()

    async def failing_once(wanted: Mapping[str, Wanted], seconds: float) -> dict[str, Answer]:
        found = await hits(wanted, seconds)
        first = next(iter(found))
        return found | ({first: errors.Unavailable("s3://b", first)} if len(found) > 1 else {})

    assert virtual_time.run(cache_lookup.step_through(going, failing_once, 10, 100)) == ""
    assert len(going.hits) == 1


@pytest.fixture
def black_hole() -> Iterator[tuple[str, list[socket.socket]]]:
    """A server that takes connections and never says a word."""
    taken: list[socket.socket] = []
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(1000)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    taken.append(server.accept()[0])

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", taken
        server.shutdown(socket.SHUT_RDWR)
    thread.join()
    for each in taken:
        each.close()


def test_a_store_that_never_answers_is_given_up_and_left_alone_until_it_has_rested(
    black_hole: tuple[str, list[socket.socket]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x" * 16)
    endpoint, taken = black_hole
    quick = retries.Policy(attempts=2, first=0.01, longest=0.01, seconds=0.2)
    place = Place("demo", "hanging", Root("r", "s3://bucket", endpoint))
    now = 100.0

    async def main() -> list[str]:
        nonlocal now
        lookups = cache_lookup.Lookups(600, 2000, lambda: now, lambda place: cache_lookup.open_store(place, quick))
        said = [await lookups.walk(walk(), place)]
        asked = len(taken)
        said += [await lookups.walk(walk(), place) for _ in range(50)]
        assert len(taken) == asked, "nothing is asked while it rests"
        now += breakers.REST_SECONDS
        said += [await lookups.walk(walk(), place), await lookups.walk(walk(), place)]
        assert len(taken) > asked
        return said

    said = asyncio.run(main())
    assert "cannot be reached" in said[0]
    assert said[1:51] == [cache_lookup.SILENT] * 50
    assert "cannot be reached" in said[51]
    assert said[52] == cache_lookup.SILENT


class Stuck(memory.MemoryStore):
    """A store whose requests cannot be ended from outside, as those of a network's file system."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()
        self.held = 0

    def stream(self, key: str) -> Iterator[bytes]:
        self.held += 1
        self.let_go.wait()
        return super().stream(key)


def test_requests_that_cannot_be_ended_hold_a_bounded_number_of_threads_and_no_other_domain() -> None:
    stuck = Stuck()
    healthy = memory.MemoryStore()
    now = 0.0

    async def main() -> list[str]:
        nonlocal now
        lookups = cache_lookup.Lookups(
            0.05, 2000, lambda: now, lambda place: stuck if place.domain == "stuck" else healthy
        )
        for _ in range(3 * cache_lookup.AT_ONCE):
            now += breakers.REST_SECONDS
            await lookups.walk(walk(), Place("demo", "stuck", Root("r", "s3://b")))
        held = stuck.held
        said = [await lookups.walk(walk(), Place("demo", "healthy", Root("r", "s3://b")))]
        stuck.let_go.set()
        assert held == cache_lookup.AT_ONCE
        return said

    assert asyncio.run(main()) == [""]
