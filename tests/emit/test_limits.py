"""`alula run` of a workflow that is larger than a cluster takes: it runs, and says so once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emit.conftest import Alula

HEAD = """
from alula import task, workflow

@task
def one(x: int) -> int:
    return x

@task
def long(x: str) -> int:
    return len(x)

@workflow
def half(x: int) -> list[int]:
    return [one(x) for _ in range(5)]

"""
LARGE = {
    "many calls": "[one(i) for i in range(900)]",
    "long constants": "[long(str(i) * 60_000) for i in range(4)]",
}
SMALL = {
    "few calls": "[one(i) for i in range(9)]",
    "calls that come near a limit": "[one(i) for i in range(300)]",
    "workflows": "[half(i)[0] for i in range(3)]",
}


def ran(root: Path, alula: Alula, returns: str, *options: str) -> str:
    name = f"sized_{abs(hash((returns, options)))}"
    (root / f"{name}.py").write_text(f"{HEAD}@workflow\ndef wf() -> list[int]:\n    return {returns}\n")
    done = alula("run", "--workers", "1", "--no-cache", *options, f"{name}.py:wf")
    assert done.code == 0, done.err
    return done.err


@pytest.mark.parametrize("returns", LARGE.values(), ids=LARGE)
def test_what_is_too_large_for_a_cluster_runs_here_with_one_warning(greet: Path, alula: Alula, returns: str) -> None:
    told = ran(greet, alula, returns)
    assert told.count("warning: a cluster would refuse this workflow: ") == 1
    assert "hint: do more in each task" in told


@pytest.mark.parametrize("returns", SMALL.values(), ids=SMALL)
def test_what_a_cluster_takes_runs_without_a_warning(greet: Path, alula: Alula, returns: str) -> None:
    assert "warning" not in ran(greet, alula, returns)
