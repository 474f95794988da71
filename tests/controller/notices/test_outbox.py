"""What waits to be sent: bounded, in its order, at a pace, and no place for another."""

from __future__ import annotations

from alula_controller.cluster.queue import QueueKey
from alula_controller.notices import outbox
from alula_controller.notices.outbox import KIND, Outbox, Owed

SPACE = "demo-dev"
TEAM = QueueKey(SPACE, "team", KIND)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def box() -> tuple[Outbox, Clock, list[QueueKey]]:
    clock, awake = Clock(), []
    return Outbox(awake.append, clock, lambda: 0.5), clock, awake


def owed(number: int, place: str = "team") -> Owed:
    return Owed("Failed", place, "nightly", "sums", f"uid-{number}", f"r{number}")


def test_a_notice_waits_once_and_a_place_holds_so_many_and_no_more() -> None:
    made, _, awake = box()
    for _ in range(2):
        for number in range(outbox.MAX_WAITING):
            assert made.add(SPACE, owed(number))
    assert len(made) == outbox.MAX_WAITING
    assert not made.add(SPACE, owed(outbox.MAX_WAITING))
    assert made.add(SPACE, owed(outbox.MAX_WAITING, "other")), "another place has room of its own"
    made.done(TEAM, owed(0))
    assert made.add(SPACE, owed(outbox.MAX_WAITING))
    assert set(awake) == {TEAM, QueueKey(SPACE, "other", KIND)}


def test_after_a_burst_a_place_is_sent_one_a_second() -> None:
    made, clock, _ = box()
    made.add(SPACE, owed(0))
    for _ in range(int(outbox.BURST)):
        assert made.wait(TEAM) == 0
        made.began(TEAM)
    assert made.wait(TEAM) == 1.0
    clock.now += 1.0
    assert made.wait(TEAM) == 0


def test_a_failure_lets_the_others_come_first_and_the_place_rest_for_a_time_that_doubles_to_a_bound() -> None:
    made, clock, _ = box()
    for number in range(2):
        made.add(SPACE, owed(number))
    rests = []
    for _ in range(14):
        first = made.first(TEAM)
        assert first is not None
        made.failed(TEAM, first)
        assert made.first(TEAM) != first
        rests.append(made.wait(TEAM))
        clock.now += rests[-1]
    assert rests[:4] == [1.0, 2.0, 4.0, 8.0] and rests[-1] == outbox.LONGEST_DELAY
    made.took(TEAM, owed(0))
    made.failed(TEAM, owed(1))
    assert made.wait(TEAM) == 1.0
    made.failed(TEAM, owed(1), after=3600)
    assert made.wait(TEAM) == 3600


def test_what_was_taken_is_not_sent_again_while_only_its_mark_is_missing() -> None:
    made, _, _ = box()
    made.add(SPACE, owed(0))
    made.took(TEAM, owed(0))
    made.add(SPACE, owed(0))
    assert made.was_taken(TEAM, owed(0))
    made.done(TEAM, owed(0))
    assert made.first(TEAM) is None and len(made) == 0


def test_trouble_is_news_once() -> None:
    made, _, _ = box()
    made.add(SPACE, owed(0))
    assert made.trouble(TEAM, "it is away")
    assert not made.trouble(TEAM, "it is away")
    assert list(made.troubles(SPACE)) == [("team", "it is away")] and list(made.troubles("other")) == []
    assert made.trouble(TEAM, "") and list(made.troubles(SPACE)) == []


def test_places_that_nothing_is_owed_to_are_forgotten_when_they_are_many() -> None:
    made, _, _ = box()
    for number in range(outbox.MANY_PLACES):
        key = QueueKey(SPACE, f"p{number}", KIND)
        made.add(SPACE, owed(number, key.name))
        for _ in range(3):
            made.began(key)
        made.done(key, owed(number, key.name))
    made.add(SPACE, owed(0))
    assert len(made._places) == 1
