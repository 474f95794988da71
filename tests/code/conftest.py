"""Fixtures of this area."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.code.projects import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """An empty project; what is imported from it is forgotten after the test."""
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    made = Project(tmp_path / "acme")
    yield made
    made.forget()
