"""What becomes of a program here, in the local runner, and what the compiler makes of it."""

from __future__ import annotations

import dataclasses
import importlib.util
import pathlib
import sys
import types
from collections.abc import Mapping
from typing import Any

import alula
from alula.emit import resources
from tests.engine.programs import syntax

PROJECT = pathlib.Path(__file__).parent / "project"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a program.

    Attributes:
        outputs: As JSON, by name; None when it failed.
        done: The paths of the tasks that succeeded.
        failed: Of those that failed.
    """

    outputs: dict[str, Any] | None
    done: frozenset[str]
    failed: frozenset[str]


def load(text: str, name: str, folder: pathlib.Path) -> types.ModuleType:
    """The module of a program's text, beside `pieces`."""
    path = folder / f"{name}.py"
    path.write_text(text)
    if str(PROJECT) not in sys.path:
        sys.path.append(str(PROJECT))
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[name]
    return module


def run(module: types.ModuleType, inputs: Mapping[str, Any]) -> Outcome:
    """Run `main` of a module in threads of this process, with inputs in JSON.

    Raises:
        DefinitionError: It is wrong.
    """
    try:
        given = {name: typed(value, module) for name, value in inputs.items()}
        result = alula.run(module.main, given, threads=True, records=False, cache="off")
    except alula.RunFailed as failed:
        result = failed.result
    states = {node.id: node.state for node in result.nodes if node.task}
    done = frozenset(path for path, state in states.items() if state == "done")
    failed_paths = frozenset(path for path, state in states.items() if state == "failed")
    outputs = {name: plain(value) for name, value in result.outputs.items()} if result.ok else None
    return Outcome(outputs, done, failed_paths)


def plain(value: Any) -> Any:
    """A value of a program as it travels."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value


def typed(value: Any, pieces: Any) -> Any:
    """The reverse."""
    if isinstance(value, list):
        return [typed(item, pieces) for item in value]
    return pieces.Pair(**value) if isinstance(value, dict) else value


def resource(workflow: Any) -> dict[str, Any]:
    """Its resource."""
    found: dict[str, Any] = resources.workflow(workflow, resources.Code("registry.example.org/programs:1"))
    return {**found, "spec": {**found["spec"], "version": "1"}}


def text(program: syntax.Program) -> str:
    """A module that has the program alone."""
    return syntax.HEAD + program.text() + "\n"
