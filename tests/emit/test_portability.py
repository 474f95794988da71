"""A release is the same in every domain, so no value in it says where data lies on a machine or in one domain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alula.cli import main
from alula.emit import portability
from alula_api.contract import references
from alula_api.contract.diagnostics import Diagnostic
from alula_api.contract.graphs.bindings import Binding, Constant, FromInput
from alula_api.contract.graphs.calls import TaskCall
from alula_api.contract.graphs.specs import (
    Code,
    GraphSpec,
    InputValue,
    LaunchPlanSpec,
    NodeSpec,
    Port,
    TaskSpec,
    WorkflowSpec,
)
from alula_api.contract.schemas import Schema

FILE: Schema = {"x-alula-type": "file"}
FILES: Schema = {"type": "array", "items": FILE}


def reference(uri: str = "", digest: str = "a" * 64) -> dict[str, Any]:
    return references.Reference("file", "" if uri else digest, 3, "birds.csv", uri=uri).to_json()


def problems(spec: WorkflowSpec) -> list[Diagnostic]:
    return list(portability.of_workflow("train", "flows/penguins.py", spec))


def workflow(**spec: Any) -> WorkflowSpec:
    return WorkflowSpec("1", Code("x:1", 1), spec.pop("graphs", ()), **spec)


def node(binding: Binding) -> WorkflowSpec:
    tasks = (TaskSpec("use", "m:use", inputs=(Port("table", FILE),)),)
    nodes = (NodeSpec("use-2", TaskCall("use"), inputs=(("table", binding),)),)
    return workflow(tasks=tasks, graphs=(GraphSpec("main", nodes=nodes),))


def port(value: Any, type: Schema = FILE) -> Port:
    return Port("table", type, json.dumps(value))


HOME = reference("file:///home/ada/birds.csv")


@pytest.mark.parametrize(
    ("spec", "subject"),
    [
        (workflow(inputs=(port(HOME),)), "Workflow train, input table"),
        (workflow(inputs=(port([HOME], FILES),)), "Workflow train, input table"),
        (node(Constant(json.dumps(HOME))), "Workflow train, node use-2, input table"),
        (workflow(tasks=(TaskSpec("use", "m:use", inputs=(port(HOME),)),)), "Workflow train, task use, input table"),
    ],
)
def test_a_local_path_is_refused_with_its_place(spec: WorkflowSpec, subject: str) -> None:
    (problem,) = problems(spec)
    assert problem.message.startswith("a release cannot hold the local path file:///home/ada/birds.csv")
    assert (problem.source, problem.subject) == ("flows/penguins.py", subject)


def test_data_of_one_domains_store_is_refused() -> None:
    (problem,) = problems(workflow(inputs=(port(reference()),)))
    assert "the stored file 'birds.csv'" in problem.message


def test_the_values_of_a_launch_plan_are_looked_at_too() -> None:
    seed, table = InputValue("seed", "7"), InputValue("table", json.dumps(reference()))
    plan = LaunchPlanSpec("train", inputs=(seed,), fixed_inputs=(table,))
    types = {"table": FILE, "seed": {"type": "integer"}}
    (problem,) = portability.of_plan("nightly", "flows/penguins.py", plan, types)
    assert problem.subject == "LaunchPlan nightly, input table"


@pytest.mark.parametrize(
    "spec",
    [
        workflow(inputs=(port(reference("s3://open-data/birds.csv")),)),
        workflow(inputs=(port("file:///etc/passwd", {"type": "string"}),)),
        workflow(inputs=(port(None, {"anyOf": [FILE, {"type": "null"}]}),)),
        node(FromInput("table")),
        workflow(),
    ],
)
def test_what_means_the_same_everywhere_is_left_alone(spec: WorkflowSpec) -> None:
    assert problems(spec) == []


SOURCES = {
    "a default": "@workflow\ndef w(t: File = File('birds.csv')) -> int:\n    return use(t)\n",
    "a constant": "@workflow\ndef w() -> int:\n    return use(File('birds.csv'))\n",
    "a value of a launch plan": "@workflow\ndef w(t: File) -> int:\n    return use(t)\n\n"
    "p = LaunchPlan('p', w, inputs={'t': File('birds.csv')})\n",
}


@pytest.mark.parametrize("how", SOURCES)
def test_a_local_file_in_a_definition_is_an_error_with_its_line_and_nothing_is_written(
    how: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.alula]\nproject = 'local'\nimage = 'x:1'\n")
    (tmp_path / "birds.csv").write_text("a,b\n")
    name = f"portability_{len(how)}"
    head = "from alula import File, LaunchPlan, task, workflow\n\n@task\ndef use(t: File) -> int:\n    return 1\n\n"
    (tmp_path / f"{name}.py").write_text(head + SOURCES[how])
    assert main.main(["register", "--repo", "gitops", f"{name}.py"]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"{name}.py:")
    assert "a file cannot be written into a definition" in told
    assert not (tmp_path / "gitops").exists()
