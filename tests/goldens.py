"""Whole-file goldens: `check` compares byte for byte, `make golden` writes them anew (refused in CI)."""

from __future__ import annotations

import difflib
import os
from pathlib import Path


def check(path: Path, text: str) -> None:
    """Fail unless the file at `path` holds exactly `text`; with ALULA_GOLDEN=write, write it instead."""
    if os.environ.get("ALULA_GOLDEN") == "write":
        assert os.environ.get("CI") != "true", "goldens are reviewed by people, so CI never writes them"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
        return
    assert path.exists(), f"{path} is missing: run `make golden` and review it"
    expected = path.read_bytes().decode("utf-8")
    if text != expected:
        diff = "".join(difflib.unified_diff(expected.splitlines(True), text.splitlines(True), str(path), "now"))
        raise AssertionError(f"{path} differs (`make golden` accepts it):\n{diff[:8000]}")
