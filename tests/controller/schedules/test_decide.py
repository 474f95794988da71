"""Which ticks start runs, on virtual time: restarts, missed ticks, edits, clocks that step."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alula_api.contract import ticks
from alula_api.contract.ticks import Timetable
from alula_api.contract.timetables import CatchUp
from alula_controller.schedules import decide
from alula_controller.schedules.decide import Decided, Plan, State

HOURLY = Timetable(("0 * * * *",))
NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def plan(until: datetime | None = NOON, **changes: object) -> Plan:
    decided = None if until is None else Decided(until, HOURLY.digest())
    return replace(Plan("uid", HOURLY, decided=decided), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("catch_up", CatchUp)
def test_the_first_sight_of_a_plan_records_and_fires_nothing(catch_up: CatchUp) -> None:
    decision = decide.decide(plan(None, catch_up=catch_up), NOON + timedelta(minutes=7))
    assert decision.fire == ()
    assert decision.decided == Decided(NOON + timedelta(minutes=7), HOURLY.digest())
    assert decision.next == NOON + HOUR


def test_a_tick_fires_when_its_time_has_come_and_not_before() -> None:
    before = decide.decide(plan(), NOON + HOUR - timedelta(seconds=1))
    assert (before.fire, before.decided, before.next) == ((), None, NOON + HOUR)
    decision = decide.decide(plan(), NOON + HOUR)
    assert decision.fire == (NOON + HOUR,)
    assert decision.decided == Decided(NOON + HOUR, HOURLY.digest())
    assert decision.next == NOON + 2 * HOUR


@pytest.mark.parametrize(
    ("catch_up", "window", "fired"),
    [
        (CatchUp.NONE, timedelta(days=1), []),
        (CatchUp.LAST, timedelta(days=1), [5]),
        (CatchUp.ALL, timedelta(days=1), [1, 2, 3, 4, 5]),
        (CatchUp.ALL, timedelta(hours=2), [4, 5]),
        (CatchUp.LAST, timedelta(minutes=10), []),
    ],
)
def test_what_was_missed_is_caught_up_with_as_the_plan_says(
    catch_up: CatchUp, window: timedelta, fired: list[int]
) -> None:
    now = NOON + 5 * HOUR + timedelta(minutes=30)
    decision = decide.decide(plan(catch_up=catch_up, window=window), now)
    assert decision.fire == tuple(NOON + number * HOUR for number in fired)
    assert decision.skipped == 5 - len(fired)
    assert decision.decided == Decided(NOON + 5 * HOUR, HOURLY.digest())


def test_a_tick_that_is_decided_a_little_late_is_on_time() -> None:
    assert decide.decide(plan(), NOON + HOUR + decide.ON_TIME).fire == (NOON + HOUR,)
    assert decide.decide(plan(), NOON + HOUR + decide.ON_TIME + timedelta(seconds=1)).fire == ()


@pytest.mark.parametrize("state", [State.SUSPENDED, State.DISABLED])
def test_a_plan_that_does_not_fire_does_not_make_up_for_it_when_it_fires_again(state: State) -> None:
    stopped = decide.decide(plan(state=state, catch_up=CatchUp.ALL), NOON + timedelta(minutes=30))
    assert (stopped.fire, stopped.next) == ((), None)
    assert stopped.decided == Decided(NOON + timedelta(minutes=30), HOURLY.digest(), state)
    meanwhile = plan(state=state, catch_up=CatchUp.ALL)
    meanwhile = replace(meanwhile, decided=stopped.decided)
    assert decide.decide(meanwhile, NOON + 3 * HOUR) == decide.Decision()
    again = decide.decide(replace(meanwhile, state=State.ACTIVE), NOON + 3 * HOUR + timedelta(minutes=1))
    assert (again.fire, again.next) == ((), NOON + 4 * HOUR)


def test_a_tick_is_not_late_because_others_had_to_be_decided_first() -> None:
    late = NOON + HOUR + decide.ON_TIME + timedelta(minutes=10)
    assert decide.decide(plan(), late, noticed=NOON + HOUR).fire == (NOON + HOUR,)
    assert decide.decide(plan(), late).missed == (NOON + HOUR,)


def test_a_timetable_that_changed_fires_nothing_of_the_past() -> None:
    changed = plan(timetable=Timetable(("30 * * * *",)), catch_up=CatchUp.ALL)
    decision = decide.decide(changed, NOON + 5 * HOUR)
    assert decision.fire == ()
    assert decision.decided == Decided(NOON + 5 * HOUR, changed.timetable.digest())
    assert decision.next == NOON + 5 * HOUR + timedelta(minutes=30)


def test_a_clock_that_steps_back_fires_nothing_twice() -> None:
    decision = decide.decide(plan(NOON + 3 * HOUR, catch_up=CatchUp.ALL), NOON)
    assert (decision.fire, decision.decided) == ((), None)
    changed = plan(NOON + 3 * HOUR, timetable=Timetable(("30 * * * *",)))
    assert decide.decide(changed, NOON).decided == Decided(NOON + 3 * HOUR, changed.timetable.digest())


def test_many_ticks_are_caught_up_with_a_few_at_a_time_and_none_is_lost() -> None:
    minutely = Timetable(("* * * * *",))
    current = Plan("uid", minutely, catch_up=CatchUp.ALL, decided=Decided(NOON, minutely.digest()))
    now, fired = NOON + HOUR, list[datetime]()
    for _ in range(10):
        decision = decide.decide(current, now)
        fired += decision.fire
        assert len(decision.fire) <= decide.MAX_FIRED
        if decision.decided is None:
            break
        current = replace(current, decided=decision.decided)
    assert fired == [NOON + timedelta(minutes=number) for number in range(1, 61)]


def test_a_plan_that_is_over_is_not_looked_at_again() -> None:
    over = Timetable(("0 * * * *",), ends=NOON + HOUR)
    current = Plan("uid", over, decided=Decided(NOON, over.digest()))
    assert decide.decide(current, NOON).next is None


def test_jitter_starts_a_run_later_and_keeps_its_tick() -> None:
    timetable = Timetable(("0 * * * *",), jitter=600)
    current = Plan("uid", timetable, decided=Decided(NOON, timetable.digest()))
    due = NOON + HOUR + ticks.delay(timetable, "uid", NOON + HOUR)
    assert decide.decide(current, NOON).next == due
    assert decide.decide(current, due - timedelta(seconds=1)).fire == ()
    assert decide.decide(current, due).fire == (NOON + HOUR,)


@pytest.mark.parametrize("seed", range(20))
def test_killed_at_any_write_each_tick_fires_exactly_once(seed: int) -> None:
    """Runs are created one by one, then the status is written; killed between, it begins anew. Runs may be
    collected once they are decided."""
    chance = random.Random(seed)
    minutes = Timetable(("*/5 * * * *", "2 * * * *"))
    current = Plan("uid", minutes, catch_up=CatchUp.ALL, decided=Decided(NOON, minutes.digest()))
    now, fired, there = NOON, [], set()
    while now < NOON + 6 * HOUR or decide.decide(current, now).decided:
        now += timedelta(seconds=chance.choice([1, 20, 300, 4000])) if now < NOON + 6 * HOUR else timedelta()
        decision = decide.decide(current, now)
        killed_at = chance.choice([None, *range(len(decision.fire) + 1)])
        for number, tick in enumerate(decision.fire):
            if killed_at == number:
                break
            if tick not in there:  # otherwise the name is taken
                fired.append(tick)
                there.add(tick)
        else:
            if killed_at is None and decision.decided is not None:
                current = replace(current, decided=decision.decided)
                there.clear()  # retention
    expected = []
    for tick in ticks.after(minutes, NOON):
        if tick > now:
            break
        expected.append(tick)
    assert fired == expected
