"""Commands run in this process, in a project of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from alula.cli import main
from tests import projects


@dataclass
class Done:
    """What a command did."""

    code: int
    out: str
    err: str


Alula = Callable[..., Done]


@pytest.fixture
def alula(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Alula:
    """`alula WORDS...` in the working directory."""
    for name in ("FORCE_COLOR", "ALULA_STORE_ROOT", "ALULA_PROJECT", "ALULA_DOMAIN", "ALULA_IMAGE"):
        monkeypatch.delenv(name, raising=False)

    def call(*words: str) -> Done:
        capsys.readouterr()
        code = main.main(words)
        found = capsys.readouterr()
        return Done(code, found.out, found.err)

    return call


@pytest.fixture
def greet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory: a project `greet` with nothing in it, whose modules are forgotten after the test."""
    root = tmp_path / "greet"
    root.mkdir()
    (root / "pyproject.toml").write_text("[tool.alula]\nproject = 'greet'\nimage = 'greet:1'\n")
    monkeypatch.chdir(root)
    with projects.forgotten(root):
        yield root
