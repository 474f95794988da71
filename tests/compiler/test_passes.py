"""Each pass, and each part of Argo's side, by its fixture file: before and after in a notation without Python."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from alula_api.contract.graphs import json_fields
from alula_api.contract.graphs.specs import TaskKind
from alula_compiler import passes, problems, reading
from alula_compiler.argo import build, limits, tasks
from alula_compiler.argo.model import TaskTemplate
from alula_compiler.engines import Engine, Limits
from alula_compiler.program import Program
from tests.compiler import compiled, notation

PASSES = {one.__module__.rpartition(".")[2]: one for one in passes.PASSES}
ARGO = ["template_names", "tasks", "build", "limits"]

VIEWS: dict[str, Callable[[Program], Any]] = {
    "graphs": notation.graphs_of,
    "defaults": notation.defaults_of,
    "plans": notation.plans_of,
    "parts": notation.parts_of,
    "storage": lambda program: program.domain.secret,
    "resources": lambda program: {
        task.name: {"requests": dict(task.resources.requests), "limits": dict(task.resources.limits)}
        for task in program.tasks
        if task.resources
    },
    "pods": lambda program: {task.name: json_fields.to_json(task.pod) for task in program.tasks if task.pod},
    "interruptible": lambda program: {task.name: task.interruptible for task in program.tasks},
    "timeouts": lambda program: {task.name: task.timeout for task in program.tasks},
    "budgets": lambda program: {task.name: [task.budget.user, task.budget.system] for task in program.tasks},
}
ARGO_VIEWS: dict[str, Callable[[Any], Any]] = {
    "pods": notation.pods_of,
    "templates": notation.templates_of,
    "dags": notation.dags_of,
    "forms": notation.forms_of,
    "inputs": notation.inputs_of,
    "arguments": notation.arguments_of,
    "schedules": notation.schedules_of,
}


def cases(folder: Path, files: list[str]) -> list[Any]:
    found = []
    for name in files:
        content = yaml.load((folder / f"{name}.yaml").read_text(), Loader=yaml.CSafeLoader)
        found += [pytest.param(name, case, id=f"{name}: {case['case']}") for case in content]
    return found


def read(case: dict[str, Any]) -> tuple[Program, Engine, problems.Report]:
    before, bounds = case["before"], Limits(**case.get("limits", {}))
    engine = Engine(store="s3://s", releases="s3://r", secret=case.get("secret", ""), limits=bounds)
    found = reading.read(notation.resource(before), notation.launch_plans(before), case.get("domain"))
    assert found.program is not None, notation.told(found.diagnostics)
    return found.program, engine, problems.Report()


@pytest.mark.parametrize(("name", "case"), cases(compiled.FIXTURES, list(PASSES)))
def test_the_pass_does_what_its_fixture_says(name: str, case: dict[str, Any]) -> None:
    program, engine, report = read(case)
    after = dict(case["after"])
    for earlier, one in PASSES.items():
        # A check is shown alone; a rewriting pass relies on all passes before it.
        if earlier in (name, "apply_domain") or PASSES[name] in passes.REWRITES:
            program = one(program, engine, report)
        if earlier == name:
            break
    assert notation.told(report.diagnostics()) == after.pop("diagnostics", [])
    assert {view: VIEWS[view](program) for view in after} == after


@pytest.mark.parametrize(("name", "case"), cases(compiled.FIXTURES / "argo", ARGO))
def test_argo_gets_what_the_fixture_says(name: str, case: dict[str, Any]) -> None:
    program, engine, report = read(case)
    after = dict(case["after"])
    for one in passes.PASSES:
        program = one(program, engine, report)
    assert notation.told(report.diagnostics()) == []
    made = build.build(program, engine)
    limits.check(made, program.source, engine, report)
    assert notation.told(report.diagnostics()) == after.pop("diagnostics", [])
    if "calls" in after:
        assert notation.calls_of(program, made) == after.pop("calls")
    assert {view: ARGO_VIEWS[view](made) for view in after} == after


class Spark:
    """A kind of task as a plugin of ours would be."""

    def config_problem(self, config: str) -> str:
        return "" if config else "must name a main class"

    def template(self, task: Any, form: TaskTemplate, program: Program, engine: Engine) -> dict[str, Any]:
        return {"name": form.name, "resource": {"action": "create", "manifest": task.kind.config}}


def of_kind(name: str, config: str = "") -> Program:
    short = {"tasks": {"join": "() -> o0: int"}, "graphs": {"main": {"nodes": [{"id": "a", "call": "join"}]}}}
    program, _, _ = read({"before": short})
    task: Any = program.tasks[0]
    return dataclasses.replace(program, tasks=(dataclasses.replace(task, kind=TaskKind(name, config)),))


def told_of_kind(program: Program) -> list[tuple[str, str, str]]:
    report = problems.Report()
    passes.check_tasks.run(program, Engine.preview(), report)
    return [(found.code, found.message, found.hint) for found in report.diagnostics()]


def test_a_kind_of_task_that_is_not_known_is_reported() -> None:
    nearest = "did you mean `container`?"
    assert told_of_kind(of_kind("contaner")) == [("BAD_OPTION", "there is no kind of task `contaner`", nearest)]
    message = "the configuration of kind `container`: a function's task has no configuration"
    assert told_of_kind(of_kind("container", "{}")) == [("BAD_OPTION", message, "")]


def test_a_kind_of_task_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "KINDS", {**tasks.KINDS, "spark": Spark()})
    wrong = "the configuration of kind `spark`: must name a main class"
    assert told_of_kind(of_kind("spark")) == [("BAD_OPTION", wrong, "")]
    program = of_kind("spark", '{"main":"Join"}')
    assert told_of_kind(program) == []
    made = build.build(program, Engine.preview()).templates[-1]
    assert made == {"name": "join", "resource": {"action": "create", "manifest": '{"main":"Join"}'}}


def test_every_pass_has_a_fixture_file_and_every_fixture_file_a_pass() -> None:
    assert {path.stem for path in compiled.FIXTURES.glob("*.yaml")} == set(PASSES)
    assert {path.stem for path in (compiled.FIXTURES / "argo").glob("*.yaml")} == set(ARGO)


def test_passes_are_modules_with_one_function_run() -> None:
    folder = Path(passes.__file__).parent
    assert {path.stem for path in folder.glob("*.py")} - {"__init__"} == set(PASSES)
