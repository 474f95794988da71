"""A value gets its one form once on each side that must not trust the other: command line, controller, pod."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

import alula_compiler
from alula import task
from alula.attempt import cache
from alula.cli import inputs, local_files
from alula.interfaces import encode
from alula.remote import runs
from alula.runtime import inputs as arrivals
from alula_api.contract import codecs, pods, references
from alula_api.contract.graphs import plans
from alula_controller.admission import check
from tests.compiler import compiled

PS = {"type": "array", "items": {"type": "number"}}
WORKFLOW = compiled.workflow(
    inputs=[{"name": "ps", "type": PS}],
    tasks=[compiled.task("total", {"ps": PS}, {"o0": {"type": "number"}})],
    graphs=[{"name": "main", "nodes": [{"id": "total", "task": "total", "inputs": {"ps": {"input": "ps"}}}]}],
)
STORELESS: Any = None
"""No value here lies in a store."""


@task
def total(ps: list[float]) -> float:
    return sum(ps)


class Stored:
    """A carrier that has every file already."""

    def commit_file(self, path: Path, *, type: str, name: str, format: str) -> references.Reference:
        return references.Reference(type, "1" * 64, 1, name, format)


class Saved:
    """A store that keeps what it is given to keep."""

    def __init__(self) -> None:
        self.values: list[tuple[str, str]] = []

    def save_value(self, text: str, identity: str, limit: int) -> None:
        self.values.append((text, identity))


class Counted:
    """How often values were brought into their form since the last look."""

    def __init__(self) -> None:
        self.calls = 0

    def take(self) -> int:
        calls, self.calls = self.calls, 0
        return calls


@pytest.fixture
def normal(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counted, original = Counted(), codecs.Codec.normal

    def counting(codec: codecs.Codec, value: Any) -> Any:
        counted.calls += 1
        return original(codec, value)

    monkeypatch.setattr(codecs.Codec, "normal", counting)
    return counted


def test_from_the_command_line_to_the_function_a_value_is_normalised_three_times(normal: Counted) -> None:
    plan = plans.from_json(alula_compiler.compile(WORKFLOW).plans["w"])
    normal.take()

    given = inputs.read(["--ps", "[1, 2.5]"], [inputs.Parameter("ps", PS)], "workflow w")
    body: Any = runs.manifest("w", local_files.commit(given, {"ps": PS}, STORELESS))
    assert body["spec"]["arguments"] == {"parameters": [{"name": "ps", "value": "[1.0,2.5]"}]}
    assert normal.take() == 1

    checked = check.check(plan, body["spec"]["arguments"], "w-1")
    text = check.safe(checked.inputs["ps"])
    assert normal.take() == 1

    call = pods.Call("w:total", "total", "", "", 0, inputs=(("ps", text),), items=(), paths={}, outputs=("o0",))
    wire = arrivals.load(arrivals.read(call), lambda value: value)
    assert encode.arguments(total, wire, STORELESS) == {"ps": [1.0, 2.5]}
    assert normal.take() == 1


def test_a_result_is_normalised_once_also_when_it_goes_to_the_store(normal: Counted) -> None:
    made = encode.outputs(total, 3, STORELESS)
    assert made == {"o0": 3.0}
    assert normal.take() == 1

    saved = Saved()
    cache.travelling(made, {"o0": {"type": "number"}}, lambda: cast(Any, saved), limit=0)
    assert normal.take() == 0
    assert saved.values == [("3.0", codecs.codec({"type": "number"}).identity(3))]


def test_values_with_files_are_normalised_again_when_their_references_are_known(
    normal: Counted, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("a")
    schema = {"type": "array", "items": {"x-alula-type": "file"}, "uniqueItems": True, "x-alula-type": "set"}
    given = inputs.read(["--files", str(tmp_path / "a.csv")], [inputs.Parameter("files", schema)], "workflow w")
    assert normal.take() == 1
    (reference,) = local_files.commit(given, {"files": schema}, cast(Any, Stored()))["files"]
    assert reference["digest"] == "1" * 64
    assert normal.take() == 1
