"""Every test here has a store of its own, and may fork: threads of libraries that other tests use do not count."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import alula.testing
from alula.attempt import forks


@pytest.fixture(autouse=True)
def store(tmp_path: Path) -> Iterator[Path]:
    with alula.testing.local(tmp_path / "store") as root:
        yield root


@pytest.fixture(autouse=True)
def libraries_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests here may have started the threads of a store's client, which no child of a test here uses."""
    rests = forks._rests
    monkeypatch.setattr(forks, "_rests", lambda thread: thread.name == "fsspecIO" or rests(thread))
    monkeypatch.setattr(forks, "_native_threads", lambda: [thread.name for thread in threading.enumerate()])
