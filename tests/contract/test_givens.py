"""Texts given to inputs: one meaning in launch plans and in runs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.contract import givens, references, values

STR = {"type": "string"}
INT = {"type": "integer"}
MAYBE = {"anyOf": [STR, {"type": "null"}]}
STORED = references.Stored("a" * 64, 9, "b" * 64)
ENVELOPE = values.dumps(STORED.to_json())
TYPES = [STR, INT, MAYBE, {}, {"type": "object"}, {"type": "array", "items": STR}, {"type": "number"}]


def outcome(read: Any, text: str, schema: dict[str, Any]) -> Any:
    try:
        return read(text, schema)
    except values.InvalidValue as error:
        return [str(problem) for problem in error.problems]


@pytest.mark.parametrize("schema", [STR, MAYBE])
def test_an_envelope_is_text_where_an_input_takes_text(schema: dict[str, Any]) -> None:
    assert givens.written(ENVELOPE, schema) == ENVELOPE
    assert givens.argument(ENVELOPE, schema) == ENVELOPE


@pytest.mark.parametrize("schema", [INT, {}, {"type": "object"}])
def test_an_envelope_stands_for_a_stored_value_in_a_run_only(schema: dict[str, Any]) -> None:
    assert givens.argument(ENVELOPE, schema) == STORED
    with pytest.raises(values.InvalidValue, match="stored values travel so"):
        givens.written(ENVELOPE, schema)


def test_a_malformed_envelope_is_refused_by_a_run_with_what_is_wrong_with_it() -> None:
    with pytest.raises(values.InvalidValue, match="digest, size and hash"):
        givens.argument('{"$stored": 1}', {})


@pytest.mark.parametrize(
    ("schema", "text", "told"),
    [(INT, "many", '$ must be an int, not "many"'), (INT, "1.5", "$ must be an int, not 1.5")],
)
def test_a_refusal_explains_text_as_text_and_json_as_json(schema: dict[str, Any], text: str, told: str) -> None:
    assert outcome(givens.written, text, schema) == [told]


@given(
    st.sampled_from(TYPES), st.one_of(st.text(), st.from_type(int).map(str), st.sampled_from([ENVELOPE, '"x"', "[]"]))
)
def test_launch_plans_and_runs_read_a_text_alike_but_for_stored_values(schema: dict[str, Any], text: str) -> None:
    run, plan = outcome(givens.argument, text, schema), outcome(givens.written, text, schema)
    assert run == plan or (run == STORED and text == ENVELOPE)


@given(st.text())
def test_every_text_can_be_given_to_an_input_that_takes_text(text: str) -> None:
    assert isinstance(givens.written(text, STR), str)
