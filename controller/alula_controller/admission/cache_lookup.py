"""Looks a walk's keys up in the domain's cache index, level by level, within a budget. Called by `gather`.

Only `cache/` is read, and whether `cas/` has what an entry names; never a file, never a foreign URI, and no prefix but
the one that the installation and the namespace's labels give. The credentials are the controller's own, from its
environment.

A store that hangs costs its own domain a few seconds and others nothing: requests end by themselves, those of one
domain are bounded, and after one round without any answer the domain's runs go in unfilled (`breakers`).
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from alula_api.contract import references
from alula_api.contract.graphs import comparables
from alula_api.contract.graphs.walks import TooLarge
from alula_api.contract.keys import CacheEntry
from alula_api.contract.references import Stored
from alula_controller import metrics
from alula_controller.admission.breakers import Breaker
from alula_controller.admission.cache_walk import CacheWalk, Wanted
from alula_controller.domains.places import Place
from alula_data import caches, errors, retries
from alula_data.stores import opening
from alula_data.stores.protocols import Store

log = logging.getLogger(__name__)

POLICY = retries.Policy(attempts=2, first=0.1, longest=0.2, seconds=3.0)
AT_ONCE = 16  # requests of one domain
THREADS = 64  # of all domains
MAX_DOMAINS = 1000  # that are remembered
DEEP = 16  # levels of a walk before the rest of it is looked up ahead
AHEAD = 0.5  # of the time that is left then, at most
SILENT = "the store gave no answer lately, so nothing is looked up there for a while"

Answer = caches.Lookup | errors.StoreError
Find = Callable[[Mapping[str, Wanted], float], Awaitable[Mapping[str, Answer]]]
Guess = Callable[[int], Awaitable[Mapping[str, Wanted]]]
"""Gives at most so many keys that a walk may come to."""


def open_store(place: Place, policy: retries.Policy = POLICY) -> Store:
    """The domain's store, with requests that end by themselves."""
    return opening.open_store(place.store, endpoint=place.root.endpoint, policy=policy)


@dataclass(frozen=True)
class _Domain:
    """One domain's index, what we know of its store, and room for its requests."""

    index: caches.CacheIndex
    breaker: Breaker
    room: asyncio.Semaphore


