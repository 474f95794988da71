"""When a store that fell silent is asked again."""

from __future__ import annotations

from alula_controller.admission import breakers
from alula_controller.admission.breakers import Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_everything_is_let_through_while_the_store_answers() -> None:
    breaker = Breaker(Clock())
    for _ in range(5):
        assert breaker.lets_through()
        breaker.answered()


def test_a_silent_store_is_asked_by_one_in_each_rest_until_it_answers() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    assert breaker.gave_no_answer(), "the first time is news"
    assert not breaker.gave_no_answer()
    for _ in range(3):
        assert not breaker.lets_through()
        clock.now += breakers.REST_SECONDS
        assert breaker.lets_through()
        assert not breaker.lets_through(), "one asks, the others rest"
        breaker.gave_no_answer()
    clock.now += breakers.REST_SECONDS
    assert breaker.lets_through()
    breaker.answered()
    assert all(breaker.lets_through() for _ in range(5))
    assert breaker.gave_no_answer(), "news once more"


def test_one_that_asks_and_never_says_what_became_of_it_does_not_close_the_door_for_ever() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.gave_no_answer()
    clock.now += breakers.REST_SECONDS
    assert breaker.lets_through()
    clock.now += breakers.REST_SECONDS
    assert breaker.lets_through()
