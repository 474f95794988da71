"""Every test here has a store of its own, and may fork: threads of libraries that other tests use do not count."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import alula.testing
from alula.local.work import forking


@pytest.fixture(autouse=True)
def store(tmp_path: Path) -> Iterator[Path]:
    with alula.testing.local(tmp_path / "store") as root:
        yield root


@pytest.fixture(autouse=True)
def libraries_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests of this process may have started the threads of an S3 client, which no child of a test here uses."""
    monkeypatch.setattr(forking, "_native_threads", lambda: [thread.name for thread in threading.enumerate()])
