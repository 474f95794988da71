"""The budget of a walk's lookups, on virtual time where time matters."""

from __future__ import annotations

from collections.abc import Mapping

from alula_api.contract.keys import CacheEntry
from alula_controller.admission import cache_lookup
from alula_controller.admission.cache_walk import CacheWalk, Wanted
from alula_data.caches import Lookup
from tests.controller import scenes, virtual_time
from tests.controller.admission import test_cache_walk


def hits(wanted: Mapping[str, Wanted], seconds: float) -> dict[str, Lookup]:
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
    assert "10 s" in virtual_time.run(cache_lookup.step_through(going, lambda wanted, seconds: {}, 10, 100))
    assert going.hits == []


def test_a_store_that_fails_for_all_ends_the_walk_with_its_reason() -> None:
    going = walk()

    def failing(wanted: Mapping[str, Wanted], seconds: float) -> dict[str, Lookup]:
        return {key: Lookup(key, None, "the store cannot be reached: s3://b") for key in wanted}

    assert "cannot be reached" in virtual_time.run(cache_lookup.step_through(going, failing, 10, 100))


def test_a_store_that_fails_for_some_does_not_end_the_walk() -> None:
    going = walk()

    def failing_once(wanted: Mapping[str, Wanted], seconds: float) -> dict[str, Lookup]:
        found = hits(wanted, seconds)
        first = next(iter(found))
        return found | ({first: Lookup(first, None, "the store refused")} if len(found) > 1 else {})

    assert virtual_time.run(cache_lookup.step_through(going, failing_once, 10, 100)) == ""
    assert len(going.hits) == 1
