"""One task from JSON to JSON, as the local runner and the pod call it."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from alula import File, errors, task
from alula.attempt import invoke
from alula_api.contract import values
from tests.types.shelf import Shelf


class Noted:
    phase = invoke.Phase.STARTING


@dataclasses.dataclass
class Point:
    x: float
    y: float = 0.0


class Made(NamedTuple):
    report: File
    count: int


@task
def add(a: int, b: float = 1.5) -> float:
    return a + b


@task
def build(frame: pd.DataFrame, at: Point, tags: set[str]) -> Made:
    made = File.new("report.txt")
    made.path.write_text(f"{len(frame)} {at.x} {sorted(tags)}")
    return Made(made, len(frame))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf")


def test_values_are_decoded_and_encoded(shelf: Shelf) -> None:
    assert invoke.invoke(add, {"a": 1, "b": 2}, shelf, Noted()) == {"o0": 3.0}


def test_an_input_that_is_left_out_takes_its_default(shelf: Shelf) -> None:
    assert invoke.invoke(add, {"a": 1}, shelf, Noted()) == {"o0": 2.5}


def test_references_are_fetched_and_committed(shelf: Shelf) -> None:
    frame = build.interface.inputs[0].type.to_json(pd.DataFrame({"a": [1, 2]}), shelf)
    outputs = invoke.invoke(build, {"frame": frame, "at": {"x": 1}, "tags": ["b", "a"]}, shelf, Noted())
    assert outputs["count"] == 2
    assert outputs["report"]["name"] == "report.txt"
    stored = shelf.folder / outputs["report"]["digest"] / "report.txt"
    assert stored.read_text() == "2 1.0 ['a', 'b']"


def test_outputs_are_in_normal_form(shelf: Shelf) -> None:
    @task
    def sets() -> set[int]:
        return {3, 1, 2}

    output = sets.interface.outputs[0]
    made = invoke.invoke(sets, {}, shelf, Noted())["o0"]
    assert made == values.codec(output.type.schema).normal(made)


@pytest.mark.parametrize(
    ("inputs", "messages"),
    [
        ({"a": "x", "b": None}, ["task add, input a", "task add, input b"]),
        ({}, ["the input 'a' is not given"]),
        ({"a": 1, "c": 2}, ["there is no input 'c'"]),
    ],
)
def test_wrong_inputs_are_told_at_once(inputs: dict[str, Any], messages: list[str], shelf: Shelf) -> None:
    with pytest.raises(errors.ValueMismatch) as caught:
        invoke.invoke(add, inputs, shelf, Noted())
    assert all(message in str(caught.value) for message in messages)


def test_a_wrong_output_is_told_with_the_place_of_the_task(shelf: Shelf) -> None:
    @task
    def wrong() -> Made:
        return Made(File("nothing.txt"), "2")  # type: ignore[arg-type]

    with pytest.raises(errors.ValueMismatch) as caught:
        invoke.invoke(wrong, {}, shelf, Noted())
    assert [problem.subject for problem in caught.value.diagnostics] == [
        "task wrong, output report",
        "task wrong, output count",
    ]
    assert str(caught.value.diagnostics[0].code) == "OUTPUT_TYPE"
    assert caught.value.diagnostics[0].source.startswith("tests/attempt/test_invoke.py:")


def test_what_the_function_raises_passes_untouched(shelf: Shelf) -> None:
    problem = KeyError("x")

    @task
    def fails() -> int:
        raise problem

    with pytest.raises(KeyError) as caught:
        invoke.invoke(fails, {}, shelf, Noted())
    assert caught.value is problem


def test_another_function_can_stand_in(shelf: Shelf) -> None:
    assert invoke.invoke(add, {"a": 1}, shelf, Noted(), function=lambda a: a * 10.0) == {"o0": 10.0}


def test_an_async_task_runs(shelf: Shelf) -> None:
    @task
    async def later(when: datetime.datetime) -> str:
        return when.isoformat()

    outputs = invoke.invoke(later, {"when": "2026-01-31T12:00:00Z"}, shelf, Noted())
    assert outputs == {"o0": "2026-01-31T12:00:00+00:00"}


def test_what_the_codec_alone_can_see_is_told_too(shelf: Shelf) -> None:
    @task
    def lone() -> list[str]:
        return ["fine", "\ud800"]

    @task
    def nothing() -> tuple[int, int]:
        return None  # type: ignore[return-value]

    with pytest.raises(errors.ValueMismatch, match=r"OUTPUT_TYPE: at \[1\].*surrogates"):
        invoke.invoke(lone, {}, shelf, Noted())
    with pytest.raises(errors.ValueMismatch, match=r"expected tuple\[int, int\], got None"):
        invoke.invoke(nothing, {}, shelf, Noted())


@dataclasses.dataclass
class Positive:
    n: int

    def __post_init__(self) -> None:
        if self.n < 0:
            raise ValueError("n must be positive")


def test_what_a_dataclass_refuses_is_told_as_a_wrong_value(shelf: Shelf) -> None:
    @task
    def takes(value: Positive) -> None: ...

    with pytest.raises(errors.ValueMismatch, match="Positive refused the value: ValueError: n must be positive"):
        invoke.invoke(takes, {"value": {"n": -1}}, shelf, Noted())
