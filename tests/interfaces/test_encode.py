"""One wire form of a value, however it came in: as an argument, in a list, in a launch plan, in a run."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import alula
from alula import LaunchPlan, errors, task, workflow
from alula.emit import resources
from alula.interfaces import encode
from alula.types import compiling
from alula.types.carriers import REFUSAL
from alula.types.mismatches import Mismatch
from alula_api.contract import values
from alula_compiler.compile import compile as compiled

SETS = """
from alula import task, workflow
@task
def one() -> int:
    return 1
@task
def use(pair: tuple[int, frozenset[str]]) -> int:
    return pair[0]
@workflow
def sets() -> int:
    return use((one(), frozenset({"a", "b", "c", "d", "e"})))
"""


@dataclasses.dataclass
class Tree:
    size: int
    children: list[Tree]


@task
def grow() -> Tree:
    return Tree(1, [])


@task
def count(trees: list[Tree]) -> int:
    return len(trees)


@task
def largest(trees: tuple[Tree, ...] | None) -> int:
    return max(tree.size for tree in trees or ())


@workflow
def forest() -> tuple[int, int]:
    return count([grow(), Tree(2, [Tree(3, [])])]), largest((grow(), Tree(5, [])))


def test_a_resource_does_not_depend_on_the_hashes_of_a_process(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(SETS)
    script = (
        "import flow, json; from alula.emit import resources; "
        "print(json.dumps(resources.workflow(flow.sets, resources.Code('p:1'))))"
    )
    written = set()
    for seed in ("1", "2", "3"):
        command = [sys.executable, "-c", script]
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(tmp_path)}
        done = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
        written.add(done.stdout)
    (text,) = written
    assert json.dumps('["a","b","c","d","e"]') in text


def test_items_of_a_recursive_type_are_carried_by_the_sdk_and_the_compiler() -> None:
    resource: Any = resources.workflow(forest, resources.Code("p:1"))
    resource["spec"]["version"] = "1"
    assert [str(problem) for problem in compiled(resource).diagnostics] == []


def test_items_of_a_recursive_type_run_here() -> None:
    assert alula.run(forest, workers=1).value == (2, 5)


def test_a_launch_plan_holds_values_in_their_wire_form() -> None:
    @task
    def mean(parts: set[str], share: float) -> float:
        return share

    @workflow
    def flow(parts: set[str], share: float) -> float:
        return mean(parts, share)

    plan = LaunchPlan("p", flow, inputs={"parts": {"b", "a"}}, fixed_inputs={"share": 1})
    assert (plan.inputs, plan.fixed_inputs) == ({"parts": ["a", "b"]}, {"share": 1.0})
    assert repr(plan.fixed_inputs["share"]) == "1.0"


@given(st.frozensets(st.text(max_size=5), max_size=8))
def test_equal_values_have_one_text(items: frozenset[str]) -> None:
    type_ = compiling.compile(tuple[int, frozenset[str]])
    text = encode.to_text(type_, (1, items), REFUSAL)
    assert text == encode.to_text(type_, (1, frozenset(sorted(items, reverse=True))), REFUSAL)
    assert encode.from_json(type_, values.parse(text), REFUSAL) == (1, items)


@pytest.mark.parametrize(
    ("annotation", "value", "path"),
    [(list[str], ["a", "\ud800"], "[1]"), (dict[str, list[str]], {"a": ["\ud800"]}, ".a[0]"), (str, "\ud800", "")],
)
def test_what_only_the_codec_sees_is_a_mismatch_with_its_place(annotation: Any, value: Any, path: str) -> None:
    with pytest.raises(Mismatch) as caught:
        encode.to_json(compiling.compile(annotation), value, REFUSAL)
    (flaw,) = caught.value.flaws
    assert flaw.where() == path
    assert "surrogates" in flaw.message


def test_a_constant_that_no_resource_can_hold_is_refused_when_it_is_traced() -> None:
    @workflow
    def flow() -> int:
        return count_words("\ud800")

    with pytest.raises(errors.DefinitionError, match="surrogates"):
        _ = flow.graph


@task
def count_words(text: str) -> int:
    return len(text)
