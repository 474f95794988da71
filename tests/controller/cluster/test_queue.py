"""The work queue, on virtual time."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import pytest

from alula_controller.cluster import errors
from alula_controller.cluster.queue import LONGEST_DELAY, WorkQueue
from tests.controller import virtual_time


def now() -> float:
    return asyncio.get_running_loop().time() - 1000


def run(
    scenario: Callable[[WorkQueue[str]], Awaitable[None]],
    handle: Callable[[str], Awaitable[float | None]],
    **options: object,
) -> None:
    async def main() -> None:
        queue: WorkQueue[str] = WorkQueue("test", handle, shake=lambda: 0.5, **options)  # type: ignore[arg-type]
        worker = asyncio.create_task(queue.run())
        await scenario(queue)
        worker.cancel()

    virtual_time.run(main())


class Record:
    """A handler that notes what it was called with and when."""

    def __init__(self, takes: float = 0.0, fails: tuple[str, ...] = ()) -> None:
        self.calls: list[tuple[str, float]] = []
        self.takes = takes
        self.fails = fails

    async def __call__(self, key: str) -> float | None:
        self.calls.append((key, round(now(), 3)))
        if self.takes:
            await asyncio.sleep(self.takes)
        if key in self.fails:
            raise errors.Unavailable("down")
        return None


def test_a_key_that_is_added_twice_while_it_waits_is_worked_on_once() -> None:
    record = Record()

    async def scenario(queue: WorkQueue[str]) -> None:
        for _ in range(5):
            queue.add("a")
        await asyncio.sleep(10)

    run(scenario, record)
    assert record.calls == [("a", 0)]


def test_a_key_that_is_added_while_it_is_worked_on_is_worked_on_once_more_and_never_twice_at_a_time() -> None:
    record = Record(takes=2)

    async def scenario(queue: WorkQueue[str]) -> None:
        queue.add("a")
        await asyncio.sleep(1)
        queue.add("a")
        queue.add("a")
        await asyncio.sleep(10)

    run(scenario, record)
    assert record.calls == [("a", 0), ("a", 2)]


def test_keys_are_worked_on_side_by_side_up_to_the_number_of_workers() -> None:
    record = Record(takes=1)

    async def scenario(queue: WorkQueue[str]) -> None:
        for key in "abcd":
            queue.add(key)
        await asyncio.sleep(10)

    run(scenario, record, workers=2)
    assert record.calls == [("a", 0), ("b", 0), ("c", 1), ("d", 1)]


def test_a_failure_comes_back_with_a_delay_that_doubles_to_a_limit() -> None:
    record = Record(fails=("a",))

    async def scenario(queue: WorkQueue[str]) -> None:
        queue.add("a")
        await asyncio.sleep(2000)

    run(scenario, record)
    times = [at for _, at in record.calls]
    delays = [round(later - earlier, 2) for earlier, later in itertools.pairwise(times)]
    assert delays[:5] == [0.25, 0.5, 1.0, 2.0, 4.0]
    assert max(delays) == delays[-1] == LONGEST_DELAY


def test_a_poison_key_does_not_delay_the_others() -> None:
    async def poison(key: str) -> float | None:
        record.calls.append((key, round(now(), 3)))
        if key == "poison":
            raise RecursionError("deep")
        return None

    record = Record()

    async def scenario(queue: WorkQueue[str]) -> None:
        queue.add("poison")
        for second in range(20):
            queue.add(f"good-{second}")
            await asyncio.sleep(1)

    run(scenario, poison, workers=1)
    good = [at for key, at in record.calls if key.startswith("good")]
    assert good == [float(second) for second in range(20)]
    assert 4 <= sum(key == "poison" for key, _ in record.calls) <= 8


def test_a_success_forgets_earlier_failures() -> None:
    outcomes = iter([True, True, False, True])
    calls: list[float] = []

    async def sometimes(key: str) -> float | None:
        calls.append(round(now(), 3))
        if next(outcomes):
            raise errors.Conflict("moved")
        return 10.0 if len(calls) == 3 else None

    async def scenario(queue: WorkQueue[str]) -> None:
        queue.add("a")
        await asyncio.sleep(11.1)

    run(scenario, sometimes)
    assert calls == [0, 0.25, 0.75, 10.75, 11.0]


def test_what_a_handler_asks_for_is_done_later() -> None:
    calls: list[float] = []

    async def again(key: str) -> float | None:
        calls.append(round(now(), 3))
        return 5.0 if len(calls) < 3 else None

    async def scenario(queue: WorkQueue[str]) -> None:
        queue.add("a")
        await asyncio.sleep(60)

    run(scenario, again)
    assert calls == [0, 5, 10]


def test_an_earlier_date_wins() -> None:
    record = Record()

    async def scenario(queue: WorkQueue[str]) -> None:
        queue.add("a", 30)
        queue.add("a", 3)
        queue.add("a", 300)
        await asyncio.sleep(600)

    run(scenario, record)
    assert record.calls == [("a", 3)]


def test_no_more_keys_are_begun_in_a_second_than_allowed() -> None:
    record = Record()

    async def scenario(queue: WorkQueue[str]) -> None:
        for number in range(50):
            queue.add(f"k{number}")
        await asyncio.sleep(60)

    run(scenario, record, per_second=10.0)
    assert len(record.calls) == 50
    assert [sum(second <= at < second + 1 for _, at in record.calls) for second in range(5)] == pytest.approx(
        [19, 10, 10, 10, 1], abs=2
    )


def test_nothing_is_begun_while_we_may_not_work() -> None:
    record = Record()
    allowed = False

    async def scenario(queue: WorkQueue[str]) -> None:
        nonlocal allowed
        queue.add("a")
        await asyncio.sleep(7)
        assert record.calls == []
        assert not queue.idle()
        allowed = True
        await asyncio.sleep(1)
        assert queue.idle()

    run(scenario, record, may_work=lambda: allowed)
    assert [key for key, _ in record.calls] == ["a"]


def test_many_keys_with_many_updates_are_all_worked_on_after_their_last_update() -> None:
    last_seen: dict[str, int] = {}
    versions: dict[str, int] = {}

    async def handle(key: str) -> float | None:
        seen = versions[key]
        await asyncio.sleep(0.01)
        last_seen[key] = seen
        return None

    async def scenario(queue: WorkQueue[str]) -> None:
        for step in range(400):
            key = f"k{step * 7 % 40}"
            versions[key] = step
            queue.add(key)
            if step % 10 == 0:
                await asyncio.sleep(0.02)
        await asyncio.sleep(30)

    run(scenario, handle, per_second=1000.0)
    assert last_seen == versions
