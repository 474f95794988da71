"""A release is the same in every domain, so no value in it says where data lies on a machine or in one domain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from alula.cli import main
from alula.emit import portability
from alula_api.contract import references

FILE = {"x-alula-type": "file"}
FILES = {"type": "array", "items": FILE}


def reference(uri: str = "", digest: str = "a" * 64) -> dict[str, Any]:
    return references.Reference("file", "" if uri else digest, 3, "birds.csv", uri=uri).to_json()


def workflow(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "train", "annotations": {"alula.dev/source": "flows/penguins.py:41"}}
    return {"kind": "Workflow", "metadata": metadata, "spec": spec}


def node(**binding: Any) -> dict[str, Any]:
    tasks = [{"name": "use", "inputs": [{"name": "table", "type": FILE}]}]
    nodes = [{"id": "use-2", "task": "use", "inputs": {"table": binding}}]
    return workflow(tasks=tasks, graphs=[{"name": "main", "nodes": nodes}])


def default(value: Any, type: Mapping[str, Any] = FILE) -> dict[str, Any]:
    return workflow(inputs=[{"name": "table", "type": type, "default": json.dumps(value)}])


@pytest.mark.parametrize(
    ("resource", "subject"),
    [
        (default(reference("file:///home/ada/birds.csv")), "Workflow train, input table"),
        (default([reference("file:///home/ada/birds.csv")], FILES), "Workflow train, input table"),
        (node(value=json.dumps(reference("file:///home/ada/birds.csv"))), "Workflow train, node use-2, input table"),
        (
            workflow(tasks=[{"name": "use", **default(reference("file:///home/ada/birds.csv"))["spec"]}]),
            "Workflow train, task use, input table",
        ),
    ],
)
def test_a_local_path_is_refused_with_its_place(resource: dict[str, Any], subject: str) -> None:
    (problem,) = portability.problems(resource, {})
    assert problem.message.startswith("a release cannot hold the local path file:///home/ada/birds.csv")
    assert (problem.source, problem.subject) == ("flows/penguins.py:41", subject)


def test_data_of_one_domains_store_is_refused() -> None:
    (problem,) = portability.problems(default(reference()), {})
    assert "the stored file 'birds.csv'" in problem.message


def test_the_values_of_a_launch_plan_are_looked_at_too() -> None:
    values = [{"name": "table", "value": json.dumps(reference())}, {"name": "seed", "value": "7"}]
    plan = {
        "kind": "LaunchPlan",
        "metadata": {"name": "nightly"},
        "spec": {"inputs": values[1:], "fixedInputs": values[:1]},
    }
    (problem,) = portability.problems(plan, {"table": FILE, "seed": {"type": "integer"}})
    assert problem.subject == "LaunchPlan nightly, input table"


@pytest.mark.parametrize(
    "resource",
    [
        default(reference("s3://open-data/birds.csv")),
        default("file:///etc/passwd", {"type": "string"}),
        default(None, {"anyOf": [FILE, {"type": "null"}]}),
        node(input="table"),
        workflow(),
    ],
)
def test_what_means_the_same_everywhere_is_left_alone(resource: dict[str, Any]) -> None:
    assert list(portability.problems(resource, {})) == []


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
