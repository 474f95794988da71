"""Every test here has a store of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import alula.testing


@pytest.fixture(autouse=True)
def store(tmp_path: Path) -> Iterator[Path]:
    with alula.testing.local(tmp_path / "store") as root:
        yield root
