"""Each pass by its fixture file: workflows before and after, in a notation that needs no Python to extend."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from alula_compiler import engines, passes, problems, reading
from alula_compiler import program as ir
from tests.compiler import compiled, notation

PASSES = {one.__module__.rpartition(".")[2]: one for one in passes.PASSES}

VIEWS: dict[str, Callable[[ir.Program], Any]] = {
    "graphs": notation.graphs_of,
    "defaults": notation.tasks_of,
    "pods": notation.pods_of,
    "templates": notation.templates_of,
    "plans": notation.plans_of,
    "storage": lambda program: program.storage.secret if program.storage else None,
    "dags": notation.dags_of,
    "forms": notation.forms_of,
    "inputs": notation.inputs_of,
    "arguments": notation.arguments_of,
    "schedules": notation.schedules_of,
}


def cases() -> list[Any]:
    found = []
    for name in PASSES:
        content = yaml.load((compiled.FIXTURES / f"{name}.yaml").read_text(), Loader=yaml.CSafeLoader)
        found += [pytest.param(name, case, id=f"{name}: {case['case']}") for case in content]
    return found


@pytest.mark.parametrize(("name", "case"), cases())
def test_the_pass_does_what_its_fixture_says(name: str, case: dict[str, Any]) -> None:
    before, after = case["before"], case["after"]
    limits = engines.Limits(**case.get("limits", {}))
    settings = engines.Engine(store="s3://s", releases="s3://r", secret=case.get("secret", ""), limits=limits)
    program, misshapen = reading.read(notation.resource(before), notation.launch_plans(before), case.get("domain"))
    assert program is not None, notation.told(misshapen)
    report = problems.Report()
    for earlier, one in PASSES.items():
        # A check is shown alone; a lowering pass relies on all passes before it.
        if earlier == name or one not in passes.CHECKS or PASSES[name] not in passes.CHECKS:
            program = one(program, settings, report)
        if earlier == name:
            break
    unknown = set(after) - set(VIEWS) - {"diagnostics"}
    assert not unknown, f"the fixture wants to see {unknown}"
    assert notation.told(report.diagnostics()) == after.get("diagnostics", [])
    for view in set(after) & set(VIEWS):
        assert VIEWS[view](program) == after[view]


def test_every_pass_has_a_fixture_file_and_every_fixture_file_a_pass() -> None:
    assert {path.stem for path in compiled.FIXTURES.glob("*.yaml")} == set(PASSES)


def test_passes_are_modules_with_one_public_function() -> None:
    folder = Path(passes.__file__).parent
    assert {path.stem for path in folder.glob("*.py")} - {"__init__"} == set(PASSES)
