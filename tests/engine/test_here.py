"""The cases here: the local runner. `e2e/main_road/test_conformance.py` runs the same in Argo."""

from __future__ import annotations

import importlib.util
import pathlib
import sys
import time
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import alula
from tests.engine import table
from tests.engine.cases import BUDGETS, CASES, FAILURES, PROJECT, Case, begun


@pytest.fixture(scope="module")
def modules() -> Iterator[dict[str, ModuleType]]:
    """The modules of the project, by file."""
    found: dict[str, Any] = {}
    for path in sorted(PROJECT.glob("*.py")):
        name = f"conformance_{path.stem}"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        found[path.name] = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found[path.name])
    found["failures.py"].time = SimpleNamespace(sleep=lambda seconds: time.sleep(seconds / 10))  # no pod starts here
    yield found
    for module in found.values():
        del sys.modules[module.__name__]


def test_no_two_cases_have_one_name() -> None:
    names = [case.name for case in (*CASES, *FAILURES)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("case", (*CASES, *FAILURES), ids=lambda case: case.name)
def test_it_ends_as_it_must(
    modules: dict[str, ModuleType],
    case: Case,
    record_property: Callable[[str, object], None],
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record_property(table.HERE, case.name)
    file, _, name = case.workflow.partition(":")
    workflow = getattr(modules[file], name)
    monkeypatch.setenv("TRIED", str(tmp_path))
    try:
        result = alula.run(workflow, case.inputs, workers=4, records=False)
    except alula.RunFailed as failed:
        result = failed.result
    assert result.ok is (case.outputs is not None)
    states = {node.id: node.state for node in result.nodes}
    appearing = (".round-", "(")  # rounds and items appear as they run
    assert not [path for path in case.absent if path not in states and not any(each in path for each in appearing)]
    assert {states[path] for path in case.absent if path in states} <= {"not taken", "skipped"}
    assert [states[path] for path in case.done] == ["done"] * len(case.done)
    assert [states[path] for path in case.failed] == ["failed"] * len(case.failed)
    if case.failed:
        assert {path for path, state in states.items() if state in ("done", "failed")} == {*case.done, *case.failed}
        assert result.failures[0].id == case.failed[0]
    if case in BUDGETS:
        assert (tmp_path / case.inputs["attempts"]).read_text() == begun(case)
    if case.outputs is None:
        assert any(case.message in str(each.failure) for each in result.failures)
    else:
        assert dict(result.wire) == case.outputs
