"""Texts that people and schedules give to runs."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.contract import lists, values
from alula_api.contract.codes import Code
from alula_api.contract.graphs import comparables, plans
from alula_api.contract.references import Stored
from alula_controller.admission import check
from tests.controller.scenes import INT, STR

ENUM = {
    "type": "string",
    "enum": ["RED", "BLUE"],
    "x-alula-type": "enum",
    "title": "Color",
    "x-alula-values": ["1", "2"],
}
MAYBE = {"anyOf": [STR, {"type": "null"}]}
FILE = {"x-alula-type": "file"}
ENVELOPE = values.dumps({"$stored": {"digest": "a" * 64, "size": 9, "hash": "b" * 64}})
REFERENCE = {"type": "file", "digest": "a" * 64, "size": 3, "name": "x.csv", "format": ""}


def plan(*inputs: plans.Input) -> plans.Plan:
    return plans.Plan({"main": plans.Graph((), ())}, inputs=inputs, template="t")


def told(*inputs: plans.Input, **texts: Any) -> check.Checked:
    return check.check(
        plan(*inputs), {"parameters": [{"name": name, "value": text} for name, text in texts.items()]}, "r"
    )


def value(schema: dict[str, Any], text: str) -> Any:
    checked = told(plans.Input("x", schema), x=text)
    assert checked.problems == ()
    return checked.inputs["x"]


def codes(checked: check.Checked) -> list[Code]:
    return [problem.code for problem in checked.problems]


@pytest.mark.parametrize(
    ("schema", "text", "expected"),
    [
        (STR, "prod_table", "prod_table"),
        (STR, '"prod_table"', "prod_table"),
        (STR, "7", "7"),
        (STR, "null", "null"),
        (STR, "{{workflow.uid}}", "{{workflow.uid}}"),
        (STR, '"\\u007b\\u007b"', "{{"),
        (STR, '"unbalanced', '"unbalanced'),
        (STR, "", ""),
        (STR, ENVELOPE, ENVELOPE),
        (MAYBE, ENVELOPE, ENVELOPE),
        (INT, "7", 7),
        (INT, " 7 ", 7),
        ({"type": "number"}, "7", 7.0),
        ({"type": "number"}, '"NaN"', "NaN"),
        ({"type": "number"}, "Infinity", "Infinity"),
        ({"type": "boolean"}, "true", True),
        (MAYBE, "null", None),
        (MAYBE, "x", "x"),
        (ENUM, "RED", "RED"),
        (ENUM, '"RED"', "RED"),
        ({"type": "string", "format": "date"}, "2026-11-22", "2026-11-22"),
        ({"type": "array", "items": INT}, "[1,2]", [1, 2]),
        ({}, '{"any": 1}', {"any": 1}),
        (FILE, values.dumps(REFERENCE), REFERENCE),
        (INT, ENVELOPE, None),
    ],
)
def test_a_text_is_read_by_its_inputs_type(schema: dict[str, Any], text: str, expected: Any) -> None:
    found = value(schema, text)
    if expected is None and schema == INT:
        assert isinstance(found, Stored), "an envelope passes on"
    else:
        assert found == expected
        assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (INT, "six"),
        (INT, "1.5"),
        (INT, "true"),
        ({"type": "boolean"}, "1"),
        (ENUM, "GREEN"),
        (FILE, "s3://bucket/key"),
        (INT, "{{x}}"),
    ],
)
def test_a_text_that_does_not_fit_is_a_problem_that_names_input_and_type(schema: dict[str, Any], text: str) -> None:
    checked = told(plans.Input("x", schema), x=text)
    assert codes(checked) == [Code.BAD_VALUE]
    assert "input x" in checked.problems[0].subject
    assert checked.problems[0].expected


def test_all_problems_are_told_at_once() -> None:
    inputs = (plans.Input("count", INT), plans.Input("region", STR, fixed='"eu"'), plans.Input("needed", STR))
    checked = told(*inputs, count="x", region="us", cuont="1")
    assert sorted(codes(checked)) == sorted([Code.BAD_VALUE, Code.FIXED_INPUT, Code.MISSING_INPUT, Code.UNKNOWN_INPUT])
    assert any(problem.hint == "did you mean count?" for problem in checked.problems)


def test_defaults_and_fixed_values_are_taken_from_the_plan() -> None:
    inputs = (plans.Input("a", INT, default="3"), plans.Input("b", STR, fixed="as it stands"))
    checked = told(*inputs)
    assert checked.inputs == {"a": 3, "b": "as it stands"}


def test_a_value_from_elsewhere_and_artifacts_are_refused() -> None:
    given_ = {
        "parameters": [{"name": "a", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}],
        "artifacts": [{"name": "f"}],
    }
    checked = check.check(plan(plans.Input("a", INT)), given_, "r")
    assert Code.BAD_VALUE in codes(checked)
    assert Code.UNKNOWN_INPUT in codes(checked)


def test_inputs_that_are_too_large_together_are_refused_with_a_hint() -> None:
    checked = told(*(plans.Input(name, STR) for name in "abc"), **{name: name * 95_000 for name in "abc"})
    assert codes(checked) == [Code.TOO_LARGE]
    assert "File" in checked.problems[0].hint


def test_what_is_read_of_items_of_an_input_is_refused_where_it_is_too_large_together() -> None:
    texts = {"type": "array", "items": {"type": "array", "items": STR}}
    parts = tuple(comparables.Part(f"p{n}", "a", (), "scalar", 0, ((), ())) for n in range(5))
    asked = plans.Plan({"main": plans.Graph((), ())}, inputs=(plans.Input("a", texts),), parts=parts)
    arguments = {"parameters": [{"name": "a", "value": json.dumps([["x"] * 80] * 10)}]}
    (problem,) = check.check(asked, arguments, "r").problems
    assert problem.code is Code.TOO_LARGE and problem.hint == "let a task take the input and return what is read"
    one = check.check(dataclasses.replace(asked, parts=parts[:1]), arguments, "r")
    assert not one.problems and isinstance(one.inputs["p0"], lists.Listed)


def test_an_input_that_argo_would_hand_over_in_another_way_is_refused_with_the_way_by_a_file() -> None:
    assert told(plans.Input("a", STR), a="x" * 98_000).problems == ()
    checked = told(plans.Input("a", STR), plans.Input("b", STR), a="x" * 98_400, b="é" * 20_000)
    assert codes(checked) == [Code.TOO_LARGE, Code.TOO_LARGE], "what is not ASCII travels as escapes"
    assert "input a" in checked.problems[0].subject
    assert "a must be" not in checked.problems[0].message and "98,304" in checked.problems[0].message
    assert "File" in checked.problems[0].hint


PAIR = {"type": "object", "title": "P", "properties": {"a": INT}, "required": ["a"], "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "text", "message"),
    [
        (INT, "hunter2", "x does not fit"),
        (INT, '"hunter2"', "x does not fit"),
        (ENUM, "hunter2", "x does not fit"),
        ({"type": "array", "items": INT}, '[1, "hunter2"]', "x does not fit at $[1]"),
        ({"type": "array", "items": PAIR}, '[{"a": 1}, {"a": "hunter2"}]', "x does not fit at $[1].a"),
        ({"type": "object", "additionalProperties": INT}, '{"hunter2": "x"}', "x does not fit"),
        (PAIR, '{"a": 1, "hunter2": 3}', "x does not fit"),
        (FILE, values.dumps({**REFERENCE, "digest": "hunter2"}), "x does not fit"),
    ],
    ids=str,
)
def test_no_message_holds_what_was_given(schema: dict[str, Any], text: str, message: str) -> None:
    (problem,) = told(plans.Input("x", schema), x=text).problems
    assert problem.message == message
    assert "hunter" not in problem.render()


@pytest.mark.parametrize("schema", [{"type": "quaternion"}, {"x-alula-type": "hologram"}], ids=str)
def test_a_type_of_another_version_is_a_bad_plan_and_no_mistake_of_who_starts_the_run(schema: dict[str, Any]) -> None:
    assert check.strange(plan(plans.Input("x", INT))) == ""
    assert "the type of input x is of another version of alula" in check.strange(plan(plans.Input("x", schema)))


@pytest.mark.parametrize(
    "given_", [{"parameters": None}, {"parameters": "x"}, {"parameters": [None, 7]}, {"artifacts": 3}]
)
def test_malformed_arguments_are_as_none(given_: dict[str, Any]) -> None:
    assert check.check(plan(plans.Input("a", INT, default="1")), given_, "r").problems == ()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_that_is_given_as_json_arrives_exactly_and_safe(text: str) -> None:
    for typed in (values.dumps(text), text):
        known = told(plans.Input("x", STR), x=typed).inputs["x"]
        try:
            expected = values.parse(typed)
        except values.InvalidValue:
            expected = None
        assert known == (expected if isinstance(expected, str) else typed)
        safe = check.safe(known)
        assert values.parse(safe) == known
        assert safe.isascii()
        assert "{{" not in safe
