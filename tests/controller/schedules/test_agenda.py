"""The agenda: what is due comes out once, in order, and what moved comes out at its last moment only."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from alula_controller.schedules.agenda import Agenda
from bench import schedules

NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


def at(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_a_key_comes_out_once_when_its_moment_has_come() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.put("b", at(2))
    agenda.put("a", at(1))
    assert list(agenda.due(at(0))) == []
    assert list(agenda.due(at(2))) == ["a", "b"]
    assert list(agenda.due(at(9))) == []


def test_a_clock_that_steps_back_takes_nothing_out_early_and_one_that_steps_forward_takes_all() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.put("a", at(10))
    assert list(agenda.due(at(-3600))) == []
    assert list(agenda.due(at(3600))) == ["a"]


def test_ten_thousand_schedules_cost_less_than_a_twentieth_of_a_core_at_rest() -> None:
    found = schedules.measure(10_000)
    assert found.look < 0.05, "seconds of CPU of a look, of which there is one a second"
    assert found.mebibytes < 100


def test_as_a_dictionary_would_answer_whatever_is_put_and_moved() -> None:
    chance = random.Random(3)
    agenda: Agenda[int] = Agenda()
    plain: dict[int, datetime] = {}
    for second in range(2_000):
        key = chance.randrange(50)
        moment = chance.choice([None, at(second + chance.randrange(100))])
        agenda.put(key, moment)
        if moment is None:
            plain.pop(key, None)
        else:
            plain[key] = moment
        if chance.random() < 0.2:
            due = {each for each, when in plain.items() if when <= at(second)}
            assert set(agenda.due(at(second))) == due
            for each in due:
                del plain[each]
        assert len(agenda) == len(plain)
    assert len(agenda._heap) <= 2 * len(plain) + 65
