"""One pod a test."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.runtime.pod import Pod


@pytest.fixture
def pod(tmp_path: Path, zygote: subprocess.Popen[str]) -> Pod:
    return Pod(tmp_path, zygote)
