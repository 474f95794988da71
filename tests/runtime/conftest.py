"""One pod a test, and one process a session that forks their attempts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime import zygote as zygotes
from tests.runtime.pod import Pod


@pytest.fixture(scope="session")
def zygote() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, zygotes.__file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin
        process.stdin.close()


@pytest.fixture
def pod(tmp_path: Path, zygote: subprocess.Popen[str]) -> Pod:
    return Pod(tmp_path, zygote)
