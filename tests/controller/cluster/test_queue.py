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


def test_nothing_is_kept_while_we_may_not_work() -> None:
    record = Record()
    allowed = False

    async def scenario(queue: WorkQueue[str]) -> None:
        nonlocal allowed
        for number in range(1000):
            queue.add(f"k{number}")
        assert len(queue) == 0
        allowed = True
        queue.add("a")
        await asyncio.sleep(1)
        assert queue.idle()

    run(scenario, record, may_work=lambda: allowed)
    assert [key for key, _ in record.calls] == ["a"]


def test_nothing_is_begun_once_we_may_not_work_any_more() -> None:
    record = Record(takes=1)
    allowed = True

    async def scenario(queue: WorkQueue[str]) -> None:
        nonlocal allowed
        for key in "abc":
            queue.add(key)
        await asyncio.sleep(0.5)
        allowed = False
        await asyncio.sleep(10)
        assert not queue.idle()

    run(scenario, record, workers=1, may_work=lambda: allowed)
    assert [key for key, _ in record.calls] == ["a"]


def test_a_key_that_is_discarded_is_not_worked_on_and_its_failures_are_forgotten() -> None:
    record = Record(takes=1, fails=("failing",))

    async def scenario(queue: WorkQueue[str]) -> None:
        queue.add("failing")
        await asyncio.sleep(30)
        queue.discard("failing")
        for key in ("busy", "waiting", "late"):
            queue.add(key, 60.0 if key == "late" else 0.0)
        await asyncio.sleep(0.5)
        queue.add("busy")
        for key in ("busy", "waiting", "late", "never there"):
            queue.discard(key)
        await asyncio.sleep(200)
        assert len(queue) == 0
        assert queue._failures == {}
        assert not queue._later

    run(scenario, record, workers=1)
    assert [key for key, _ in record.calls if key != "failing"] == ["busy"]


def test_a_hundred_thousand_keys_that_come_and_go_leave_nothing_behind() -> None:
    record = Record(takes=1000)

    async def scenario(queue: WorkQueue[str]) -> None:
        queue.add("busy")
        await asyncio.sleep(0.1)
        for number in range(100_000):
            queue.add(f"k{number}", 3600)
            queue.discard(f"k{number}")
        assert len(queue) == 0
        assert len(queue._later) < 200

    run(scenario, record, workers=1)


def test_what_was_forgotten_is_not_worked_on() -> None:
    record = Record(takes=1)

    async def scenario(queue: WorkQueue[str]) -> None:
        for key in "abcd":
            queue.add(key, behind=key in "cd")
        queue.add("e", 5)
        await asyncio.sleep(0.5)
        queue.add("a")
        queue.clear()
        queue.add("f")
        await asyncio.sleep(20)

    run(scenario, record, workers=1)
    assert [key for key, _ in record.calls] == ["a", "f"]


def test_lanes_take_turns_so_that_a_crowd_in_one_delays_another_by_one_key() -> None:
    record = Record(takes=1)

    async def scenario(queue: WorkQueue[str]) -> None:
        for number in range(100):
            queue.add(f"crowd-{number}")
        await asyncio.sleep(5.5)
        for number in range(3):
            queue.add(f"small-{number}")
        await asyncio.sleep(20)

    run(scenario, record, workers=1, lane=lambda key: key.partition("-")[0])
    begun = dict(record.calls)
    assert [begun[f"small-{number}"] for number in range(3)] == [7.0, 9.0, 11.0]
    crowd = [key for key, _ in record.calls if key.startswith("crowd")]
    assert crowd == [f"crowd-{number}" for number in range(len(crowd))], "in a lane the oldest comes first"


def test_a_lane_whose_keys_hang_holds_no_more_than_its_share_of_the_workers() -> None:
    async def handle(key: str) -> float | None:
        begun.append((key, now()))
        if key.startswith("hanging"):
            await asyncio.sleep(1000)
        return None

    begun: list[tuple[str, float]] = []

    async def scenario(queue: WorkQueue[str]) -> None:
        for number in range(20):
            queue.add(f"hanging-{number}")
        await asyncio.sleep(1)
        for number in range(20):
            queue.add(f"healthy-{number}", behind=number % 2 == 0)
        await asyncio.sleep(10)
        assert len(queue) == 17

    run(scenario, handle, workers=5, per_lane=3, lane=lambda key: key.partition("-")[0])
    assert [key for key, _ in begun[:3]] == ["hanging-0", "hanging-1", "hanging-2"]
    assert sorted(key for key, at in begun if at == 1.0) == sorted(f"healthy-{number}" for number in range(20))
    assert len(begun) == 23


def test_a_full_lane_goes_on_when_one_of_its_keys_is_done() -> None:
    record = Record(takes=2)

    async def scenario(queue: WorkQueue[str]) -> None:
        for number in range(4):
            queue.add(f"a-{number}")
        await asyncio.sleep(10)

    run(scenario, record, workers=5, per_lane=2, lane=lambda key: key.partition("-")[0])
    assert record.calls == [("a-0", 0), ("a-1", 0), ("a-2", 2), ("a-3", 2)]


def test_keys_behind_come_after_all_others_but_are_never_starved() -> None:
    record = Record(takes=1)

    async def scenario(queue: WorkQueue[str]) -> None:
        for key in ("behind-1", "behind-2", "behind-3"):
            queue.add(key, behind=True)
        for number in range(12):
            queue.add(f"front-{number}")
        queue.add("behind-2")
        await asyncio.sleep(20)

    run(scenario, record, workers=1)
    keys = [key for key, _ in record.calls]
    assert keys[0] == "behind-2", "it was added once more and not behind, and has waited for longest"
    assert keys.index("behind-1") == 7, "one in eight"
    assert keys[-1] == "behind-3"


def test_a_server_that_asks_for_time_is_given_it() -> None:
    calls: list[float] = []

    async def handle(key: str) -> float | None:
        calls.append(round(now(), 3))
        raise errors.Unavailable("429", retry_after=7.0)

    async def scenario(queue: WorkQueue[str]) -> None:
        queue.add("a")
        await asyncio.sleep(15)

    run(scenario, handle)
    assert calls == [0, 7, 14]


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