class Lookups:
    """The cache indexes of all domains.

    Args:
        seconds: of one run's walk.
        most: lookups of one run's walk.
        clock: monotonic seconds.
        opened: opens a domain's store.
    """

    def __init__(
        self,
        seconds: float,
        most: int,
        clock: Callable[[], float] = time.monotonic,
        opened: Callable[[Place], Store] = open_store,
    ) -> None:
        self._opened = opened
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._domains: collections.OrderedDict[Place, _Domain] = collections.OrderedDict()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="cache-lookup")

    async def walk(self, walk: CacheWalk, place: Place, guess: Guess | None = None) -> str:
        """Take the walk as far as the budget and the cache go; why it stopped short, if it did.

        Args:
            walk: as far as it is.
            place: the domain's.
            guess: is asked once the walk turns out to be deep.
        """
        try:
            domain = self._domain(place)
        except errors.StoreError as error:
            return str(error)
        if not domain.breaker.lets_through():
            return SILENT
        with metrics.FILL_SECONDS.time():
            return await step_through(walk, self._finder(domain), self._seconds, self._most, guess)

    def _domain(self, place: Place) -> _Domain:
        if place not in self._domains:
            index = caches.CacheIndex(self._opened(place), deep=False)
            self._domains[place] = _Domain(index, Breaker(self._clock), asyncio.Semaphore(AT_ONCE))
            if len(self._domains) > MAX_DOMAINS:
                self._domains.popitem(last=False)
        self._domains.move_to_end(place)
        return self._domains[place]

    def _finder(self, domain: _Domain) -> Find:
        async def find(wanted: Mapping[str, Wanted], seconds: float) -> Mapping[str, Answer]:
            found = await self._find(domain, wanted, seconds)
            if any(isinstance(each, caches.Lookup) for each in found.values()):
                domain.breaker.answered()
            elif (found or seconds >= POLICY.seconds) and domain.breaker.gave_no_answer():
                metrics.STORES_SILENT.inc()
                log.warning("%s", next(iter(found.values()), f"no answer from {domain.index.store.url}"))
            return found

        return find

    async def _find(self, domain: _Domain, wanted: Mapping[str, Wanted], seconds: float) -> Mapping[str, Answer]:
        """As many answers as come in time; if all of the first ones are errors, no more is asked."""
        found: dict[str, Answer] = {}
        todo = collections.deque(wanted.values())
        heard = False

        async def work() -> None:
            nonlocal heard
            while todo and (heard or len(found) < AT_ONCE):
                each = todo.popleft()
                found[each.key] = answer = await self._ask(domain, each)
                heard = heard or isinstance(answer, caches.Lookup)

        workers = [asyncio.ensure_future(work()) for _ in range(min(AT_ONCE, len(wanted)))]
        try:
            done, _ = await asyncio.wait(workers, timeout=seconds)
            for worker in done:
                worker.result()
        finally:
            for worker in workers:
                worker.cancel()
        return dict(found)

    async def _ask(self, domain: _Domain, wanted: Wanted) -> Answer:
        """One lookup in a thread. Its room is free again when the thread is, not when none waits for it any more."""
        await domain.room.acquire()
        loop = asyncio.get_running_loop()

        def free(_: Future[Answer]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(domain.room.release)

        asked = self._threads.submit(_find_one, domain.index, wanted)
        asked.add_done_callback(free)
        return await asyncio.wrap_future(asked)


def _find_one(index: caches.CacheIndex, wanted: Wanted) -> Answer:
    outputs = {name: dict(schema) for name, schema in wanted.outputs.items()}
    try:
        found = index.find(wanted.key, outputs, wanted.entrypoint)
        return dataclasses.replace(found, stored=_stored(index, found.entry, wanted)) if found.entry else found
    except errors.StoreError as error:
        return error


def _stored(index: caches.CacheIndex, entry: CacheEntry, wanted: Wanted) -> dict[str, Stored]:
    """Of the items that are too long for a list those that lie in the store as well."""
    inline = {name: entry.outputs[name] for name in wanted.items if references.stored(entry.outputs[name]) is None}
    long = {name: value for name, value in inline.items() if not comparables.is_item(value)}
    found = {name: index.also_stored(value, wanted.outputs[name]) for name, value in long.items()}
    return {name: stored for name, stored in found.items() if stored is not None}


async def step_through(walk: CacheWalk, find: Find, seconds: float, most: int, guess: Guess | None = None) -> str:
    """Answer what the walk wants until it wants nothing more, or time or lookups run out; why it stopped short.

    A deep walk is `DEEP` round trips old when all keys that `guess` gives are looked up side by side: what was found
    under them is then at hand when the walk wants it. It counts there as a lookup, so a guess takes none from the walk.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    left = most
    short = f"{most} lookups or {seconds:g} s did not suffice for the whole graph"
    ahead: dict[str, tuple[Wanted, caches.Lookup]] = {}
    level = 0
    while wanted := walk.wanted():
        if level == DEEP and guess is not None:
            over = set(walk.keys.values()).difference(each.key for each in wanted)
            ahead = await _ahead(guess, over, find, AHEAD * (deadline - loop.time()), most)
        level += 1
        remaining = deadline - loop.time()
        if remaining <= 0:
            return short
        now = {each.key: each for each in wanted[:left]}
        left -= len(now)
        found = await _found(now, ahead, find, remaining)
        entries = {key: each.entry for key, each in found.items() if isinstance(each, caches.Lookup)}
        try:
            stored = {key: each.stored for key, each in found.items() if isinstance(each, caches.Lookup)}
            hits = {key: entry for key, entry in entries.items() if entry is not None}
            lists_of = {key: entry.parts for key, entry in hits.items()}
            walk.answer({key: entry.outputs for key, entry in hits.items()}, stored, lists_of)
        except TooLarge as error:
            return str(error)
        if found and not entries:
            return str(next(iter(found.values())))
        if len(found) < len(wanted):
            return short
    return ""


async def _ahead(
    guess: Guess, over: Collection[str], find: Find, seconds: float, most: int
) -> dict[str, tuple[Wanted, caches.Lookup]]:
    """What is found under guessed keys that are not `over`, and what was asked of it.

    A miss is looked up again when it is wanted.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    try:
        guessed = await asyncio.wait_for(guess(most), max(0.0, seconds))
    except TimeoutError:
        return {}
    guessed = {key: each for key, each in itertools.islice(guessed.items(), most) if key not in over}
    remaining = deadline - loop.time()
    if not guessed or remaining <= 0:
        return {}
    found = await _counted(find, guessed, remaining)
    hits = {key: each for key, each in found.items() if isinstance(each, caches.Lookup) and each.entry is not None}
    return {key: (guessed[key], each) for key, each in hits.items()}


async def _found(
    wanted: Mapping[str, Wanted], ahead: dict[str, tuple[Wanted, caches.Lookup]], find: Find, seconds: float
) -> dict[str, Answer]:
    """What is at hand of what is wanted, where the very same was asked of it, and the answers to the rest."""
    taken = {key: ahead.pop(key) for key in wanted if key in ahead}
    at_hand: dict[str, Answer] = {key: found for key, (asked, found) in taken.items() if asked == wanted[key]}
    metrics.LOOKUPS_AHEAD.inc(len(at_hand))
    rest = {key: each for key, each in wanted.items() if key not in at_hand}
    if rest:
        return {**at_hand, **await _counted(find, rest, seconds)}
    await asyncio.sleep(0)  # others have their turn between two levels, however many are at hand
    return at_hand


async def _counted(find: Find, wanted: Mapping[str, Wanted], seconds: float) -> Mapping[str, Answer]:
    found = await find(wanted, seconds)
    for answer in found.values():
        metrics.CACHE_LOOKUPS.labels(result=_result(answer)).inc()
    return found


def _result(answer: Answer) -> str:
    if isinstance(answer, errors.StoreError):
        return "error"
    return "hit" if answer.entry is not None else "miss"
