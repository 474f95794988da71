"""kopf is an event source and nothing more: `on.event` in one module, no other decorator anywhere."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "controller" / "alula_controller"
MODULES = sorted(PACKAGE.rglob("*.py"))
ALLOWED = {"on", "OperatorSettings", "OperatorRegistry", "operator", "AiohttpSession"}


def name(module: Path) -> str:
    return module.relative_to(PACKAGE).as_posix()


def kopf_attributes(tree: ast.AST) -> set[str]:
    """`kopf.x` and `kopf.on.y` as dotted names without the first part."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            dotted, at = [node.attr], node.value
            while isinstance(at, ast.Attribute):
                dotted.append(at.attr)
                at = at.value
            if isinstance(at, ast.Name) and at.id == "kopf":
                found.add(".".join(reversed(dotted)))
    return found


def imports_kopf(tree: ast.AST) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(each.name.split(".")[0] == "kopf" for each in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "kopf":
            return True
    return False


def test_there_is_a_package_to_look_at() -> None:
    assert len(MODULES) > 20


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_only_the_edge_imports_kopf(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    assert imports_kopf(tree) == (name(module) == "edge.py")


def test_the_edge_uses_on_event_and_no_other_handler() -> None:
    tree = ast.parse((PACKAGE / "edge.py").read_text(encoding="utf-8"))
    used = kopf_attributes(tree)
    assert "on.event" in used
    assert {each for each in used if each.startswith("on.")} == {"on.event", "on.login"}
    assert {each.split(".")[0] for each in used} <= ALLOWED, "no timer, daemon, index, finalizer or webhook of kopf's"


def test_the_edge_is_thin() -> None:
    lines = (PACKAGE / "edge.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 230
