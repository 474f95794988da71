"""Commands run in this process, in a project of their own and with a store of their own."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import alula.testing
from alula.cli import main

PROJECT = Path(__file__).parent / "project"


@dataclass
class Done:
    """What a command did."""

    code: int
    out: str
    err: str


Alula = Callable[..., Done]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "project"
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__", ".alula"))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "100")
    path, modules = [*sys.path], set(sys.modules)
    with alula.testing.local(tmp_path / "store"):
        yield folder
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.partition(".")[0] == "flows":
            del sys.modules[name]


@pytest.fixture
def run(project: Path, capsys: pytest.CaptureFixture[str]) -> Alula:
    """`alula WORDS...` in the project."""

    def call(*words: str) -> Done:
        capsys.readouterr()
        code = main.main(words)
        found = capsys.readouterr()
        return Done(code, found.out, found.err)

    return call
