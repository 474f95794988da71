"""Looks a walk's keys up in the domain's cache index, level by level, within a budget. Called by `gather`.

Only `cache/` is read, and whether `cas/` has what an entry names; never a file, never a foreign URI, and no prefix but
the one that the installation and the namespace's labels give. The credentials are the controller's own, from its
environment.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from alula_api.contract.graphs.walks import TooLarge
from alula_controller import metrics
from alula_controller.admission.cache_walk import CacheWalk, Wanted
from alula_controller.domains.places import Place
from alula_data import caches, errors
from alula_data.stores import opening

log = logging.getLogger(__name__)

AT_A_TIME = 4  # walks in one domain; a crowd of runs must not starve the others' lookups
Find = Callable[[Mapping[str, Wanted], float], Mapping[str, caches.Lookup]]


class Busy(Exception):
    """As many runs of this domain are being looked up as may be: come back soon, and let other domains go on."""


class Lookups:
    """The cache indexes of all domains.

    Args:
        seconds: of one run's walk.
        most: lookups of one run's walk.
    """

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._indexes: dict[Place, caches.CacheIndex] = {}
        self._gates: dict[str, asyncio.Semaphore] = {}

    async def walk(self, walk: CacheWalk, place: Place) -> str:
        """Take the walk as far as the budget and the cache go; why it stopped short, if it did.

        Raises:
            Busy: not now.
        """
        gate = self._gates.setdefault(place.store, asyncio.Semaphore(AT_A_TIME))
        if gate.locked():
            raise Busy
        async with gate:
            try:
                index = self._index(place)
            except errors.StoreError as error:
                return str(error)
            with metrics.FILL_SECONDS.time():
                return await step_through(walk, _finder(index), self._seconds, self._most)

    def _index(self, place: Place) -> caches.CacheIndex:
        if place not in self._indexes:
            store = opening.open_store(place.store, endpoint=place.root.endpoint)
            self._indexes[place] = caches.CacheIndex(store, deep=False)
        return self._indexes[place]


def _finder(index: caches.CacheIndex) -> Find:
    def find(wanted: Mapping[str, Wanted], seconds: float) -> Mapping[str, caches.Lookup]:
        expected: dict[str, tuple[dict[str, dict[str, Any]], str]] = {
            key: ({name: dict(schema) for name, schema in each.outputs.items()}, each.entrypoint)
            for key, each in wanted.items()
        }
        return index.lookup_many(expected, seconds=seconds)

    return find


async def step_through(walk: CacheWalk, find: Find, seconds: float, most: int) -> str:
    """Answer what the walk wants until it wants nothing more, or time or lookups run out; why it stopped short."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    left = most
    short = f"{most} lookups or {seconds:g} s did not suffice for the whole graph"
    while wanted := walk.wanted():
        remaining = deadline - loop.time()
        if remaining <= 0:
            return short
        now = {each.key: each for each in wanted[:left]}
        left -= len(now)
        found = await asyncio.to_thread(find, now, remaining)
        for lookup in found.values():
            metrics.CACHE_LOOKUPS.labels(result=_result(lookup)).inc()
        try:
            walk.answer({key: lookup.entry.outputs for key, lookup in found.items() if lookup.entry is not None})
        except TooLarge as error:
            return str(error)
        failed = [lookup for lookup in found.values() if _result(lookup) == "error"]
        if failed and len(failed) == len(found):
            return failed[0].reason
        if len(found) < len(wanted):
            return short
    return ""


def _result(lookup: caches.Lookup) -> str:
    if lookup.entry is not None:
        return "hit"
    if lookup.broken or lookup.reason == "there is no entry":
        return "miss"
    return "error"
