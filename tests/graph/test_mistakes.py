"""What alula says about wrong workflows: whole texts, so that people review the wording."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from alula import errors
from alula.declare.workflows import Workflow
from tests import goldens

FOLDER = Path(__file__).parent / "mistakes"
KINDS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


def report(workflow: Workflow[..., object]) -> str:
    try:
        graph = workflow.graph
    except errors.DefinitionError as error:
        return str(error)
    return f"fine: {[node.id for node in graph.nodes]}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_mistake_is_told_with_its_place_and_the_nearest_fix(kind: str) -> None:
    module = importlib.import_module(f"tests.graph.mistakes.{kind}")
    workflows = [item for item in vars(module).values() if isinstance(item, Workflow)]
    text = "\n\n".join(f"# {item.__name__}\n{report(item)}" for item in workflows)
    goldens.check(FOLDER / f"{kind}.txt", text + "\n")


def test_a_second_look_says_the_same() -> None:
    from tests.graph.mistakes import promises

    first, second = report(promises.in_an_if), report(promises.in_an_if)
    assert "PROMISE_AS_VALUE" in first
    assert first == second
