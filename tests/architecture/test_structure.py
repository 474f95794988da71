"""The structure that STYLE.md promises, held by measurement."""

from __future__ import annotations

import ast
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ["crds/alula_api", "sdk/alula", "sdk/alula_data", "compiler/alula_compiler", "controller/alula_controller"]
MODULES = sorted(module for package in PACKAGES for module in (ROOT / package).rglob("*.py"))
VAGUE = {"utils", "util", "helpers", "helper", "common", "base", "misc", "core"}


def name(module: Path) -> str:
    return module.relative_to(ROOT).as_posix()


def lines(module: Path) -> int:
    return len(module.read_text(encoding="utf-8").splitlines())


def test_there_is_something_to_measure() -> None:
    assert len(MODULES) > 50


def test_half_of_all_modules_stay_under_150_lines() -> None:
    assert statistics.median(map(lines, MODULES)) < 150


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_no_module_passes_700_lines(module: Path) -> None:
    assert lines(module) <= 700


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_modules_are_named_for_what_they_own_or_do(module: Path) -> None:
    assert module.stem not in VAGUE


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_a_function_fits_a_screen(module: Path) -> None:
    long = [
        f"{name(module)}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.end_lineno
        and node.end_lineno - node.lineno >= 70
    ]
    assert long == []


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_every_module_says_what_it_is_for(module: Path) -> None:
    assert lines(module) == 0 or ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_only_display_prints(module: Path) -> None:
    if "alula/display" in name(module):
        return
    tree = ast.parse(module.read_text(encoding="utf-8"))
    printed = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert printed == []
