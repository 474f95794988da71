"""The compiler as the controller calls it: bad plans apart from good ones, and each world compiled once."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import alula_compiler
from alula_controller.definitions import compilation
from tests.controller import scenes

TOLD = alula_compiler.Engine(store=scenes.PLACE.store, releases=scenes.PLACE.releases)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many launch plans each call of the compiler had."""
    seen: list[int] = []
    real = alula_compiler.compile

    def counted(workflow: Any, launch_plans: Any, *rest: Any) -> Any:
        seen.append(len(launch_plans))
        return real(workflow, launch_plans, *rest)

    monkeypatch.setattr(compilation.alula_compiler, "compile", counted)
    return seen


def test_plans_are_compiled_together_where_all_are_right(calls: list[int]) -> None:
    plans = (scenes.launch_plan("a"), scenes.launch_plan("b"))
    made = compilation.compile_all(scenes.workflow(), plans, None, TOLD)
    assert calls == [2]
    assert set(made.plan_objects) == {"a", "b"}
    assert [body["metadata"]["name"] for body in made.objects] == ["sums"]
    assert set(made.plans) == {"sums", "lp-a", "lp-b"}


def test_plans_are_compiled_apart_where_one_is_wrong_and_the_good_ones_come_out_the_same() -> None:
    good, bad = scenes.launch_plan("a"), scenes.launch_plan("b", inputs=[{"name": "nope", "value": "1"}])
    alone = compilation.compile_all(scenes.workflow(), (good,), None, TOLD)
    made = compilation.compile_all(scenes.workflow(), (good, bad), None, TOLD)
    assert made.plan_objects["a"] == alone.plan_objects["a"]
    assert made.plans == alone.plans
    assert [problem.subject for problem in made.plan_diagnostics["b"]]
    assert made.diagnostics == ()


def test_a_wrong_workflow_is_told_without_its_plans() -> None:
    wrong = scenes.workflow(nodes=[{"id": "a", "task": "missing"}])
    made = compilation.compile_all(wrong, (scenes.launch_plan(),), None, TOLD)
    assert made.objects == ()
    assert made.diagnostics


def test_what_changes_by_itself_is_not_compiled_again(calls: list[int]) -> None:
    memory = compilation.Memory()
    first = memory.compile_all(scenes.workflow(), (), None, TOLD)
    again = scenes.workflow()
    again["metadata"] |= {"resourceVersion": "9", "generation": 4, "managedFields": []}
    again["status"] = {"conditions": []}
    assert memory.compile_all(again, (), None, TOLD) is first
    assert calls == [0]


@pytest.mark.parametrize("part", ["spec", "annotations", "plan", "domain", "engine"])
def test_everything_that_the_result_rests_on_compiles_it_anew(part: str, calls: list[int]) -> None:
    memory = compilation.Memory()
    given: dict[str, Any] = {"workflow": scenes.workflow(), "launch_plans": (), "domain": None, "told": TOLD}
    memory.compile_all(**given)
    changed = copy.deepcopy(given["workflow"])
    changed["metadata"]["annotations"]["alula.dev/source"] = "elsewhere.py:1"
    given |= {
        "spec": {"workflow": scenes.workflow(version="v2")},
        "annotations": {"workflow": changed},
        "plan": {"launch_plans": (scenes.launch_plan(),)},
        "domain": {"domain": scenes.domain()},
        "engine": {"told": alula_compiler.Engine(store="s3://b/p/d", releases="s3://b/p/releases")},
    }[part]
    memory.compile_all(**given)
    assert len(calls) == 2


def test_only_the_latest_results_are_kept(calls: list[int]) -> None:
    memory = compilation.Memory(most=2)
    for version in ("v1", "v2", "v3", "v1"):
        memory.compile_all(scenes.workflow(version=version), (), None, TOLD)
    assert len(calls) == 4
    assert len(memory._known) == 2
