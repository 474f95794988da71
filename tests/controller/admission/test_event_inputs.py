"""Runs that bring the payload of an event, however they were made."""

from __future__ import annotations

from typing import Any

from alula_api.contract import events
from alula_api.contract.codes import Code
from alula_api.contract.events import Condition, Event, Mapped
from alula_api.contract.graphs import plans
from alula_controller.admission import check, event_inputs
from tests.controller.scenes import INT, STR

EVENT = Event("orders", (Condition("kind", ('"created"',)),), (Mapped("n", "items.0.n"), Mapped("text", "text")))
GOOD: dict[str, Any] = {"kind": "created", "items": [{"n": 7}]}


def plan(event: Event | None = EVENT) -> plans.Plan:
    inputs = (plans.Input("n", INT), plans.Input("text", STR, '"-"'))
    return plans.Plan({"main": plans.Graph((), ())}, inputs=inputs, template="t", event=event)


def read(payload: Any, *more: dict[str, Any], event: Event | None = EVENT) -> event_inputs.FromEvent:
    text = payload if isinstance(payload, str) else events.encoded(payload)
    return event_inputs.read(plan(event), {"parameters": [{"name": events.ARGUMENT, "value": text}, *more]}, "r")


def codes(found: event_inputs.FromEvent) -> list[Code]:
    return [each.code for each in found.checked.problems] if found.checked else []


def test_a_run_gets_the_parts_and_the_defaults_of_what_is_not_there() -> None:
    found = read(GOOD)
    assert found.arguments == {"parameters": [{"name": "n", "value": "7"}]}
    assert check.check(plan(), found.arguments, "r").inputs == {"n": 7, "text": "-"}


def test_a_part_that_is_not_there_and_has_no_default_is_missing() -> None:
    found = check.check(plan(), read({"kind": "created"}).arguments, "r")
    assert [each.code for each in found.problems] == [Code.MISSING_INPUT]


def test_another_event_is_skipped_whatever_else_is_wrong_with_it() -> None:
    assert read({"kind": "deleted", "items": "x"}).skipped == 'skipped: the event is another one: kind is not "created"'
    assert read([]).skipped


def test_what_does_not_fit_is_told_without_a_value() -> None:
    found = read({"kind": "created", "items": [{"n": "secret"}], "text": 7})
    assert codes(found) == [Code.BAD_VALUE, Code.BAD_VALUE]
    assert found.checked is not None
    assert found.checked.problems[1].expected == "str"
    assert "secret" not in "".join(each.render() for each in found.checked.problems)


def test_a_payload_of_anybodys_making_is_refused() -> None:
    assert [codes(read(text)) for text in ("", "!", "{}", "A" * 1_000_000)] == [
        [Code.BAD_JSON], [Code.TOO_LARGE], [Code.BAD_JSON], [Code.TOO_LARGE],
    ]  # fmt: skip
    assert codes(event_inputs.read(plan(), {"parameters": [{"name": events.ARGUMENT, "valueFrom": {}}]}, "r"))


def test_inputs_beside_an_event_are_refused_and_an_event_where_none_starts_runs() -> None:
    assert codes(read(GOOD, {"name": "text", "value": "x"})) == [Code.BAD_VALUE]
    assert codes(read(GOOD, event=None)) == [Code.UNKNOWN_INPUT]


def test_a_run_that_brings_no_event_has_its_arguments() -> None:
    arguments = {"parameters": [{"name": "n", "value": "7"}]}
    assert event_inputs.read(plan(), arguments, "r").arguments is arguments
    for odd in ({}, {"parameters": None}, {"parameters": 7}, {"parameters": ["x"]}):
        assert event_inputs.read(plan(), odd, "r").arguments is odd


def test_the_event_of_a_plan_is_stored_with_it() -> None:
    assert plans.from_text(plans.to_text(plan())) == plan()
