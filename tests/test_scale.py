"""From a user's file to Argo's objects, large: what fits compiles, what does not is refused with numbers and a hint.

Nothing here measures time (`bench` does); a walk that is quadratic or recurses along a chain would not come to an end.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import alula
import alula.testing
from alula import errors
from alula.cli import main
from alula.code import importing
from alula.emit import assemble, discovery, resources
from tests import argo_schemas

TASKS = """
from alula import task, workflow

@task
def begin() -> int:
    return 1

@task
def inc(x: int) -> int:
    return x + 1

@task
def join(xs: list[int]) -> int:
    return sum(xs)

@workflow
def large({parameters}) -> int:
{body}
"""
HINT = "  hint: do more in each task, as by giving one task a list of items, or split it into several workflows\n"

Write = Callable[[str], str]


def chain(length: int) -> str:
    body = f"    for _ in range({length}):\n        x = inc(x)\n    return x"
    return TASKS.format(parameters="x: int = 0", body=body)


def fan(width: int, joined: bool) -> str:
    result = "join(parts)" if joined else "parts[0]"
    body = f"    first = begin()\n    parts = [inc(first) for _ in range({width})]\n    return {result}"
    return TASKS.format(parameters="", body=body)


def nested(depth: int) -> str:
    levels = [f"@workflow\ndef level_{n}(x: int) -> int:\n    return level_{n - 1}(x)\n" for n in range(1, depth)]
    first = "@workflow\ndef level_0(x: int) -> int:\n    return inc(x)\n"
    source = TASKS.format(parameters="x: int = 0", body=f"    return level_{depth - 1}(x)")
    return source.replace("@workflow\ndef large", "\n".join([first, *levels, "@workflow\ndef large"]))


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Makes a project of one file and goes there; returns the file's path below it."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.alula]\nproject = "large"\nimage = "registry.example.org/large:1"\n'
    )
    monkeypatch.chdir(tmp_path)
    path = [*sys.path]

    def call(source: str) -> str:
        (tmp_path / "scaled.py").write_text(source)
        return "scaled.py"

    with alula.testing.local(tmp_path / "store"):
        yield call
    sys.path[:] = path
    sys.modules.pop("scaled", None)


def compiled(file: str, out: Path) -> list[dict]:
    assert main.main(["compile", "-o", "json", "--out", str(out), file]) == 0
    found: list[dict] = json.loads(out.read_text())["items"]
    return found


def called(found: list[dict], template: str) -> int:
    """How many nodes of all DAGs call a template."""
    dags = [each["dag"]["tasks"] for each in found[0]["spec"]["templates"] if "dag" in each]
    return sum(task["template"] == template for tasks in dags for task in tasks)


def refused(file: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What `alula compile` says of a file that it refuses."""
    assert main.main(["compile", file]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    return shown.err


def test_a_thousand_in_a_chain_compile(write: Write, tmp_path: Path) -> None:
    found = compiled(write(chain(1000)), tmp_path / "argo.json")
    assert called(found, "inc") == 1000
    argo_schemas.require()
    assert argo_schemas.problems(found[0]) == []


def test_a_thousand_in_a_fan_compile(write: Write, tmp_path: Path) -> None:
    found = compiled(write(fan(1000, joined=False)), tmp_path / "argo.json")
    assert (called(found, "begin"), called(found, "inc")) == (1, 1000)
    argo_schemas.require()
    assert argo_schemas.problems(found[0]) == []


def test_seven_hundred_in_a_fan_with_a_join_compile(write: Write, tmp_path: Path) -> None:
    found = compiled(write(fan(700, joined=True)), tmp_path / "argo.json")
    assert (called(found, "inc"), called(found, "join")) == (700, 1)


def test_a_thousand_in_a_fan_with_a_join_are_refused_for_their_bytes(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(write(fan(1000, joined=True)), capsys)
    assert re.sub(r"267,\d{3} bytes", "267,000 bytes", said) == (  # each option that is written adds some
        "scaled.py:16: error TOO_LARGE: the compiled spec has 267,000 bytes in 1,009 nodes, and must have at most "
        "200,000\n  in WorkflowTemplate scaled-large\n" + HINT
    )


def test_ten_thousand_in_a_chain_are_emitted_and_refused_for_their_number(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(chain(10_000))
    (workflow,) = assemble.assemble(discovery.discover([Path(file)]), resources.Code("registry.example.org/large:1"))
    (graph,) = workflow["spec"]["graphs"]  # type: ignore[index,call-overload]
    nodes = graph["nodes"]
    assert len(nodes) == 10_000
    assert nodes[-1]["inputs"] == {"x": {"node": "inc-9999", "output": "o0"}}
    assert refused(file, capsys) == (
        "scaled.py:16: error TOO_LARGE: a run would have 10,000 nodes, and must have at most 3,000\n"
        "  in workflow scaled-large\n" + HINT
    )


def test_a_graph_that_no_resource_holds_is_refused_for_its_number(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(write(chain(10_001)), capsys) == (
        "scaled.py:16: error TOO_LARGE: spec.graphs[0].nodes: must have at most 10,000 entries, not 10,001\n"
        "  in Workflow scaled-large, graph main\n" + HINT
    )
    sys.modules.pop("scaled")
    assert refused(write(fan(1001, joined=True)), capsys) == (
        "scaled.py:20: error TOO_LARGE: spec.graphs[0].nodes[1002].inputs.xs.items: must have at most 1,000 entries, "
        "not 1,001\n  in Workflow scaled-large, graph main, node join\n" + HINT
    )


def test_workflows_that_call_each_other_too_deep_are_refused(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(write(nested(60)), capsys)
    assert "error TOO_LARGE: graphs call each other 61 levels deep, and must at most 50\n" in said
    assert "in workflow scaled-large\n" in said


def test_a_local_run_of_workflows_that_call_each_other_too_deep_is_refused(write: Write) -> None:
    module = importing.load(write(nested(120)))
    with pytest.raises(errors.DefinitionError) as caught:
        alula.run(module.large)
    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.source, problem.message) == (
        "TOO_LARGE", "scaled.py:496", "workflows call each other more than 100 deep"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "value"),
    [(chain(10_000), 10_000), (fan(10_000, joined=True), 20_000), (nested(90), 1)],
    ids=["a chain of 10,000", "a fan of 10,000", "90 workflows in each other"],
)
def test_a_local_run_has_no_such_limits(write: Write, source: str, value: int) -> None:
    module = importing.load(write(source))
    assert alula.run(module.large, threads=True).value == value


def test_a_circle_of_workflows_is_refused(write: Write) -> None:
    source = nested(20).replace("    return inc(x)\n", "    return level_19(x)\n", 1)
    with pytest.raises(errors.DefinitionError, match="CYCLE"):
        _ = importing.load(write(source)).large.graph
